"""Parameters as they start: what they hold, the gradients that reach them, and the first update."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParameterState:
    """One parameter of one run.

    Attributes
    ----------
    name : str
        Qualified name; of a tied parameter, the first.
    shape : tuple of int
    seed : int
        Seed of the run.
    trained : bool
        Whether it requires a gradient.
    reached : bool
        Whether a gradient reaches it.
    second_moment, mean : float
        Of its entries.
    norm : float
        Euclidean norm.
    gradient_norm : float
        Of the gradient of the loss or, without one, under random unit cotangents; NaN where none
        reaches it.
    update_ratio : float
        Norm of the optimizer's first step divided by `norm`; NaN without a rate or a gradient, and
        infinite where the norm is 0.
    """

    name: str
    shape: tuple[int, ...]
    seed: int
    trained: bool
    reached: bool
    second_moment: float
    mean: float
    norm: float
    gradient_norm: float
    update_ratio: float
