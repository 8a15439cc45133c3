"""Two methods that scale a model's weights: by formulas along its graph, and on data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from initperf.torch.fixing.gains import Gains
from initperf.torch.fixing.graph import Moment, Use
from initperf.torch.fixing.passes import Pass
from initperf.torch.fixing.propagation import propagate
from initperf.torch.fixing.scaling import Decide
from initperf.torch.parameters import Parameter
from initperf.torch.signals.batches import copied, forward
from initperf.torch.signals.preserving import preserved

PASSES = 12
"""Most rounds; weights that are used several times need more than one."""


@dataclass(frozen=True)
class Scaled:
    """What a method did.

    Attributes
    ----------
    factors : dict of str to float
        By what each weight that was changed was multiplied.
    obstacles : dict of str to str
        Why weights were left as they are.
    passes : int
        Forward passes.
    """

    factors: dict[str, float]
    obstacles: dict[str, str]
    passes: int


def one_pass(model: nn.Module, batch: Any, decide: Decide | None = None) -> Pass:
    """Run a model forward once, with the random states of seed 0, and return its graph.

    Parameters
    ----------
    model : torch.nn.Module
        Buffers, flags, gradients and random states are afterwards what they were.
    batch : torch.Tensor, tuple, list or dict
    decide : callable, optional
        As `initperf.torch.fixing.scaling.Scaling` takes it.
    """
    # with gradients: without, modules of PyTorch take fused paths that hide their operations
    with preserved(model), torch.inference_mode(mode=False), torch.enable_grad():
        torch.manual_seed(0)
        recorded, given = Pass(model, decide), copied(batch)
        with recorded:
            forward(model, given)
    return recorded


def rescale(model: nn.Module, batch: Any, found: Mapping[str, Parameter]) -> Scaled:
    """Scale weights by gains that formulas give along the graph of a forward pass.

    What no formula says, such as the average of an attention, is measured; so the graph is
    recorded again with the new weights until no gain changes.

    Parameters
    ----------
    model : torch.nn.Module
    batch : torch.Tensor, tuple, list or dict
    found : mapping of str to Parameter
        The model's parameters by name.
    """
    factors: dict[str, float] = {}
    for done in range(1, PASSES + 1):
        graph = one_pass(model, batch)
        gains = Gains(found, graph.nodes)
        solved = _solve(graph, gains)
        if not solved:
            return Scaled(factors, _obstacles(graph, gains, found), done)
        _apply(solved, found)
        for name, factor in solved.items():
            factors[name] = factors.get(name, 1.0) * factor
    unsettled = dict.fromkeys(solved, f"its gain still changes after {PASSES} passes")
    return Scaled(factors, _obstacles(graph, gains, found) | unsettled, PASSES)


def _solve(graph: Pass, gains: Gains) -> dict[str, float]:
    """Return the factors other than 1 of a graph's weights."""
    solved: dict[str, float] = {}

    def choose(use: Use, power: float, moment: Moment) -> float:
        now = solved.get(use.weight, 1.0)
        factor = gains.decide(use, power * now * now, moment)
        if factor != 1.0:
            solved[use.weight] = now * factor
        return now * factor

    for _ in range(PASSES):
        gains.changed.clear()
        propagate(graph.nodes, choose)
        for name, factor in gains.settle().items():
            solved[name] = solved.get(name, 1.0) * factor
        if not gains.changed:
            break
    return solved


def lsuv(model: nn.Module, batch: Any, found: Mapping[str, Parameter]) -> Scaled:
    """Scale weights one after another as a batch goes through the model.

    Parameters
    ----------
    model : torch.nn.Module
    batch : torch.Tensor, tuple, list or dict
    found : mapping of str to Parameter
        The model's parameters by name.
    """
    survey = one_pass(model, batch)
    gains = Gains(found, survey.nodes)
    factors: dict[str, float] = {}

    def decide(use: Use, moment: Moment) -> float:
        return gains.decide(use, use.gain if use.recurrent else use.power, moment)

    for done in range(2, PASSES + 2):
        gains.changed.clear()
        recorded = one_pass(model, batch, decide)
        shared = gains.settle()
        _apply(shared, found)
        for name, factor in (*recorded.factors.items(), *shared.items()):
            factors[name] = factors.get(name, 1.0) * factor
        gains.observe(recorded.nodes)
        if not gains.changed:
            return Scaled(factors, _obstacles(survey, gains, found), done)
    unsettled = dict.fromkeys(gains.changed, f"its gain still changes after {PASSES} passes")
    return Scaled(factors, _obstacles(survey, gains, found) | unsettled, PASSES + 1)


def _obstacles(graph: Pass, gains: Gains, found: Mapping[str, Parameter]) -> dict[str, str]:
    used = {node.use.weight for node in graph.nodes if node.use is not None}
    unused = {
        name: "no operation of the model multiplies by it"
        for name, parameter in found.items()
        if parameter.role == "weight" and name not in used
    }
    return unused | gains.bounded | graph.owners.obstacles | gains.obstacles


def _apply(factors: Mapping[str, float], found: Mapping[str, Parameter]) -> None:
    with torch.no_grad():
        for name, factor in factors.items():
            found[name].tensor.mul_(factor)
