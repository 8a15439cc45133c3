"""Context that records the graph of a forward pass, and may scale weights as they are used."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from initperf.torch.fixing.graph import Node, Use
from initperf.torch.fixing.operations import (
    COPIES,
    LOOKUPS,
    MAKERS,
    NORMALIZING,
    RECTIFIERS,
    WEIGHTED,
    address_of,
    again,
    bias_of,
    carries,
    gain_of,
    is_view,
    moments,
    name_of,
    named_arguments,
    power_of,
    replayed,
    silenced_units,
    unit_axis,
)
from initperf.torch.parameters import Parameter, parameters
from initperf.torch.signals.calls import tensors

Decide = Callable[[Use, "Pass"], float]

_TRIES = 4
"""Rescalings of one weight at one operation; the second is needed where the first overflowed."""


@dataclass(frozen=True)
class Held:
    """A parameter as a pass knows it.

    Attributes
    ----------
    parameter : Parameter
    copies : tuple of torch.Tensor
        Copies of its values in another dtype, made in this pass.
    """

    parameter: Parameter
    copies: tuple[torch.Tensor, ...] = ()


class Pass(TorchDispatchMode):  # type: ignore[misc]
    """Context that records the graph of a forward pass, and may scale weights as they are used.

    Attributes
    ----------
    nodes : list of Node
        In the order of execution.
    factors : dict of str to float
        By what weights were multiplied.
    obstacles : dict of str to str
        Why a weight cannot be scaled, by its name.

    Parameters
    ----------
    model : torch.nn.Module
    decide : callable, optional
        From a use, and this context, to the factor by which to multiply its weight; the operation
        is then repeated with the new weight.
    """

    def __init__(self, model: nn.Module, decide: Decide | None = None) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.factors: dict[str, float] = {}
        self.obstacles: dict[str, str] = {}
        self._decide = decide
        self._places: dict[int, int] = {}
        self._parameters = {each.name: each for each in parameters(model) if each.tensor.numel()}
        self._held = {address_of(each.tensor): Held(each) for each in self._parameters.values()}
        self._constants = {address_of(buffer) for buffer in model.buffers()}
        self._computed: dict[int, tuple[str, ...]] = {}
        self._calls: Counter[str] = Counter()
        # kept, so that no address of a tensor that is known is given to another one
        self._alive: list[torch.Tensor] = []

    def moment(self, place: int) -> float | None:
        """Return the second moment of a node, or None where there is none yet."""
        return self.nodes[place].second_moment if place < len(self.nodes) else None

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and record it."""
        named = named_arguments(function, args, kwargs or {})
        operands = [x for x in tensors(list(named.values())) if carries(x)]
        # before it is run, as it may write to its operand
        silenced = self._silenced(function, operands)
        result = function(*args, **(kwargs or {}))
        results = [x for x in tensors(result) if carries(x)]
        if not results or is_view(function):
            return result
        operation = name_of(function)
        self._alive += results
        if operation in COPIES and len(operands) == 1 and self._copied(operands[0], results[0]):
            return result
        if operation not in LOOKUPS and self._from_parameters(operands, results):
            return result
        weight = self._weight(operation, operands)
        if weight is None:
            self._add(function, named, operands, results, silenced)
            return result
        return self._multiplied(function, operation, named, weight, result)

    def _copied(self, operand: torch.Tensor, result: torch.Tensor) -> bool:
        """Take a copy for what it is a copy of; return whether it is one of something known."""
        source, address = address_of(operand), address_of(result)
        if source in self._held:
            held = self._held[source]
            if result.numel() == held.parameter.tensor.numel() and address != source:
                self._held[address] = Held(held.parameter, (*held.copies, result))
            return True
        if source in self._places:
            self._places[address] = self._places[source]
            return True
        return False

    def _from_parameters(
        self, operands: Sequence[torch.Tensor], results: Sequence[torch.Tensor]
    ) -> bool:
        """Note what is computed from parameters alone; return whether it is."""
        names: list[str] = []
        for x in operands:
            address = address_of(x)
            if address in self._held:
                names.append(self._held[address].parameter.name)
            elif address in self._computed:
                names += self._computed[address]
            else:
                return False
        if not names:
            return False
        for x in results:
            self._computed[address_of(x)] = tuple(dict.fromkeys(names))
            self._places.pop(address_of(x), None)
        return True

    def _weight(self, operation: str, operands: Sequence[torch.Tensor]) -> torch.Tensor | None:
        """Return the operand that is a weight of a kind that can be scaled."""
        lookup = operation in LOOKUPS
        for x in operands:
            address = address_of(x)
            if address in self._computed and operation in WEIGHTED and x.ndim > 1:
                for name in self._computed[address]:
                    self.obstacles.setdefault(
                        name, "the model computes the weight that it uses from it"
                    )
            if address not in self._held or x.ndim < 2:
                continue
            held = self._held[address].parameter
            if operation in WEIGHTED:
                if lookup or held.tensor.ndim > 1:
                    return x
            elif held.role == "weight":
                self.obstacles.setdefault(
                    held.name, f"there is no rule for the operation {operation}, which uses it"
                )
        return None

    def _multiplied(
        self,
        function: Any,
        operation: str,
        named: dict[str, Any],
        weight: torch.Tensor,
        result: Any,
    ) -> Any:
        """Record an operation with a weight and, if that is decided, scale the weight."""
        held = self._held[address_of(weight)]
        name = held.parameter.name
        bias = bias_of(operation, named)
        signals = [
            x
            for x in tensors(list(named.values()))
            if carries(x) and x is not weight and x is not bias
        ]
        places = tuple(self._place(x) for x in signals)
        call = self._calls[name]
        self._calls[name] += 1
        for _ in range(_TRIES):
            use = Use(
                weight=name,
                call=call,
                lookup=operation in LOOKUPS,
                gain=gain_of(function, operation, named, weight),
                power=power_of(operation, next(tensors(result)), bias),
                bias=self._name_of(bias),
            )
            factor = self._factor(use, places)
            if factor == 1.0:
                break
            self._scale(held, factor)
            result = again(function, named)
        outcome = next(x for x in tensors(result) if carries(x))
        self._alive.append(outcome)
        self._record(outcome, Node(operation, places, *moments(outcome), use=use, bias=use.bias))
        return result

    def _factor(self, use: Use, places: tuple[int, ...]) -> float:
        """Return the factor that is decided; what overflowed is decided by its expectation."""
        if self._decide is None:
            return 1.0
        if not math.isfinite(use.power) and places:
            reaching = self.nodes[places[0]].second_moment
            use = replace(use, power=use.gain * reaching)
        return self._decide(use, self)

    def _scale(self, held: Held, factor: float) -> None:
        name = held.parameter.name
        with torch.no_grad():
            for tensor in (held.parameter.tensor, *held.copies):
                tensor.mul_(factor)
        torch.autograd.graph.increment_version(held.parameter.tensor)
        self.factors[name] = self.factors.get(name, 1.0) * factor

    def _add(
        self,
        function: Any,
        named: dict[str, Any],
        operands: Sequence[torch.Tensor],
        results: Sequence[torch.Tensor],
        silenced: torch.Tensor | None,
    ) -> None:
        """Record an operation without a weight."""
        operation = name_of(function)
        places = tuple(self._place(x) for x in operands)
        if operation.startswith(MAKERS) or self._constant(places):
            self._record(results[0], Node("constant", (), *moments(results[0])))
            return
        replay = None
        if torch.Tag.pointwise in function.tags and operands:
            replay = replayed(function, named, operands)
        # in evaluation, batch normalization multiplies by constants
        batch = "batch_norm" in operation and bool(named.get("training"))
        node = Node(
            operation,
            places,
            *moments(results[0]),
            silenced=silenced,
            bias=self._name_of(bias_of(operation, named)),
            normalizes=batch or operation in NORMALIZING,
            replay=replay,
        )
        for x in results:
            self._record(x, node)

    def _silenced(self, function: Any, operands: Sequence[torch.Tensor]) -> torch.Tensor | None:
        """Return which units a rectifier is about to silence because of their bias."""
        if name_of(function) not in RECTIFIERS or not operands:
            return None
        place = self._places.get(address_of(operands[0]))
        before = None if place is None else self.nodes[place]
        if before is None or before.bias is None:
            return None
        bias = self._parameters[before.bias].tensor
        return silenced_units(operands[0], bias, unit_axis(before.operation))

    def _name_of(self, x: torch.Tensor | None) -> str | None:
        """Return the name of a parameter."""
        held = None if x is None else self._held.get(address_of(x))
        return None if held is None else held.parameter.name

    def _constant(self, places: Sequence[int]) -> bool:
        return bool(places) and all(self.nodes[x].operation == "constant" for x in places)

    def _record(self, x: torch.Tensor, node: Node) -> None:
        if not self.nodes or self.nodes[-1] is not node:
            self.nodes.append(node)
        self._places[address_of(x)] = len(self.nodes) - 1
        self._computed.pop(address_of(x), None)

    def _place(self, x: torch.Tensor) -> int:
        """Return the place of a tensor's node, which is made for one from outside."""
        address = address_of(x)
        if address not in self._places:
            constant = (
                address in self._held or address in self._constants or address in self._computed
            )
            kind = "constant" if constant else "input"
            self.nodes.append(Node(kind, (), *moments(x)))
            self._places[address] = len(self.nodes) - 1
            self._alive.append(x)
        return self._places[address]
