"""Files of safetensors, written a tensor at a time.

The library writes a file at once, from tensors that all exist. So it writes one of zeros first, the
memory of which is never touched, and thereby decides about header and order; then each tensor is
drawn and takes its place. Disks are written twice, and memory holds the largest tensor, not all.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import TensorSpec, safe_open, serialize_file


@dataclass(frozen=True)
class Entry:
    """A tensor of a file.

    Attributes
    ----------
    shape : tuple of int
    dtype : torch.dtype
    value : callable
        Returns the tensor, on the CPU; called when it is written, and the result dropped then.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    value: Callable[[], torch.Tensor]

    @property
    def size(self) -> int:
        """Return its length in bytes."""
        return math.prod(self.shape) * int(self.dtype.itemsize)


def write_file(entries: Mapping[str, Entry], path: Path) -> None:
    """Write tensors into a file, each of which is made when it is written.

    Parameters
    ----------
    entries : mapping of str to Entry
        By name.
    path : pathlib.Path
        The file; what it holds before is lost.

    Raises
    ------
    OSError
        When the file cannot be written.
    safetensors.SafetensorError
        Likewise, by the library.
    """
    # pages of zeros that nobody writes take no memory, and all tensors of the first file are there
    zeros = np.zeros(max((entry.size for entry in entries.values()), default=0), np.uint8)
    specifications = {
        name: TensorSpec(
            dtype=str(entry.dtype).removeprefix("torch."),
            shape=entry.shape,
            data_ptr=zeros.ctypes.data,
            data_len=entry.size,
        )
        for name, entry in entries.items()
    }
    serialize_file(specifications, path, metadata={"format": "pt"})
    del zeros
    with safe_open(path, framework="pt") as file:
        order = file.offset_keys()
    # The format has the data last and without gaps.
    place = path.stat().st_size - sum(entry.size for entry in entries.values())
    with open(path, "r+b") as out:
        for name in order:
            out.seek(place)
            out.write(_bytes(entries[name].value()))
            place += entries[name].size


def _bytes(tensor: torch.Tensor) -> memoryview:
    """Return the memory of a tensor, in C order."""
    flat = tensor.detach().contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy())
