"""Truncated normal draws as they are made, to find cuts that remove nothing."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from scipy.special import ndtr
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

_BOUNDS = {"aten::lt": "low", "aten::gt": "high"}
_WATCHED = ("aten::normal_", "aten::uniform_", "aten::erfinv_", *_BOUNDS)


@dataclass(slots=True)
class _Drawn:
    """A draw in one memory, and the bounds that it was compared with.

    Attributes
    ----------
    storage : StorageWeakRef
        Keeps the memory's number from being given to another.
    name : str
        The operation that drew.
    first, second : float
        Mean and standard deviation, or bounds.
    low, high : float
        Bounds; NaN where there are none yet.
    """

    storage: StorageWeakRef
    name: str
    first: float
    second: float
    low: float = math.nan
    high: float = math.nan

    @property
    def share(self) -> float:
        """Return the share that was cut off."""
        if self.name == "aten::uniform_":
            return 1.0 - 0.5 * (self.high - self.low)
        below, above = ((x - self.first) / self.second for x in (self.low, self.high))
        return float(ndtr(below) + ndtr(-above))


class TruncationWatch(TorchDispatchMode):  # type: ignore[misc]
    """Context that notes the share which truncated normal draws cut off.

    PyTorch draws normal numbers and compares them with both bounds; its older versions and timm
    map a uniform number, whose bounds tell the share, by the inverse error function.
    """

    def __init__(self) -> None:
        super().__init__()
        self._drawn: dict[int, _Drawn] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and note what belongs to a truncated draw."""
        name = function._schema.name
        if name in _WATCHED and args[0].layout == torch.strided and not args[0].is_meta:
            self._note(name, args)
        return function(*args, **(kwargs or {}))

    def _note(self, name: str, args: tuple[Any, ...]) -> None:
        storage = args[0].untyped_storage()
        number = storage._cdata
        drawn = self._drawn.get(number)
        if name in ("aten::normal_", "aten::uniform_"):
            first, second = (float(x) for x in (*args[1:], *(0.0, 1.0)[len(args) - 1 :]))
            self._drawn[number] = _Drawn(StorageWeakRef(storage), name, first, second)
        elif drawn is not None and name == "aten::erfinv_" and drawn.name == "aten::uniform_":
            drawn.low, drawn.high = drawn.first, drawn.second
        elif drawn is not None and name in _BOUNDS and drawn.name == "aten::normal_":
            value = args[1]
            if isinstance(value, (int, float)) and math.isnan(getattr(drawn, _BOUNDS[name])):
                setattr(drawn, _BOUNDS[name], float(value))

    def cut(self, model: nn.Module) -> dict[str, float]:
        """Return the share that was cut off, by the name of the parameter.

        Parameters
        ----------
        model : torch.nn.Module
            Made while this context was entered.
        """
        found = {}
        for name, parameter in model.named_parameters():
            if parameter.layout == torch.strided and not parameter.is_meta:
                drawn = self._drawn.get(parameter.untyped_storage()._cdata)
                if drawn is not None and not math.isnan(drawn.low + drawn.high):
                    found[name] = drawn.share
        return found
