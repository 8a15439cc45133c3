"""Allocation and first values of a module that was built on the device ``meta``."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import nn
from torch.distributed.tensor import DTensor

from initperf.errors import UnsuitableError
from initperf.torch.buffers import Buffers, allocate_buffers
from initperf.torch.checks import check, check_model, check_range, key_of
from initperf.torch.draw import TorchRandomSource
from initperf.torch.pages import advise
from initperf.torch.parameters import parameters
from initperf.torch.planned import Plan
from initperf.torch.planning import plan
from initperf.torch.shards import local
from initperf.torch.write import FORMATS, write

Model = TypeVar("Model", bound=nn.Module)


def materialize_(
    model: Model,
    recipe: Any,
    *,
    rng: TorchRandomSource = None,
    dtype: torch.dtype | None = None,
    device: str | torch.device = "cpu",
    buffers: Buffers | None = None,
    streams: str = "name",
    keep: str | Sequence[str] = (),
    **options: Any,
) -> Model:
    """Allocate the parameters and buffers of a module on ``meta``, and give them first values.

    Parameters are drawn by the recipe as `init_` draws them, the same bits. Buffers are computed
    by the module's own means: ``reset_running_stats`` of normalizations, ``_init_weights`` of
    transformers, or `buffers`. Each is computed twice, from memory that holds zeros and ones, and
    both results must agree, so that no value is left that nobody has written.

    Parameters
    ----------
    model : torch.nn.Module
        Parameters on ``meta``, plain or DTensors of ``fully_shard``; what already has memory is
        drawn in place. Tied parameters stay tied.
    recipe, rng, streams, keep, **options
        As `init_` takes them; `keep` must name no parameter without memory.
    dtype : torch.dtype, optional
        Of the parameters; by default the one that each has. Buffers keep theirs.
    device : str or torch.device
        Where parameters and buffers go. On other devices than the CPU, blocks are drawn by the
        CPU and copied: the same bits.
    buffers : callable, optional
        Called with each module that has buffers on ``meta`` and no known means, after they are
        allocated: it sets their values.

    Returns
    -------
    torch.nn.Module
        `model`.

    Raises
    ------
    TypeError, ValueError
        For what cannot be drawn or computed, by name; the model is then as it was.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> with torch.device("meta"):
    ...     model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4))
    >>> _ = initperf.torch.materialize_(model, "he_normal", rng=0)
    >>> model[0].weight.device.type, model[1].running_var.tolist()
    ('cpu', [1.0, 1.0, 1.0, 1.0])
    """
    planned = checked_plan(model, recipe, dtype=dtype, streams=streams, keep=keep, options=options)
    found = [row.parameter for row in planned]
    key = key_of(rng, distributed=any(isinstance(each.tensor, DTensor) for each in found))
    allocate_buffers(model, torch.device(device), buffers)
    tensors = _allocate(model, planned, dtype, torch.device(device))
    with torch.no_grad():
        for row in planned:
            write(tensors[id(row.parameter.tensor)], row.pieces, key)
    return model


def checked_plan(
    model: nn.Module,
    recipe: Any,
    *,
    dtype: torch.dtype | None,
    streams: str = "name",
    keep: str | Sequence[str] = (),
    options: Mapping[str, Any],
) -> Plan:
    """Return the plan of a model that may be on ``meta``, checked before anything is allocated.

    Parameters
    ----------
    model, recipe, dtype, streams, keep
        As `materialize_` takes them.
    options : mapping of str to object
        Parameters of the recipe.

    Raises
    ------
    TypeError, ValueError
        For what cannot be drawn, by name.
    """
    check_model(model, parameters(model))
    if dtype is not None and dtype not in FORMATS:
        raise ValueError(f"dtype must be float32, float64, bfloat16 or float16, not {dtype}")
    planned = plan(model, recipe, streams=streams, keep=keep, **options)
    check(planned, allow_meta=True)
    for row in planned:
        if row.parameter.tensor.is_meta and not row.pieces and 0 not in row.parameter.shape:
            raise UnsuitableError(f"{row.parameter.name}: it is kept, and has no memory to keep")
        for piece in row.pieces:
            check_range(dtype or row.parameter.tensor.dtype, piece)
    return planned


def _allocate(
    model: nn.Module, planned: Plan, dtype: torch.dtype | None, device: torch.device
) -> dict[int, torch.Tensor]:
    """Replace parameters on ``meta`` by ones with memory; return them by the old one's id."""
    tensors: dict[int, torch.Tensor] = {}
    for row in planned:
        old = row.parameter.tensor
        tensors[id(old)] = old
        if old.is_meta or (dtype is not None and old.dtype != dtype):
            if row.pieces or old.is_meta:
                memory = torch.empty_like(old.detach(), dtype=dtype, device=device)
                advise(local(memory))
            else:  # kept: only its dtype changes
                memory = old.detach().to(dtype)
            new = nn.Parameter(memory, requires_grad=old.requires_grad)
            new.__dict__.update(old.__dict__)
            tensors[id(old)] = new
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = tensors[id(parameter)]
    return tensors
