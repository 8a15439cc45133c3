"""Origins of tensors: the operations and parameters that the values in a memory come from.

Views share their memory, so that each is as its base. A memory is known as long as it lives: a
weak reference keeps PyTorch from giving its number to another.
"""

from dataclasses import dataclass

import torch
from torch.multiprocessing.reductions import StorageWeakRef


@dataclass(frozen=True, slots=True)
class Origin:
    """What the values in a memory come from.

    Attributes
    ----------
    operations : tuple of int
        Operations whose results they hold; empty where they carry no signal.
    parameters : tuple of str
        Parameters that they are computed from, where they carry no signal.
    """

    operations: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()

    def __or__(self, other: "Origin") -> "Origin":
        operations = dict.fromkeys((*self.operations, *other.operations))
        parameters = dict.fromkeys((*self.parameters, *other.parameters))
        return Origin(tuple(operations), tuple(parameters))


NOWHERE = Origin()
"""Origin of what is computed from neither the batch nor a parameter."""


class Origins:
    """Origin of each memory of a run."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[StorageWeakRef, Origin]] = {}

    def of(self, x: torch.Tensor) -> Origin:
        """Return the origin of a tensor; `NOWHERE` where none was set."""
        storage = _storage(x)
        if storage is None:
            return NOWHERE
        found = self._known.get(storage._cdata)
        return NOWHERE if found is None else found[1]

    def put(self, x: torch.Tensor, origin: Origin) -> None:
        """Set the origin of a tensor and all its views.

        Parameters
        ----------
        x : torch.Tensor
        origin : Origin
        """
        storage = _storage(x)
        if storage is not None:
            self._known[storage._cdata] = StorageWeakRef(storage), origin

    def write(self, x: torch.Tensor, origin: Origin) -> None:
        """Set the origin of a tensor that was written in place, and may be part of a memory.

        Parameters
        ----------
        x : torch.Tensor
        origin : Origin
            Replaces what was there if the tensor fills its memory, and joins it otherwise.
        """
        storage = _storage(x)
        if storage is not None:
            whole = x.numel() * x.element_size() >= storage.nbytes()
            self.put(x, origin if whole else self.of(x) | origin)


def _storage(x: torch.Tensor) -> torch.UntypedStorage | None:
    if x.layout != torch.strided or x.device.type == "meta":
        return None
    return x.untyped_storage()
