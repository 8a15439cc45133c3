"""Parameters as they start: what they hold, the gradients that reach them, and the first update."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from initperf.optimizers import Optimizer
from initperf.torch.signals.calls import root_mean_square
from initperf.torch.signals.layout import measurable
from initperf.torch.signals.measuring import measure

_SAMPLE = 4096


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
    mean, second_moment : float
        Of its entries.
    norm : float
        Euclidean norm.
    constant : bool
        Whether all of its entries, at least two, are equal.
    unwritten : float
        Share of entries that look like memory that was never written; see `THRESHOLDS`.
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
    mean: float
    second_moment: float
    norm: float
    constant: bool
    unwritten: float
    gradient_norm: float
    update_ratio: float


@dataclass(frozen=True, slots=True)
class Descent:
    """The optimizer whose first step is compared with the weights.

    Attributes
    ----------
    optimizer : Optimizer
    rate : float
        Learning rate.
    """

    optimizer: Optimizer
    rate: float

    def step_norm(self, weight: torch.Tensor, gradient: torch.Tensor) -> float:
        """Return the Euclidean norm of the first step.

        Parameters
        ----------
        weight, gradient : torch.Tensor
            Of one shape.
        """
        w, g = (x.detach().cpu().double().numpy() for x in (weight, gradient))
        factors = self.optimizer.factors(np.array([self.rate]), 0)[0]
        nothing = np.zeros(())
        stepped, _, _ = self.optimizer.step(w, g, nothing, nothing, factors)
        return float(np.linalg.norm((stepped - w).ravel()))


def states(
    model: nn.Module,
    gradients: Mapping[str, torch.Tensor | None],
    seed: int,
    descent: Descent | None,
) -> list[ParameterState]:
    """Return the state of each parameter.

    Parameters
    ----------
    model : torch.nn.Module
    gradients : mapping of str to torch.Tensor or None
        Of the parameters that require one.
    seed : int
        Seed of the run.
    descent : Descent or None
        For the ratio of updates.
    """
    found = []
    for name, parameter in model.named_parameters():
        if measurable(parameter):
            gradient = gradients.get(name)
            found.append(_state(name, parameter, gradient, seed, descent))
    return found


def _state(
    name: str,
    parameter: torch.Tensor,
    gradient: torch.Tensor | None,
    seed: int,
    descent: Descent | None,
) -> ParameterState:
    entries = measure(parameter, units=False)
    norm, slope, ratio = entries.norm, math.nan, math.nan
    if gradient is not None and measurable(gradient):
        slope = root_mean_square(gradient) * math.sqrt(gradient.numel())
        if descent is not None:
            step = descent.step_norm(parameter, gradient)
            ratio = step / norm if norm > 0.0 else (math.inf if step > 0.0 else math.nan)
    constant = entries.elements > 1 and math.isnan(entries.kurtosis)
    if constant:
        low, high = torch.aminmax(parameter.detach())
        constant = bool(low == high)
    garbage = max(entries.nonfinite + entries.bf16_underflow, _share_beyond(parameter))
    return ParameterState(
        name=name,
        shape=tuple(parameter.shape),
        seed=seed,
        trained=parameter.requires_grad,
        reached=gradient is not None,
        mean=entries.mean,
        second_moment=entries.second_moment,
        norm=norm,
        constant=constant,
        unwritten=garbage,
        gradient_norm=slope,
        update_ratio=ratio,
    )


def _sample(parameter: torch.Tensor) -> torch.Tensor:
    """Return about `_SAMPLE` entries, evenly spaced."""
    flat = parameter.detach().reshape(-1)
    return flat[:: max(1, flat.numel() // _SAMPLE)]


_BEYOND = 1e6
"""Multiple of the median magnitude that no distribution of weights reaches."""


def _share_beyond(parameter: torch.Tensor) -> float:
    """Return the share of a sample's entries beyond `_BEYOND` times their median magnitude."""
    sample = _sample(parameter).float().abs()
    sample = sample[torch.isfinite(sample)]
    median = float(sample.median()) if len(sample) else 0.0
    if not median > 0.0:
        return 0.0
    return float((sample > _BEYOND * median).double().mean())


@dataclass(frozen=True, slots=True)
class Copies:
    """Different weights that hold the same values.

    Attributes
    ----------
    names : tuple of str
        Two or more.
    scaled : bool
        Whether they are equal only up to a factor.
    """

    names: tuple[str, ...]
    scaled: bool


_PARALLEL = 1e-5
"""Distance from 1 of the cosine of two weights within which one is a multiple of the other.

Multiples that are rounded to bfloat16 are 2⁻¹⁸/3 apart. Two draws of n entries come as near as
this with a chance of about (2e-5)^((n−1)/2): 4e-17 for 8 entries.
"""

_ENTRIES = 8


def copies(model: nn.Module, found: Iterable[ParameterState]) -> list[Copies]:
    """Return groups of different weights of one shape that agree, but for a factor.

    Parameters
    ----------
    model : torch.nn.Module
    found : iterable of ParameterState
        Of one run. Constants are left out, and what has fewer than two axes.
    """
    parameters = dict(model.named_parameters())
    alike: dict[tuple[int, ...], list[str]] = {}
    for each in found:
        if len(each.shape) > 1 and not each.constant and math.prod(each.shape) > 1:
            alike.setdefault(each.shape, []).append(each.name)
    groups = []
    for names in alike.values():
        for members in _parallel([parameters[name] for name in names]):
            first, *others = (parameters[names[i]] for i in members)
            scaled = not all(torch.equal(first, other) for other in others)
            groups.append(Copies(tuple(names[i] for i in members), scaled))
    return groups


def _parallel(weights: Sequence[torch.Tensor]) -> Iterator[list[int]]:
    """Visit groups of two and more weights that are multiples of one another, by their places."""
    if len(weights) < 2:
        return
    samples = torch.stack([_sample(each).double() for each in weights])
    directions = torch.nn.functional.normalize(torch.nan_to_num(samples))
    near = (directions @ directions.T).abs() > 1.0 - _PARALLEL
    waiting = list(range(len(weights)))
    while waiting:
        first, *rest = waiting
        members = [i for i in rest if bool(near[first, i]) and _same(weights[first], weights[i])]
        if members:
            yield [first, *members]
        waiting = [i for i in rest if i not in members]


def _same(first: torch.Tensor, other: torch.Tensor) -> bool:
    """Return whether two weights of parallel samples are equal, but for a factor."""
    if torch.equal(first, other):
        return True
    one, two = (x.detach().double().reshape(-1) for x in (first, other))
    if len(one) < _ENTRIES:
        return False
    cosine = torch.nn.functional.cosine_similarity(one, two, dim=0)
    return bool(cosine.abs() > 1.0 - _PARALLEL)
