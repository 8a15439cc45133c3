"""Advice to Linux to back large new tensors by huge pages.

The first write to a page of 4 KiB costs a fault, and 16 million values of bfloat16 lie on 8,000 of
them: as much time as the draw. Where the kernel's setting is ``madvise``, as most distributions
have it, pages of 2 MiB are given to those who ask.
"""

import ctypes
import functools
import sys

import torch

HUGE = 1 << 21
_MADV_HUGEPAGE = 14


def whole_pages(start: int, size: int) -> tuple[int, int]:
    """Return the address and the size of the huge pages that lie within a range of bytes."""
    first = -(-start // HUGE) * HUGE
    return first, max(0, (start + size - first) // HUGE * HUGE)


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def advise(tensor: torch.Tensor) -> None:
    """Ask for huge pages for a new tensor on the CPU that nobody has written; never fails."""
    if not sys.platform.startswith("linux") or tensor.device.type != "cpu":
        return
    first, size = whole_pages(tensor.data_ptr(), tensor.nbytes)
    if size:
        # advice: a kernel without huge pages refuses it, and nothing is lost
        _library().madvise(ctypes.c_void_p(first), ctypes.c_size_t(size), _MADV_HUGEPAGE)
