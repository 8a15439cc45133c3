"""Calls of a model with a batch, which stays as it is."""

from typing import Any

import torch
from torch import nn


def call(model: nn.Module, batch: Any) -> Any:
    """Return what a model gives for a batch.

    Parameters
    ----------
    model : torch.nn.Module
    batch : torch.Tensor, tuple, list or dict
        Arguments of the model: a tuple or list is unpacked, a dict gives keywords. Tensors are
        copied, as a model may write to its input.
    """
    given = copied(batch)
    if isinstance(given, dict):
        return model(**given)
    return model(*given) if isinstance(given, (tuple, list)) else model(given)


def copied(batch: Any) -> Any:
    """Return a batch with its tensors copied."""
    if isinstance(batch, torch.Tensor):
        return batch.detach().clone()
    if isinstance(batch, dict):
        return {name: copied(each) for name, each in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(map(copied, batch))
    return batch
