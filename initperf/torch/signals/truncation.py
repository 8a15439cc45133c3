"""Truncated normal draws as they are made, to find cuts that remove nothing."""

from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode


class TruncationWatch(TorchDispatchMode):  # type: ignore[misc]
    """Context that notes the share which truncated normal draws cut off.

    PyTorch and timm map a uniform number to a normal one by the inverse error function: the bounds
    of the uniform number tell the share.
    """

    def __init__(self) -> None:
        super().__init__()
        self._uniform: dict[int, tuple[StorageWeakRef, float]] = {}
        self._cut: dict[int, tuple[StorageWeakRef, float]] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and note what belongs to a truncated draw."""
        result = function(*args, **(kwargs or {}))
        name = function._schema.name
        if name in ("aten::uniform_", "aten::erfinv_") and args[0].layout == torch.strided:
            storage = args[0].untyped_storage()
            number = storage._cdata
            if name == "aten::uniform_":
                low, high = (float(each) for each in (*args[1:], *(0.0, 1.0)[len(args) - 1 :]))
                share = 1.0 - 0.5 * (high - low)
                self._uniform[number] = StorageWeakRef(storage), share
            elif number in self._uniform:
                self._cut[number] = self._uniform[number]
        return result

    def cut(self, model: nn.Module) -> dict[str, float]:
        """Return the share that was cut off, by the name of the parameter.

        Parameters
        ----------
        model : torch.nn.Module
            Made while this context was entered.
        """
        found = {}
        for name, parameter in model.named_parameters():
            if parameter.layout == torch.strided and parameter.device.type != "meta":
                share = self._cut.get(parameter.untyped_storage()._cdata)
                if share is not None:
                    found[name] = share[1]
        return found
