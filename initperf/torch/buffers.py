"""Allocation and values of a module's buffers on the device ``meta``, by the module's own means."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn

from initperf.errors import UnsuitableError
from initperf.torch.names import join

Buffers: TypeAlias = Callable[[nn.Module], object]
"""A function that sets the buffers of a module."""

_FILLS = (0, 1)
"""What buffers hold before their module computes them; computed values do not depend on it."""


def allocate_buffers(model: nn.Module, device: torch.device, own: Buffers | None = None) -> None:
    """Replace buffers on ``meta`` by computed ones, or raise and leave all as they were.

    Parameters
    ----------
    model : torch.nn.Module
    device : torch.device
        Where the buffers go.
    own : callable, optional
        As `materialize_` takes it.

    Raises
    ------
    UnsuitableError
        By the names of those that cannot be computed.
    """
    held = {
        (path, module): before
        for path, module in model.named_modules()
        if (before := {n: b for n, b in module._buffers.items() if b is not None and b.is_meta})
    }
    plain = [
        join(path, name)
        for path, module in model.named_modules()
        for name, value in module.__dict__.items()
        if isinstance(value, torch.Tensor) and value.is_meta
    ]
    failed = [f"{name}, an attribute and no buffer" for name in plain]
    try:
        for (path, module), before in held.items():
            failed += [join(path, name) for name in _compute(model, module, before, device, own)]
    except BaseException:
        _restore(held)
        raise
    if failed:
        _restore(held)
        raise UnsuitableError(
            f"cannot compute {', '.join(failed)}: give buffers=, a function that sets the "
            "buffers of a module"
        )


def _restore(held: dict[tuple[str, nn.Module], dict[str, torch.Tensor]]) -> None:
    for (_, module), before in held.items():
        module._buffers.update(before)


def _compute(
    model: nn.Module,
    module: nn.Module,
    before: dict[str, torch.Tensor],
    device: torch.device,
    own: Buffers | None,
) -> list[str]:
    """Compute the buffers of one module; return the names of those that were not written."""
    means = _means(model, module, own)
    if means is None:
        return list(before)
    results = []
    for fill in _FILLS:
        for name, buffer in before.items():
            module._buffers[name] = torch.full_like(buffer, fill, device=device)
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            means(module)
        results.append({name: module._buffers[name] for name in before})
    first, second = results
    return [name for name in before if not _equal(first[name], second[name])]


def _equal(first: torch.Tensor | None, second: torch.Tensor | None) -> bool:
    if first is None or second is None or first.is_meta or second.is_meta:
        return False
    return bool(torch.equal(first, second))


def _means(model: nn.Module, module: nn.Module, own: Buffers | None) -> Buffers | None:
    if own is not None:
        return own
    if hasattr(module, "reset_running_stats"):
        return lambda each: each.reset_running_stats()
    for parent in model.modules():
        if hasattr(parent, "_init_weights") and any(module is each for each in parent.modules()):
            means: Buffers = parent._init_weights
            return means
    return None
