"""Context that records the graph of a forward pass, and may scale weights as they are used."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from initperf.torch.fixing.graph import Node, Use
from initperf.torch.fixing.growth import Growth
from initperf.torch.fixing.operations import (
    COPIES,
    LOOKUPS,
    MAKERS,
    NORMALIZING,
    RECTIFIERS,
    again,
    bias_of,
    carries,
    gain_of,
    moments,
    name_of,
    named_arguments,
    power_of,
    replayed,
    silenced_units,
    unit_axis,
)
from initperf.torch.fixing.owners import Owners, Weight
from initperf.torch.fixing.recurrent import LAYERS, products
from initperf.torch.fixing.scaling import Decide, Scaling
from initperf.torch.signals.calls import is_view, tensors

_TRIES = 4
"""Rescalings of one weight at one operation; the second is needed where the first overflowed."""


class Pass(TorchDispatchMode):  # type: ignore[misc]
    """Context that records the graph of a forward pass, and may scale weights as they are used.

    Parameters
    ----------
    model : torch.nn.Module
    decide : callable, optional
        As `Scaling` takes it; an operation is repeated with its new weight.

    Attributes
    ----------
    owners : Owners
        What parameters are, and why some cannot be scaled.
    """

    def __init__(self, model: nn.Module, decide: Decide | None = None) -> None:
        super().__init__()
        self.owners = Owners(model)
        self._graph = Growth(self.owners)
        self._scaling = Scaling(decide)

    @property
    def nodes(self) -> list[Node]:
        """Return the graph, in the order of execution."""
        return self._graph.nodes

    @property
    def factors(self) -> dict[str, float]:
        """Return by what weights were multiplied."""
        return self._scaling.factors

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
        self._graph.keep(results)
        if operation in COPIES and len(operands) == 1 and self._copied(operands[0], results[0]):
            return result
        if operation not in LOOKUPS and self.owners.add_computed(operands, results):
            self._graph.forget(results)
            return result
        if operation in LAYERS:
            return self._recurred(function, named, result)
        weight = self.owners.weight(operation, operands)
        if weight is None:
            self._add(function, named, operands, results, silenced)
            return result
        return self._multiplied(function, named, weight, result)

    def _copied(self, operand: torch.Tensor, result: torch.Tensor) -> bool:
        """Take a copy for what it is a copy of; return whether it is one of something known."""
        held = self.owners.held(operand)
        if held is not None:
            self.owners.add_copy(held, result)
            return True
        return self._graph.copy(operand, result)

    def _multiplied(
        self,
        function: Any,
        named: dict[str, Any],
        weight: Weight,
        result: Any,
    ) -> Any:
        """Record an operation with a weight and, if that is decided, scale the weight.

        Parameters
        ----------
        function : OpOverload
        named : dict
            Its arguments by name.
        weight : Weight
        result : torch.Tensor or tuple
            What it gave.

        Returns
        -------
        torch.Tensor or tuple
            What it gives with the weight as it then is.
        """
        operation, name = name_of(function), weight.held.parameter.name
        bias = bias_of(operation, named)
        signals = [
            x
            for x in tensors(list(named.values()))
            if carries(x) and x is not weight.operand and x is not bias
        ]
        places = tuple(self._graph.place(x) for x in signals)
        call = self._scaling.call(name)
        for _ in range(_TRIES):
            use = Use(
                weight=name,
                call=call,
                lookup=operation in LOOKUPS,
                gain=gain_of(function, operation, named, weight.operand),
                power=power_of(operation, next(tensors(result)), bias),
                bias=self.owners.name_of(bias),
                recurrent=weight.held.parameter.recurrent,
            )
            factor = self._scaling.factor(use, places, self._graph.moment)
            if factor == 1.0:
                break
            self._scaling.scale(weight.held, factor)
            result = again(function, named)
        outcome = next(x for x in tensors(result) if carries(x))
        self._graph.keep([outcome])
        node = Node(operation, places, *moments(outcome), use=use, bias=use.bias)
        self._graph.put(node, [outcome])
        return result

    def _recurred(self, function: Any, named: dict[str, Any], result: Any) -> Any:
        """Record a recurrent layer: its products, each with its weight, and then its result.

        Parameters
        ----------
        function : OpOverload
        named : dict
            Its arguments by name.
        result : tuple of torch.Tensor
            What it gave.

        Returns
        -------
        tuple of torch.Tensor
            What it gives with the weights as they then are.
        """
        operation, inner, scaled = name_of(function), [], False
        for product in products(named):
            held = self.owners.held(product.weight)
            if held is None:
                self.owners.blame(product.weight)
                continue
            places = () if product.signal is None else (self._graph.place(product.signal),)
            name = held.parameter.name
            use = Use(
                weight=name,
                call=self._scaling.call(name),
                lookup=False,
                gain=product.gain,
                power=product.power,
                bias=None,
                recurrent=held.parameter.recurrent,
            )
            factor = self._scaling.factor(use, places, self._graph.moment)
            if factor != 1.0:
                self._scaling.scale(held, factor)
                scaled, square = True, factor * factor
                use = replace(use, gain=use.gain * square, power=use.power * square)
            inner.append(self._graph.add(Node(operation, places, 0.0, use.power, use=use)))
        outcome = again(function, named) if scaled else result
        results = [x for x in tensors(outcome) if carries(x)]
        self._graph.keep(results)
        # sigmoid and tanh bound what it gives, at any size of its products
        node = Node(operation, tuple(inner), *moments(results[0]), normalizes=True)
        self._graph.put(node, results)
        return outcome

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
        places = tuple(self._graph.place(x) for x in operands)
        if operation.startswith(MAKERS) or self._constant(places):
            self._graph.put(Node("constant", (), *moments(results[0])), results[:1])
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
            bias=self.owners.name_of(bias_of(operation, named)),
            normalizes=batch or operation in NORMALIZING,
            replay=replay,
        )
        self._graph.put(node, results)

    def _silenced(self, function: Any, operands: Sequence[torch.Tensor]) -> torch.Tensor | None:
        """Return which units a rectifier is about to silence because of their bias."""
        if name_of(function) not in RECTIFIERS or not operands:
            return None
        place = self._graph.known(operands[0])
        before = None if place is None else self.nodes[place]
        if before is None or before.bias is None:
            return None
        bias = self.owners.parameters[before.bias].tensor
        return silenced_units(operands[0], bias, unit_axis(before.operation))

    def _constant(self, places: Sequence[int]) -> bool:
        return bool(places) and all(self.nodes[x].constant for x in places)
