"""Recorder of every operation of a forward pass, and of the gradients of their results."""

import math
from collections import Counter
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

_MAKERS = ("empty", "new_", "zeros", "ones", "full", "rand", "normal", "bernoulli")
"""Beginnings of the names of operations whose results carry no signal."""

_COPIES = ("clone", "detach", "unsafe_")
"""Beginnings of the names of operations that return the values of an operand."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Moments and range of the elements of one tensor, non-finite ones included.

    Attributes
    ----------
    elements : int
        Number of elements.
    dtype : str
        ``"float32"`` and so on.
    mean, second_moment : float
        Averages of x and x² over all elements, accumulated in float64.
    zeros, nonfinite : float
        Shares of elements that are exactly 0, and infinite or NaN, in [0, 1].
    largest : float
        Largest magnitude; NaN when an element is.
    range_share : float
        `largest` divided by the largest number of the dtype.
    """

    elements: int
    dtype: str
    mean: float
    second_moment: float
    zeros: float
    nonfinite: float
    largest: float
    range_share: float


def measure(x: torch.Tensor) -> Measured:
    """Return the statistics of a floating-point tensor with elements; nothing is copied."""
    x = x.detach()
    count = x.numel()
    low, high = (float(bound) for bound in torch.aminmax(x))
    largest = math.nan if math.isnan(low) else max(-low, high)
    nonfinite = 0.0
    if not math.isfinite(largest):
        nonfinite = 1.0 - int(torch.isfinite(x).sum()) / count
    return Measured(
        elements=count,
        dtype=str(x.dtype).removeprefix("torch."),
        mean=float(x.mean(dtype=torch.float64)),
        second_moment=_square(x),
        zeros=1.0 - int(torch.count_nonzero(x)) / count,
        nonfinite=nonfinite,
        largest=largest,
        range_share=largest / torch.finfo(x.dtype).max,
    )


def _square(x: torch.Tensor) -> float:
    norm = float(torch.linalg.vector_norm(x, dtype=torch.float64))
    return norm * norm / int(x.numel())


@dataclass(frozen=True, slots=True)
class Row:
    """Statistics of one operation in one direction.

    Attributes
    ----------
    name : str
        Path of the module and, but for the first operation of a module without children, the
        operation: ``"blocks.3.fc"``, ``"blocks.3: add"``. Later calls end in ``" (2)"`` and so on.
    operation : str
        PyTorch's name of the operation: ``"addmm"``. Of a parameter's gradient, ``"parameter"``.
    seed : int
        Seed of the run.
    direction : str
        ``"forward"`` for the result; ``"backward"`` for the gradient with respect to it;
        ``"parameter"`` for that with respect to a parameter.
    measured : Measured
        The statistics.
    gain : float
        Of an operation with a weight, forward: root mean square of the result divided by that of
        the operand that is no parameter. NaN otherwise.
    """

    name: str
    operation: str
    seed: int
    direction: str
    measured: Measured
    gain: float = math.nan

    @property
    def weighted(self) -> bool:
        """Return whether a weight multiplies a signal here."""
        return not math.isnan(self.gain)


