"""PyTorch models built by name and drawn into a safetensors file, for the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from initperf._core.storage import replacing
from initperf.errors import UsageError
from initperf.torch.factories import factory_of, made
from initperf.torch.materialize import materialize_
from initperf.torch.parameters import parameters
from initperf.torch.write import FORMATS


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

    The model's weights are in memory once; tied ones are written once, under their first name.

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
    from safetensors.torch import save_file

    known = {name: kind for kind, name in FORMATS.items()}
    if dtype is not None and dtype not in known:
        raise UsageError(f"--dtype must be one of {', '.join(known)}, not {dtype!r}")
    kind = None if dtype is None else known[dtype]
    materialize_(model, recipe, rng=seed, dtype=kind, **options)
    tensors = {each.name: each.tensor.detach().contiguous() for each in parameters(model)}
    state = model.state_dict()
    for name, buffer in model.named_buffers():
        if name in state:
            tensors[name] = buffer.detach().contiguous()
    try:
        with replacing(path) as temporary:
            save_file(tensors, temporary, metadata={"format": "pt"})
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from None
    return sum(tensor.numel() for tensor in tensors.values())
