"""Writes of drawn values to tensors of every dtype and layout, shards, and other devices."""

import math

import numpy as np
import torch

from initperf._core.keys import Key
from initperf._core.source import Source
from initperf.initializers import Independent
from initperf.initializers._parts import Part, Store, fill_part
from initperf.torch.pieces import Piece
from initperf.torch.shards import Region, local, regions

FORMATS = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.bfloat16: "bfloat16",
    torch.float16: "float16",
}
_STAGED = 1 << 22
"""Values drawn on the CPU before they are copied to another device."""


def write(
    tensor: torch.Tensor, pieces: tuple[Piece, ...], key: Key, *, staged: bool = False
) -> None:
    """Draw the values of a checked tensor, or of this process's shard of it, in place.

    Parameters
    ----------
    tensor : torch.Tensor
        Checked by `initperf.torch.checks.check`.
    pieces : tuple of Piece
        Drawn one after another.
    key : Key
    staged : bool
        Draw blocks in memory of the CPU and copy them, as other devices need: the same bits.
    """
    target = local(tensor)
    if target.numel() == 0:
        return
    held = regions(tensor)
    for piece in pieces:
        for region in held:
            cut = intersect(piece.part, region)
            if cut is None:
                continue
            if staged or target.device.type != "cpu":
                _write_staged(target[cut.place], piece, cut.part, key)
            else:
                write_part(target[cut.place], piece, cut.part, key)
    if not tensor.is_inference():
        torch.autograd.graph.increment_version(tensor)


def array_of(tensor: torch.Tensor) -> np.ndarray:
    """Return the memory of a CPU tensor as NumPy sees it, two-byte floats as uint16."""
    rounded = FORMATS[tensor.dtype] in ("bfloat16", "float16")
    array: np.ndarray = (tensor.view(torch.uint16) if rounded else tensor).numpy()
    return array


def intersect(part: Part, region: Region) -> Region | None:
    """Return what of a rectangle lies in a region; None for nothing."""
    start, lengths, place = [], [], []
    held, where = region.part, region.place
    for i, first in enumerate(part.start):
        low = max(first, held.start[i])
        high = min(first + part.lengths[i], held.start[i] + held.lengths[i])
        if low >= high:
            return None
        begin = where[i].start or 0
        start.append(low)
        lengths.append(high - low)
        place.append(slice(begin + low - held.start[i], begin + high - held.start[i]))
    return Region(Part(part.shape, tuple(start), tuple(lengths)), tuple(place))


def write_part(target: torch.Tensor, piece: Piece, part: Part, key: Key) -> None:
    """Draw a rectangle of a piece into a tensor on the CPU, of the rectangle's shape.

    Parameters
    ----------
    target : torch.Tensor
        Any strides.
    piece : Piece
    part : Part
        A rectangle of the whole parameter, within the piece.
    key : Key
    """
    out, store = array_of(target), Store(FORMATS[target.dtype])
    source = Source.checked(math.prod(part.shape), rng=key, stream=piece.stream)
    distribution = piece.distribution
    if distribution is not None:
        fill_part(distribution, out, part, source, store)
        return
    if part == piece.part and not store.rounded:
        piece.rule.draw_into(out, source)
        return
    drawn = np.empty(piece.matrix, store.exact)
    piece.rule.draw_into(drawn, source)
    inside = tuple(
        slice(first - begin, first - begin + length)
        for first, begin, length in zip(part.start, piece.part.start, part.lengths, strict=True)
    )
    store.put(np.ascontiguousarray(drawn[inside]), out)


def _write_staged(target: torch.Tensor, piece: Piece, part: Part, key: Key) -> None:
    """Draw rows on the CPU, a block at a time, and copy each block."""
    if target.ndim == 0 or not isinstance(piece.rule, Independent):
        buffer = torch.empty(target.shape, dtype=target.dtype)
        write_part(buffer, piece, part, key)
        target.copy_(buffer)
        return
    rows = max(1, _STAGED // max(1, math.prod(part.lengths[1:])))
    for first in range(0, part.lengths[0], rows):
        count = min(rows, part.lengths[0] - first)
        block = Part(
            part.shape, (part.start[0] + first, *part.start[1:]), (count, *part.lengths[1:])
        )
        buffer = torch.empty((count, *target.shape[1:]), dtype=target.dtype)
        write_part(buffer, piece, block, key)
        target[first : first + count].copy_(buffer)