class Recorder(TorchDispatchMode):  # type: ignore[misc]
    """Context that records the operations of a model's forward pass.

    It sees operations where PyTorch dispatches them to kernels, so functional, in-place and
    scripted ones too. Views and copies of another result, and what is computed from parameters
    alone, are left out; of an operation with several results, the first is recorded.

    Attributes
    ----------
    rows : list of Row
        In the order of execution; `follow` adds the gradients.

    Parameters
    ----------
    model : torch.nn.Module
        The model, whose modules give the names.
    seed : int
        Seed of the run, for the rows.
    """

    def __init__(self, model: nn.Module, seed: int) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._seed = seed
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._held = {
            tensor.untyped_storage().data_ptr()
            for tensor in (*model.parameters(), *model.buffers())
            if tensor.layout == torch.strided
        }
        self._calls: list[tuple[nn.Module, bool]] = []
        self._counts: Counter[str] = Counter()
        self._nodes: dict[int, Row] = {}
        self._newest = -1
        self._handles: list[Any] = []

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

    def _begin(self, module: nn.Module, arguments: Any) -> None:
        self._calls.append((module, False))

    def _end(self, module: nn.Module, arguments: Any, result: Any) -> None:
        self._calls.pop()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and record its first result."""
        operands = [x for x in tensors((args, kwargs or {})) if x.is_floating_point()]
        own = [x.untyped_storage().data_ptr() in self._held for x in operands if _dense(x)]
        weighted = any(own) and not all(own)
        power = math.nan
        operation = function._schema.name.rpartition("::")[2].strip("_")
        if weighted and operation in ("addmm", "mm", "bmm", "convolution", "linear"):
            signal = next(x for x, held in zip(operands, own, strict=True) if not held)
            power = _square(signal) if signal.numel() else math.nan
        result = function(*args, **(kwargs or {}))
        nodes = range(self._newest + 1, _newest_node() + 1)
        self._newest = nodes.stop - 1
        first = next((x for x in tensors(result) if x.is_floating_point()), None)
        returned = function._schema.returns
        view = bool(returned) and returned[0].alias_info and not returned[0].alias_info.is_write
        signal_free = not own or (all(own) and "embedding" not in operation)
        if view or signal_free or operation.startswith(_MAKERS + _COPIES):
            return result
        if first is None or not _dense(first) or first.numel() == 0:
            return result
        measured = measure(first)
        gain = math.sqrt(measured.second_moment / power) if power > 0.0 else math.nan
        name = self._name(operation)
        row = Row(name, operation, self._seed, "forward", measured, gain)
        self.rows.append(row)
        self._nodes.update(dict.fromkeys(nodes, row))
        return result

    def _name(self, operation: str) -> str:
        path, plain = "", False
        for i, (module, named) in enumerate(self._calls):
            if id(module) in self._paths:
                path = self._paths[id(module)]
                plain = bool(path) and not module._modules and not named
                if plain and i == len(self._calls) - 1:
                    self._calls[i] = (module, True)
        name = path if plain else f"{path}: {operation}" if path else operation
        self._counts[name] += 1
        return name if self._counts[name] == 1 else f"{name} ({self._counts[name]})"

    def follow(self, results: Iterable[torch.Tensor]) -> None:
        """Record gradients as soon as they reach the operations that have been recorded.

        PyTorch numbers the nodes of its graph of gradients as it makes them; that number joins a
        node to the operation during which it was made.

        Parameters
        ----------
        results : iterable of torch.Tensor
            What the gradients begin at.
        """
        for node in _graph([x.grad_fn for x in results]):
            row = self._nodes.get(node._sequence_nr())
            if row is not None:
                node.register_prehook(self._hook(row))

    def _hook(self, row: Row) -> Any:
        def record(gradients: Sequence[torch.Tensor | None]) -> None:
            gradient = gradients[0]
            if gradient is not None and _dense(gradient) and gradient.numel():
                self.rows.append(
                    replace(row, direction="backward", measured=measure(gradient), gain=row.gain)
                )

        return record


def _newest_node() -> int:
    return int(torch.autograd._get_sequence_nr()) - 1


def _dense(x: torch.Tensor) -> bool:
    return x.layout == torch.strided and not x.is_quantized and x.device.type != "meta"


def _graph(waiting: list[Any]) -> Iterator[Any]:
    seen = set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting.extend(following for following, _ in node.next_functions)


def tensors(found: Any) -> Iterator[torch.Tensor]:
    """Visit the tensors in nested tuples, lists and mappings."""
    if isinstance(found, torch.Tensor):
        yield found
    elif isinstance(found, dict):
        for each in found.values():
            yield from tensors(each)
    elif isinstance(found, (tuple, list)):
        for each in found:
            yield from tensors(each)
