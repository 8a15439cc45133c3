"""PyTorch models built by name and drawn into a safetensors file, for the command line."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from initperf._core.keys import Key
from initperf._core.storage import replacing
from initperf.errors import UsageError
from initperf.torch.buffers import allocate_buffers
from initperf.torch.checks import key_of
from initperf.torch.factories import factory_of, made
from initperf.torch.materialize import checked_plan
from initperf.torch.planned import Plan, Planned
from initperf.torch.saving import Entry, write_file
from initperf.torch.write import FORMATS, write


def build(factory: str) -> nn.Module:
    """Build a model on ``meta``, without memory for its parameters.

    Parameters
    ----------
    factory : str
        ``"package.module:name"`` of a function without arguments, or a class; modules in the
        working directory are found too.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    UsageError
        When there is no such function, or it does not give a module.
    """
    found = factory_of(factory, "--model")
    with torch.device("meta"):
        return made(found, factory, "--model", " on the device meta")


def save(
    model: nn.Module,
    recipe: str,
    path: Path,
    *,
    seed: int | None,
    dtype: str | None,
    options: Mapping[str, Any],
) -> int:
    """Draw a model and write its parameters and persistent buffers; the file appears whole.

    Parameters are drawn one after another, each as it is written, so that memory holds the largest
    and not all; tied ones are written once, under their first name.

    Parameters
    ----------
    model : torch.nn.Module
        From `build`.
    recipe : str
        As `init_` takes it.
    path : pathlib.Path
        A file whose directory exists.
    seed : int, optional
        Fresh entropy without it.
    dtype : str, optional
        float32, float64, bfloat16 or float16; by default what each parameter has.
    options : mapping of str to object
        Parameters of the recipe.

    Returns
    -------
    int
        The number of values.

    Raises
    ------
    UsageError
        When the dtype is another, or the file cannot be written.
    """
    from safetensors import SafetensorError

    known = {name: kind for kind, name in FORMATS.items()}
    if dtype is not None and dtype not in known:
        raise UsageError(f"--dtype must be one of {', '.join(known)}, not {dtype!r}")
    kind = None if dtype is None else known[dtype]
    planned = checked_plan(model, recipe, dtype=kind, options=options)
    allocate_buffers(model, torch.device("cpu"))
    entries = _entries(model, planned, kind, key_of(seed, distributed=False))
    try:
        with replacing(path) as temporary:
            write_file(entries, temporary)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path} cannot be written: {reason}") from None
    return sum(math.prod(entry.shape) for entry in entries.values())


def _entries(
    model: nn.Module, planned: Plan, kind: torch.dtype | None, key: Key
) -> dict[str, Entry]:
    """Return the parameters, drawn when asked for, and the persistent buffers, by name."""

    def fill(row: Planned, values: torch.Tensor) -> None:
        if row.pieces:
            write(values, row.pieces, key)
        elif values.numel():
            values.copy_(row.parameter.tensor.detach())

    entries = {}
    for row in planned:
        dtype = kind or row.parameter.tensor.dtype
        entries[row.parameter.name] = Entry(row.parameter.shape, dtype, partial(fill, row))
    state = model.state_dict()
    for name, buffer in model.named_buffers():
        if name in state:
            copy = partial(_copy, buffer.detach())
            entries[name] = Entry(tuple(buffer.shape), buffer.dtype, copy)
    return entries


def _copy(source: torch.Tensor, target: torch.Tensor) -> None:
    target.copy_(source)
