"""Rectangles of a parameter that this process holds: all of it, or the shards of a DTensor."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributed.tensor import DTensor, Replicate, Shard
from torch.distributed.tensor.placement_types import _StridedShard

from initperf.initializers._parts import Part, whole

Runs = list[tuple[int, int]]
"""Half-open ranges of indices along an axis of the whole, in the order of the shard."""


@dataclass(frozen=True)
class Region:
    """A rectangle of the whole, and where it lies in the local tensor.

    Attributes
    ----------
    part : Part
        The rectangle of the whole.
    place : tuple of slice
        The same rectangle in the local tensor.
    """

    part: Part
    place: tuple[slice, ...]


def local(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor that this process holds."""
    return tensor.detach().to_local() if isinstance(tensor, DTensor) else tensor.detach()


def regions(tensor: torch.Tensor) -> list[Region]:
    """Return what this process holds of a tensor, without communication.

    Parameters
    ----------
    tensor : torch.Tensor
        Plain, or a DTensor with the placements Replicate, Shard and strided shards, on meshes of
        any number of dimensions, even or not.

    Raises
    ------
    ValueError
        For other placements, or a local tensor that has not the shape that they give.
    """
    shape = tuple(tensor.shape)
    if not isinstance(tensor, DTensor):
        return [Region(whole(shape), tuple(map(slice, shape)))]
    coordinate = tensor.device_mesh.get_coordinate()
    if coordinate is None:  # this process is no member of the mesh
        return []
    axes: list[Runs] = [[(0, length)] for length in shape]
    for index, placement in enumerate(tensor.placements):
        count = tensor.device_mesh.size(index)
        if isinstance(placement, Replicate):
            continue
        if not isinstance(placement, (Shard, _StridedShard)):
            raise ValueError(
                f"it is placed as {placement!r}; only shards and replicas can be drawn"
            )
        axis = placement.dim % len(shape)
        axes[axis] = shard(axes[axis], count, coordinate[index], _split_factor(placement))
    held = tuple(local(tensor).shape)
    lengths = tuple(sum(stop - start for start, stop in runs) for runs in axes)
    if math.prod(held) and held != lengths:
        raise ValueError(f"its shard has shape {held}, and its placements give {lengths}")
    return list(_rectangles(shape, axes)) if math.prod(held) else []


def _split_factor(placement: Any) -> int:
    return int(placement.split_factor) if isinstance(placement, _StridedShard) else 1


def shard(runs: Runs, count: int, index: int, split_factor: int = 1) -> Runs:
    """Return what a process holds of an axis after it is cut among the processes of a mesh.

    Parameters
    ----------
    runs : list of (start, stop)
        What lies along the axis.
    count, index : int
        Number of processes, and this one's place among them.
    split_factor : int
        1 for a shard. A strided shard first cuts the axis in so many pieces, and gives each
        process its share of each piece.

    Returns
    -------
    list of (start, stop)
    """
    length = sum(stop - start for start, stop in runs)
    found: Runs = []
    for start, stop in _chunks(0, length, split_factor):
        pieces = _chunks(start, stop, count)
        if index < len(pieces):
            found += _cut(runs, *pieces[index])
    return found


def _chunks(start: int, stop: int, count: int) -> list[tuple[int, int]]:
    """Cut a range as ``torch.chunk`` does: equal pieces, the last ones shorter or left out."""
    size = -(-(stop - start) // count) or 1
    return [(first, min(first + size, stop)) for first in range(start, stop, size)]


def _cut(runs: Runs, first: int, last: int) -> Runs:
    """Return the elements `first` to `last` of joined ranges."""
    found: Runs = []
    done = 0
    for start, stop in runs:
        low, high = max(first - done, 0), min(last - done, stop - start)
        if low < high:
            if found and found[-1][1] == start + low:
                found[-1] = (found[-1][0], start + high)
            else:
                found.append((start + low, start + high))
        done += stop - start
    return found


def _rectangles(shape: tuple[int, ...], axes: list[Runs]) -> Iterator[Region]:
    placed = []
    for runs in axes:
        offsets = itertools.accumulate((stop - start for start, stop in runs), initial=0)
        placed.append(list(zip(runs, offsets, strict=False)))
    for combination in itertools.product(*placed):
        start = tuple(run[0] for run, _ in combination)
        lengths = tuple(run[1] - run[0] for run, _ in combination)
        begins = tuple(begin for _, begin in combination)
        place = tuple(slice(b, b + n) for b, n in zip(begins, lengths, strict=True))
        yield Region(Part(shape, start, lengths), place)
