"""Files of safetensors, written a tensor at a time.

The library writes a file at once, from tensors that all exist. So it writes one of zeros first, the
memory of which is never touched, and thereby decides about header and order; then each tensor is
drawn into one piece of memory, that of the largest, and takes its place. The disk is written twice.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch


@dataclass(frozen=True)
class Entry:
    """A tensor of a file.

    Attributes
    ----------
    shape : tuple of int
    dtype : torch.dtype
    fill : callable
        Sets the values of a tensor of this shape and dtype; called when it is written.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    fill: Callable[[torch.Tensor], object]

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
    from safetensors import TensorSpec, safe_open, serialize_file

    largest = max((entry.size for entry in entries.values()), default=0)
    # pages of zeros that nobody writes take no memory; all tensors of the first file lie there
    zeros = np.zeros(largest, np.uint8)
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
    memory = torch.empty(largest, dtype=torch.uint8)
    with open(path, "r+b") as out:
        for name in order:
            entry = entries[name]
            own = memory[: entry.size]
            entry.fill(own.view(entry.dtype).view(entry.shape))
            out.seek(place)
            out.write(memoryview(own.numpy()))
            place += entry.size
