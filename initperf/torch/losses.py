"""Losses by name, for the command line."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch.nn import functional

from initperf.errors import UsageError
from initperf.torch.signals.calls import tensors

Loss = Callable[[Any], torch.Tensor]


def _cross_entropy(result: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    # classes stand on the last axis, as of language models, or on the second, as of images
    if result.ndim == target.ndim + 1 and result.shape[:-1] == target.shape:
        result, target = result.reshape(-1, result.shape[-1]), target.reshape(-1)
    classes = result.shape[min(1, result.ndim - 1)] if result.ndim else 1
    if target.is_floating_point() and target.shape != result.shape:
        raise UsageError(
            "--loss cross_entropy: y must be integers, the numbers of classes, and holds floats; "
            "values go with --loss mse"
        )
    if not target.is_floating_point() and target.numel() and int(target.max()) >= classes:
        raise UsageError(
            f"--loss cross_entropy: y holds the class {int(target.max())}, and the model's result "
            f"{tuple(result.shape)} has {classes}, from 0"
        )
    return functional.cross_entropy(result, target)


def _check_sizes(name: str, result: torch.Tensor, target: torch.Tensor) -> None:
    """Check that there is a target for each number of a result.

    Parameters
    ----------
    name : str
        Of the loss.
    result, target : torch.Tensor

    Raises
    ------
    UsageError
        Giving both shapes.
    """
    if target.numel() != result.numel():
        classes = not target.is_floating_point() and target.shape == result.shape[:-1]
        hint = "; classes go with --loss cross_entropy" if classes else ""
        raise UsageError(
            f"--loss {name} needs as many targets as the model's result has numbers: it has the "
            f"shape {tuple(result.shape)}, and y {tuple(target.shape)}{hint}"
        )


def _binary_cross_entropy(result: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    _check_sizes("binary_cross_entropy", result, target)
    logits = result.reshape(target.shape)
    return functional.binary_cross_entropy_with_logits(logits, target.to(logits.dtype))


def _mean_square(result: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    _check_sizes("mse", result, target)
    return functional.mse_loss(result, target.to(result.dtype).reshape(result.shape))


LOSSES: Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = MappingProxyType(
    {
        "cross_entropy": _cross_entropy,
        "binary_cross_entropy": _binary_cross_entropy,
        "mse": _mean_square,
    }
)
"""Function of the model's first floating-point result and of the targets, by name."""

OWN = "own"
"""Name of the loss that a model returns itself, as an entry or attribute ``loss``."""


def loss_by_name(name: str, target: torch.Tensor | None) -> Loss:
    """Return a loss as a function of what a model returns.

    Parameters
    ----------
    name : str
        One of `LOSSES`, or `OWN`.
    target : torch.Tensor or None
        What `LOSSES` compare with.

    Raises
    ------
    UsageError
        For a loss that needs targets where there are none.
    """
    if name == OWN:
        return _own
    if target is None:
        raise UsageError(f"--loss {name} needs an array y of targets in the batch")
    chosen = LOSSES[name]

    def loss(result: Any) -> torch.Tensor:
        return chosen(next(x for x in tensors(result) if x.is_floating_point()), target)

    return loss


def _own(result: Any) -> torch.Tensor:
    found = result.get("loss") if isinstance(result, Mapping) else getattr(result, "loss", None)
    if not isinstance(found, torch.Tensor):
        raise UsageError("--loss own: what the model returns has no tensor loss")
    return found
