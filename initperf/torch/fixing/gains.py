"""Solver for the factors of a model's weights that bring every layer to its target."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch

from initperf.torch.fixing.branches import activated_scales, branch_ends
from initperf.torch.fixing.graph import Moment, Node, Use
from initperf.torch.parameters import Parameter

TOLERANCE = 0.01
"""Relative distance of a factor from 1 that is left as it is; it makes a second call idle."""

LARGEST = 3.0
"""Largest gain of one weight: a check may find fault with more."""

_LEAST = 2.0
"""Least d ln power / d ln factor of one use: the power is quadratic in the factor."""


class Gains:
    """Factors for the weights of one model, decided while a pass goes through its graph.

    The mean square of a weight's result, without bias, is to be 1. At the end of one of N residual
    branches it is to add 1/N of the trunk's mean square, or 1/N where the trunk has less than 1:
    all branches together then raise the trunk e times at most. A weight that is used once gets its
    factor where it is used. One that is used several times gets, after the pass, the factor that
    brings the geometric mean over its uses to the target, by the secant method: it may multiply
    its own results. One that multiplies results of a recurrent layer gets a gain of 1, so that they
    neither grow nor vanish by it from step to step, or from layer to layer. Where a number
    multiplies a result before its activation, as in SIREN, the target is that of the product. No
    gain grows beyond `LARGEST`.

    Parameters
    ----------
    found : mapping of str to Parameter
        The model's parameters by name.
    nodes : sequence of Node
        The graph of a pass.

    Attributes
    ----------
    obstacles : dict of str to str
        Why a weight is left as it is, by its name.
    bounded : dict of str to str
        The same of weights whose gain would grow beyond `LARGEST` in the last pass.
    changed : set of str
        Weights that got a factor other than 1; whoever goes through several passes empties it.
    """

    def __init__(self, found: Mapping[str, Parameter], nodes: Sequence[Node]) -> None:
        self.obstacles: dict[str, str] = {}
        self.bounded: dict[str, str] = {}
        self.changed: set[str] = set()
        self.observe(nodes)
        self._parameters = found
        # of a weight that is looked up too, only its products count: lookups are left as they are
        self._multiplications: dict[str, int] = defaultdict(int)
        for use in [node.use for node in nodes if node.use is not None]:
            self._multiplications[use.weight] += not use.lookup
        self._excess: dict[str, list[float]] = defaultdict(list)
        self._last: dict[str, tuple[float, float]] = {}
        self._total: dict[str, float] = defaultdict(float)
        for name, count in self._multiplications.items():
            reason = _immovable(found[name])
            if count and reason:
                self.obstacles[name] = reason

    def observe(self, nodes: Sequence[Node]) -> None:
        """Take what ends branches, and what is scaled before activations, from a newer pass."""
        self._ends = branch_ends(nodes)
        self._scales = activated_scales(nodes)
        for (name, _), scale in self._scales.items():
            if math.isnan(scale):
                self.obstacles[name] = "its values are frequencies, which are the model's choice"

    def decide(self, use: Use, power: float, moment: Moment) -> float:
        """Return the factor that a weight gets where it is used.

        Parameters
        ----------
        use : Use
        power : float
            Mean square of the result without bias, for the weight as it is; of a recurrent weight,
            its gain.
        moment : callable
            From the place of a node to its second moment, or None where it comes later.
        """
        if use.lookup or use.weight in self.obstacles:
            return 1.0
        if not (math.isfinite(power) and power > 0.0):
            self.obstacles[use.weight] = (
                "no signal reaches it"
                if power == 0.0
                else "the signal that reaches it is not finite"
            )
            return 1.0
        excess = math.log(power / self._target(use, moment))
        if self._multiplications[use.weight] > 1 and not use.recurrent:
            self._excess[use.weight].append(excess)
            return 1.0
        factor = math.exp(-excess / 2.0)
        grown = math.sqrt(use.gain) * factor
        if factor > 1.0 + TOLERANCE and grown > LARGEST:
            self.bounded[use.weight] = (
                f"it would have to multiply the root mean square by {grown:.3g}: what reaches it "
                "is too small, and the cause lies before it"
            )
            return 1.0
        self.bounded.pop(use.weight, None)
        return self._given(use.weight, factor)

    def settle(self) -> dict[str, float]:
        """Return the factors of weights that are used several times, at the end of a pass."""
        found = {}
        for name, values in self._excess.items():
            if name in self.obstacles:
                continue
            excess = sum(values) / len(values)
            slope = _LEAST * len(values)
            if name in self._last:
                before, total = self._last[name]
                moved = self._total[name] - total
                if moved:
                    slope = min(max((excess - before) / moved, _LEAST / 2.0), slope)
            self._last[name] = excess, self._total[name]
            factor = self._given(name, math.exp(-excess / slope), math.exp(-excess / _LEAST))
            if factor != 1.0:
                found[name] = factor
                self._total[name] += math.log(factor)
        self._excess.clear()
        return found

    def _given(self, name: str, factor: float, whole: float | None = None) -> float:
        """Return a factor unless the weight is near its target, or its dtype cannot hold it.

        Parameters
        ----------
        name : str
        factor : float
        whole : float, optional
            The factor that would be needed at once, by which nearness is judged.
        """
        if abs((factor if whole is None else whole) - 1.0) <= TOLERANCE:
            return 1.0
        tensor = self._parameters[name].tensor
        reach = float(tensor.detach().abs().max()) * factor
        limits = torch.finfo(tensor.dtype)
        if not limits.tiny <= reach <= limits.max:
            self.obstacles[name] = f"{tensor.dtype} cannot hold its values times {factor:.3g}"
            return 1.0
        self.changed.add(name)
        return factor

    def _target(self, use: Use, moment: Moment) -> float:
        end = self._ends.get((use.weight, use.call))
        if end is None:
            return 1.0 / self._scales.get((use.weight, use.call), 1.0)
        return max(1.0, moment(end.trunk) or 1.0) / len(self._ends) / end.ratio


def _immovable(parameter: Parameter) -> str:
    """Return why a weight cannot be scaled, or nothing."""
    tensor = parameter.tensor.detach()
    if not parameter.tensor.requires_grad:
        return "it is frozen: requires_grad is False"
    if not bool(torch.isfinite(tensor).all()):
        return "it has values that are not finite; draw it first, by initperf.torch.init_"
    if not bool(tensor.any()):
        return "it is zero, and any multiple of it is; draw it first, by initperf.torch.init_"
    return ""
