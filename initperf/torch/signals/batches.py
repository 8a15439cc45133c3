"""Batches as a model takes them: copies, names of tensors, and the call itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn


def copied(batch: Any) -> Any:
    """Return a batch with its tensors copied, as a model may write to its input.

    Parameters
    ----------
    batch : torch.Tensor, tuple, list, mapping or any other
        Nested; what is no tensor stays as it is.
    """
    if isinstance(batch, torch.Tensor):
        return batch.detach().clone()
    if isinstance(batch, Mapping):
        return {name: copied(each) for name, each in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(copied, batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(map(copied, batch))
    return batch


def named_tensors(batch: Any) -> dict[str, torch.Tensor]:
    """Return the tensors of a batch by the names that a check gives them.

    Parameters
    ----------
    batch : as `copied` takes it
        A single tensor is ``"input"``; of several, ``"input 0"`` or ``"input: mask"``.
    """
    if isinstance(batch, torch.Tensor):
        return {"input": batch}
    found = dict(_leaves(batch, "input"))
    if len(found) == 1 and not isinstance(batch, Mapping):
        return {"input": next(iter(found.values()))}
    return found


def _leaves(batch: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(batch, torch.Tensor):
        yield name, batch
    elif isinstance(batch, Mapping):
        for key, each in batch.items():
            yield from _leaves(each, f"{name}: {key}")
    elif isinstance(batch, (tuple, list)):
        for number, each in enumerate(batch):
            yield from _leaves(each, f"{name} {number}")


def forward(model: nn.Module, batch: Any) -> Any:
    """Return what a model returns for a batch.

    Parameters
    ----------
    model : torch.nn.Module
    batch : torch.Tensor, tuple, list or mapping
        A tuple or list is unpacked, a mapping gives keywords.
    """
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(*batch) if isinstance(batch, (tuple, list)) else model(batch)
