"""Rescaling of a model's first weights: analytic gains, or layer by layer on data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from initperf._core.arguments import choice
from initperf._core.markup import record
from initperf.torch.fixing.graph import Node
from initperf.torch.fixing.methods import lsuv, one_pass, rescale
from initperf.torch.fixing.unmended import Unmended, unmended
from initperf.torch.parameters import Parameter, parameters
from initperf.torch.showing import sentence
from initperf.torch.signals.checking import check
from initperf.torch.signals.result import CheckResult
from initperf.torch.signals.running import Loss

METHODS = ("rescale", "lsuv")


@dataclass(frozen=True)
class Change:
    """What was done to one parameter.

    Attributes
    ----------
    name : str
        The parameter.
    factor : float
        By what it was multiplied; 0 for a bias of which units were set to zero.
    """

    name: str
    factor: float


@dataclass(frozen=True)
class Left:
    """A weight that was left as it is although it is not at its target.

    Attributes
    ----------
    name : str
        The parameter.
    reason : str
        Why it was not moved.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Fix:
    """Two checks of a model, before and after its weights were rescaled, and what was done.

    Attributes
    ----------
    how : str
        One of `METHODS`.
    before, after : CheckResult
        Checks of the same batch.
    changes : tuple of Change
        Each parameter that was changed.
    left : tuple of Left
        Each weight that could not be moved, and why.
    unmended : tuple of Unmended
        Each finding of the check after, and why no scale of weights mends it; empty for a healthy
        model.
    passes : int
        Forward passes, the checks not counted.
    """

    how: str
    before: CheckResult
    after: CheckResult
    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    unmended: tuple[Unmended, ...]
    passes: int

    def __str__(self) -> str:
        lines = [f"before: {sentence(self.before)}", f"after:  {sentence(self.after)}"]
        lines += [f"- {each.finding}: {each.reason}" for each in self.unmended]
        lines += [""] if self.changes or self.left else []
        names = [each.name for each in self.changes] + [each.name for each in self.left]
        wide = max(map(len, names), default=0)
        lines += [f"{each.name:{wide}}  {_said(each)}" for each in self.changes]
        lines += [f"{each.name:{wide}}  left as it is: {each.reason}" for each in self.left]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        facts = {"before": sentence(self.before), "after": sentence(self.after)}
        facts |= {each.name: _said(each) for each in self.changes}
        facts |= {each.name: f"left as it is: {each.reason}" for each in self.left}
        facts |= {f"{e.finding.kind}: {e.finding.name}": e.reason for e in self.unmended}
        return record(f"fix_ by {self.how}", facts)


def _said(change: Change) -> str:
    return f"× {change.factor:.4g}" if change.factor else "dead units set to zero"


def fix_(
    model: nn.Module,
    batch: Any,
    how: str = "rescale",
    *,
    loss: Loss | None = None,
    seeds: int = 1,
) -> Fix:
    """Rescale a model's weights in place so that every layer's result has mean square 1.

    Each weight is multiplied by one number; directions, and so orthogonality and tied names, stay.
    ``"rescale"`` computes the numbers from the weights and the graph of one forward pass, after
    AutoInit, arXiv:2109.08958; they hold in the mean over draws. ``"lsuv"``, after Mishkin & Matas
    2016, arXiv:1511.06422, measures each layer on the batch. At the end of residual branches, the
    target is a share of the trunk, see `initperf.torch.fixing.gains.Gains`.

    Gains of normalizations, embeddings that are only looked up, and weights that are zero or
    frozen are left. So are biases, unless the check finds dead units: the biases that keep units
    at 0 for the whole batch are set to 0. A second call changes nothing: factors within 1 % of 1
    are not applied.

    Parameters
    ----------
    model : torch.nn.Module
        On the CPU. Buffers, flags of training, gradients and random states stay as they are.
    batch : torch.Tensor, tuple, list or dict
        As `initperf.torch.check` takes it.
    how : str
        ``"rescale"`` or ``"lsuv"``.
    loss : callable, optional
        For the two checks.
    seeds : int
        For the two checks; what the weights are scaled to is seed 0.

    Returns
    -------
    Fix
        Checks before and after, the factors, why a layer could not be moved, and why a finding is
        left.

    Raises
    ------
    ValueError
        For another method, and what `initperf.torch.check` refuses. Errors of the model itself
        come through before anything is written.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> layers = [torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8)]
    >>> model = initperf.torch.init_(torch.nn.Sequential(*layers), "he_normal", rng=0)
    >>> _ = model[0].weight.data.mul_(30.0)
    >>> fixed = initperf.torch.fix_(model, torch.ones(16, 64))
    >>> fixed.before.healthy, fixed.after.healthy, [each.name for each in fixed.changes]
    (False, True, ['0.weight', '2.weight'])
    """
    choice("how", how, METHODS)
    before = check(model, batch, loss=loss, seeds=seeds)
    found = {each.name: each for each in parameters(model)}
    solve = rescale if how == "rescale" else lsuv
    zeroed: list[str] = []
    if any(each.kind == "dead" for each in before.findings):
        zeroed = _revive(model, batch, found)
    scaled = solve(model, batch, found)
    factors = scaled.factors | dict.fromkeys(zeroed, 0.0)
    after = check(model, batch, loss=loss, seeds=seeds)
    return Fix(
        how=how,
        before=before,
        after=after,
        changes=tuple(Change(name, factors[name]) for name in found if name in factors),
        left=tuple(Left(n, scaled.obstacles[n]) for n in found if n in scaled.obstacles),
        unmended=tuple(unmended(after.findings, scaled.obstacles)),
        passes=scaled.passes,
    )


def _revive(model: nn.Module, batch: Any, found: Mapping[str, Parameter]) -> list[str]:
    """Set biases of units to zero that keep a rectifier at 0 for the whole batch.

    A layer of dead units hides those behind it, so that this goes on until none is left.

    Returns
    -------
    list of str
        Names of the biases.
    """
    changed: dict[str, None] = {}
    for _ in range(len(found)):
        silenced = list(_silenced(one_pass(model, batch).nodes))
        if not silenced:
            break
        for name, units in silenced:
            with torch.no_grad():
                found[name].tensor[units] = 0.0
            changed[name] = None
    return list(changed)


def _silenced(nodes: Sequence[Node]) -> Iterator[tuple[str, torch.Tensor]]:
    """Visit the biases that silence units, and which."""
    for node in nodes:
        if node.silenced is not None and bool(node.silenced.any()):
            bias = nodes[node.operands[0]].bias
            if bias is not None:
                yield bias, node.silenced
