"""Recorder of every operation of a forward pass, and of the gradients of their results."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode

from initperf.torch.parameters import RECURRENT
from initperf.torch.signals.calls import (
    Call,
    call_of,
    is_in_place,
    is_view,
    root_mean_square,
    tensors,
)
from initperf.torch.signals.classify import Classifier
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.initial_loss import LossCall, loss_call
from initperf.torch.signals.layout import measurable
from initperf.torch.signals.measuring import measure
from initperf.torch.signals.nonlinearities import activation_of_module, saturated_beyond
from initperf.torch.signals.operation_names import Place, module_paths
from initperf.torch.signals.origins import NOWHERE, Origin, Origins
from initperf.torch.signals.scores import ScoreSpread, spread_of_fused, spread_of_softmax
from initperf.torch.signals.statistics import Statistics
from initperf.torch.signals.trimming import trim

_MAKERS = ("empty", "new_", "zeros", "ones", "full", "rand", "normal", "bernoulli", "uniform")
"""Beginnings of the names of operations whose results carry no signal."""

_COPIES = (
    "alias",
    "clone",
    "detach",
    "lift_fresh",
    "reshape_copy",
    "to_copy",
    "unsafe_",
    "view_copy",
)
"""Beginnings of the names of operations that return the values of an operand."""

_HELD = 0.1
"""Share of all results that freed gradients may amount to before their memory is given back."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """Statistics of the gradient with respect to one operation's result.

    Attributes
    ----------
    index : int
        Of the operation.
    direction : str
        ``"loss"`` or ``"cotangent"``.
    statistics : Statistics
    """

    index: int
    direction: str
    statistics: Statistics


class Recorder(TorchDispatchMode):  # type: ignore[misc]
    """Context that records the operations of a model's forward pass.

    It sees operations where PyTorch dispatches them to kernels, so functional, in-place and
    scripted ones too. Views and copies of another result, and what is computed from parameters
    alone, are looked through; of an operation with several results, the first is measured.

    Parameters
    ----------
    model : torch.nn.Module
        The model, whose modules and parameters give the names.

    Attributes
    ----------
    statistics : list of Statistics
        Of results, by the index of their operations.
    gains : list of float
        Of results, see `initperf.torch.signals.statistics.Measurement`.
    weights : dict of int to tuple of float
        Mean and second moment of the weight that an operation reads, as it reads it.
    places : list of Place
        Where each operation ran.
    gradients : list of Gradient
        In the order in which they are computed; `follow` adds them.
    spreads : list of ScoreSpread
        Of attention scores.
    losses : list of LossCall
        In the order of execution.
    detached : set of int
        Operations whose results are cut off from gradients.
    direction : str
        Direction of the gradients that come next.
    samples : int
        Number of samples of the batch.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.statistics: list[Statistics] = []
        self.gains: list[float] = []
        self.weights: dict[int, tuple[float, float]] = {}
        self.places: list[Place] = []
        self.gradients: list[Gradient] = []
        self.spreads: list[ScoreSpread] = []
        self.losses: list[LossCall] = []
        self.detached: set[int] = set()
        self.direction = ""
        self.samples = 1
        self._paths = module_paths(model)
        recurrent = [module for module in model.modules() if isinstance(module, RECURRENT)]
        self._classifier = Classifier({self._paths[id(module)] for module in recurrent})
        self._origins = Origins()
        self._held: dict[int, torch.Tensor] = {}
        for name, parameter in model.named_parameters():
            if parameter.layout == torch.strided and parameter.device.type != "meta":
                self._origins.put(parameter, Origin(parameters=(name,)))
                self._held[parameter.untyped_storage()._cdata] = parameter
        self._copies: dict[int, torch.Tensor] = {}
        self._differentiable: set[int] = set()
        self._bytes = self._freed = 0
        self._weights: dict[tuple[int, ...], tuple[float, float]] = {}
        self._calls: list[tuple[nn.Module, int, tuple[int, ...]]] = []
        self._numbers = itertools.count()
        self._nodes: dict[int, int] = {}
        self._newest = -1
        self._handles: list[Any] = []

    @property
    def operations(self) -> list[Operation]:
        """Return the operations, without names."""
        return self._classifier.operations

    def __enter__(self) -> "Recorder":
        self._newest = _newest_node()
        self._handles = [
            register_module_forward_pre_hook(self._begin),
            register_module_forward_hook(self._end, always_call=True),
        ]
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        for handle in self._handles:
            handle.remove()
        with torch.no_grad():
            for number, copy in self._copies.items():
                self._held[number].data.copy_(copy)

    def start(self, batch: dict[str, torch.Tensor]) -> None:
        """Record the tensors of the batch, before the model runs.

        Parameters
        ----------
        batch : dict of torch.Tensor
            By name.
        """
        sizes = [len(x) for x in batch.values() if x.ndim]
        self.samples = sizes[0] if sizes else 1
        for name, x in batch.items():
            if measurable(x):
                operation = self._classifier.start(name, x.shape)
                self._origins.put(x, Origin((operation.index,)))
                self._note(measure(x, samples=self.samples), math.nan, Place("", -1, False))

    def _note(self, statistics: Statistics, gain: float, place: Place) -> None:
        self.statistics.append(statistics)
        self.gains.append(gain)
        self.places.append(place)

    def _begin(self, module: nn.Module, arguments: Any) -> None:
        read = next((x for x in tensors(arguments) if x.is_floating_point()), None)
        origin = NOWHERE if read is None else self._origins.of(read)
        self._calls.append((module, next(self._numbers), origin.operations))

    def _end(self, module: nn.Module, arguments: Any, result: Any) -> None:
        _, number, read = self._calls.pop()
        first = next((x for x in tensors(result) if x.is_floating_point()), None)
        if module._modules or first is None or id(module) not in self._paths:
            return
        own = [i for i in self._origins.of(first).operations if self.places[i].call == number]
        if not own:
            return
        last = own[-1]
        self.places[last] = replace(self.places[last], result=True)
        several = last > 0 and self.places[last - 1].call == number
        if several and read:
            self._summarize(module, last, read)

    def _summarize(self, module: nn.Module, last: int, read: tuple[int, ...]) -> None:
        """Describe the last of several operations as the one that the module stands for."""
        operation, kind = self.operations[last], type(module).__name__
        if "Norm" in kind:
            weight = self._path_of_own(module, "weight")
            epsilon = getattr(module, "eps", getattr(module, "variance_epsilon", 0.0))
            described = replace(
                operation,
                kind="norm",
                parents=read,
                weight=weight,
                epsilon=float(epsilon or 0.0),
                factor=math.nan,
            )
        elif activation := activation_of_module(kind):
            described = replace(operation, kind="activation", parents=read, activation=activation)
        else:
            return
        self.operations[last] = described

    def _path_of_own(self, module: nn.Module, attribute: str) -> str:
        parameter = module._parameters.get(attribute)
        return "" if parameter is None else (self._origins.of(parameter).parameters or ("",))[0]

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and record its first result."""
        given = kwargs or {}
        if is_view(function):
            self._newest = _newest_node()
            return function(*args, **given)
        call = call_of(function, args, given, self._origins)
        self._keep_written(function, args)
        saturated = self._saturated(call)
        power = self._power(call)
        result = function(*args, **given)
        nodes = range(self._newest + 1, _newest_node() + 1)
        self._newest = nodes.stop - 1
        index = self._record(call, result, saturated, power, in_place=is_in_place(function))
        if index is not None:
            self._nodes.update(dict.fromkeys(nodes, index))
        return result

    def _record(
        self, call: Call, result: Any, saturated: float, power: float, *, in_place: bool
    ) -> int | None:
        """Record the result of a call, and return the index of its operation if it is one."""
        found = [x for x in tensors(result) if x.is_floating_point()]
        first = found[0] if found else None
        if first is None or not measurable(first):
            return None
        origin = _joined(call)
        put = self._origins.write if in_place else self._origins.put
        if call.operation.startswith(_COPIES) or call.operation == "copy":
            source = call.operand("src") if call.operation == "copy" else None
            copied = source.origin if source is not None else origin
            for each in found:
                put(each, copied)
            return None
        if call.operation.startswith(_MAKERS):
            return None
        if not origin.operations and not self._looks_up(call):
            if origin.parameters:
                for each in found:
                    put(each, origin)
            return None
        place = self._place()
        operation = self._classifier.add(call, place.path, first)
        self._look_for_cuts(call, operation.index)
        self._bytes += first.nbytes
        for each in found:
            put(each, Origin((operation.index,)))
        statistics = measure(
            first, unit_axis=operation.unit_axis, samples=self.samples, saturated=saturated
        )
        gain = math.nan
        if operation.weighted and power > 0.0:
            gain = statistics.root_mean_square / power
        self._note(statistics, gain, place)
        if operation.weight:
            self.weights[operation.index] = self._weight(call)
        if operation.kind == "softmax":
            self.spreads.extend(spread_of_softmax(call, operation))
        elif operation.kind == "attention" and operation.operation.startswith("scaled"):
            self.spreads.extend(spread_of_fused(call, operation))
        elif operation.kind == "loss":
            called = loss_call(call, operation)
            self.losses.extend([called] if called else [])
        return operation.index

    def index_of(self, x: torch.Tensor) -> int | None:
        """Return the index of the operation whose result a tensor holds; None for no operation."""
        found = self._origins.of(x).operations
        return found[-1] if found else None

    def _looks_up(self, call: Call) -> bool:
        return "embedding" in call.operation and any(each.own for each in call.operands)

    def _power(self, call: Call) -> float:
        """Return the root mean square of the signal that a weight may multiply; else 0."""
        if len(call.signals) != 1 or not any(each.own for each in call.operands):
            return 0.0
        (signal,) = call.signals
        whole = signal.origin.operations
        read = self.operations[whole[-1]]
        if len(whole) == 1 and math.prod(read.shape) == signal.tensor.numel():
            return self.statistics[whole[0]].root_mean_square  # a view or a copy of the result
        return root_mean_square(signal.tensor) if measurable(signal.tensor) else 0.0

    def _weight(self, call: Call) -> tuple[float, float]:
        """Return mean and second moment of the largest operand that holds parameters."""
        weight = max((each.tensor for each in call.operands if each.own), key=torch.Tensor.numel)
        number = weight.untyped_storage()._cdata
        key = number, weight._version, weight.storage_offset(), weight.numel()
        known = self._weights.get(key)
        if known is None:
            found = measure(weight, units=False)
            known = found.mean, found.second_moment
            if number in self._held:
                self._weights[key] = known
        return known

    def _saturated(self, call: Call) -> float:
        """Return the share of saturated elements, before an activation in place overwrites them."""
        name = self._classifier.activation(call)
        if not name or not call.signals:
            return math.nan
        x = call.signals[0].tensor.detach()
        low, high = saturated_beyond(name)
        count = 0
        if low > -math.inf:
            count += int(torch.count_nonzero(x <= low))
        if high < math.inf:
            count += int(torch.count_nonzero(x >= high))
        return count / max(1, int(x.numel()))

    def _keep_written(self, function: Any, args: tuple[Any, ...]) -> None:
        """Copy a parameter before it is written for the first time."""
        for argument, value in zip(function._schema.arguments, args, strict=False):
            written = argument.alias_info is not None and argument.alias_info.is_write
            if written and isinstance(value, torch.Tensor) and value.layout == torch.strided:
                number = value.untyped_storage()._cdata
                if number in self._held and number not in self._copies:
                    self._copies[number] = self._held[number].detach().clone()

    def _look_for_cuts(self, call: Call, index: int) -> None:
        """Note operations whose results take part in gradients, and are read where they do not."""
        if not torch.is_grad_enabled():
            return
        if any(each.tensor.requires_grad for each in call.operands):
            self._differentiable.add(index)
        for each in call.signals:
            if not each.tensor.requires_grad:
                self.detached.update(self._differentiable.intersection(each.origin.operations))

    def _place(self) -> Place:
        path, number = "", -1
        for module, each, _ in self._calls:
            if id(module) in self._paths:
                path, number = self._paths[id(module)], each
        return Place(path, number, False)

    def follow(self, results: Iterable[torch.Tensor]) -> None:
        """Record gradients as soon as they reach the operations that have been recorded.

        PyTorch numbers the nodes of its graph of gradients as it makes them; that number joins a
        node to the operation during which it was made.

        Parameters
        ----------
        results : iterable of torch.Tensor
            What the gradients begin at.
        """
        for node in graph_of(results):
            index = self._nodes.get(node._sequence_nr())
            if index is not None:
                node.register_prehook(self._hook(index))

    def _hook(self, index: int) -> Any:
        def record(gradients: Sequence[torch.Tensor | None]) -> None:
            gradient = next((each for each in gradients if each is not None), None)
            if gradient is not None and measurable(gradient):
                found = measure(gradient, samples=self.samples, units=False)
                self.gradients.append(Gradient(index, self.direction, found))
                self._freed += gradient.nbytes
                if self._freed > _HELD * self._bytes:
                    self._freed = 0
                    trim()

        return record


def _joined(call: Call) -> Origin:
    """Return the origin of a result: the operations that it reads or, without any, parameters."""
    joined = NOWHERE
    for each in call.operands:
        joined |= each.origin
    return Origin(joined.operations) if joined.operations else joined


def _newest_node() -> int:
    return int(torch.autograd._get_sequence_nr()) - 1


def graph_of(results: Iterable[torch.Tensor]) -> Iterator[Any]:
    """Visit the nodes of the graph of gradients that some tensors begin, each once.

    Parameters
    ----------
    results : iterable of torch.Tensor
    """
    waiting = [x.grad_fn for x in results]
    seen = set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting.extend(following for following, _ in node.next_functions)
