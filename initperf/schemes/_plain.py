"""Plain scheme: one initializer for the weights of all layers, and one rule for the biases."""

from collections.abc import Callable
from dataclasses import dataclass

from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.uniform import Uniform
from initperf.schemes._scheme import SCHEMES, Network, PerLayer, Scheme


def _fan_in_uniform(fan_in: int) -> Initializer:
    return Uniform(low=-(fan_in**-0.5), high=fan_in**-0.5)


BIASES: dict[str, Callable[[int], Initializer]] = {
    "zeros": lambda fan_in: INITIALIZERS["zeros"],
    "constant": lambda fan_in: INITIALIZERS["constant"],
    "fan_in_uniform": _fan_in_uniform,
}
"""Rules of biases that can be combined with any initializer: functions of the fan-in."""


@dataclass(frozen=True, kw_only=True)
class Plain(PerLayer):
    """The same initializer for every layer.

    Attributes
    ----------
    weights : Initializer
        The initializer.
    biases : str
        ``"zeros"``, ``"constant"``, which is 0.01, or ``"fan_in_uniform"``, U(±1/√fan_in).
    """

    weights: Initializer
    biases: str = "zeros"

    def __post_init__(self) -> None:
        self.check_choice("biases", BIASES)

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the initializer, and the rule of the biases; see `PerLayer.initializers`."""
        return self.weights, BIASES[self.biases](int(network.sizes[number]))


def find(rule: str | Initializer | Scheme) -> Initializer | Scheme:
    """Return the initializer or the scheme of a name; a rule is returned unchanged.

    Raises
    ------
    initperf._core.registry.UnknownNameError
        For a name that neither has; the message names the nearest of both.
    """
    if isinstance(rule, str):
        return INITIALIZERS[rule] if rule in INITIALIZERS else SCHEMES[rule]
    return rule


def as_scheme(rule: str | Initializer | Scheme, biases: str = "zeros") -> Scheme:
    """Return the scheme that stands for a rule.

    Parameters
    ----------
    rule : str, Initializer or Scheme
        A name of either kind; an initializer becomes a `Plain` scheme.
    biases : str
        See `Plain`; a scheme has its own and does not read it.

    Raises
    ------
    initperf._core.registry.UnknownNameError
        For a name that neither has.
    """
    found = find(rule)
    if isinstance(found, Scheme):
        return found
    return Plain(name=found.name, weights=found, biases=biases)
