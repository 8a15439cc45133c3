"""Initialization in place of tensors and of all parameters of modules."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import torch
from torch.distributed.tensor import DTensor

from initperf._core.keys import RandomSource
from initperf.initializers import Initializer
from initperf.initializers._parts import as_part, whole
from initperf.torch.checks import check, check_model, check_range, check_tensor, key_of
from initperf.torch.parameters import parameters
from initperf.torch.pieces import Piece, with_axes
from initperf.torch.planning import plan
from initperf.torch.resolve import named_rule
from initperf.torch.write import FORMATS, write, write_part

Target = TypeVar("Target", torch.Tensor, torch.nn.Module)

TorchRandomSource: TypeAlias = RandomSource | torch.Generator


def init_(
    target: Target,
    recipe: Any,
    *,
    rng: TorchRandomSource = None,
    streams: str = "name",
    keep: str | Sequence[str] = (),
    **options: Any,
) -> Target:
    """Draw the values of a tensor, or of all parameters of a module, in place.

    Every parameter is given a value by a rule of the recipe, tied ones once. What no rule covers
    is an error, unless `keep` names it. The values of a parameter depend on `rng`, its name and
    its index alone: not on other layers, wrappers, threads, shards or the number of processes.

    Parameters
    ----------
    target : torch.Tensor or torch.nn.Module
        Dense, of float32, float64, bfloat16 or float16, and any strides; DTensors draw this
        process's shard, without communication. Rules whose entries depend on one another, such as
        ``orthogonal`` and ``zero_hadamard``, draw the whole weight on each process and keep a
        shard: that costs each process the time of the whole, and its memory for as long as the
        weight is drawn. Rules that look at data, such as ``lsuv``, are refused. A module without
        parameters is left as it is.
    recipe : str, Initializer, Recipe, mapping or sequence
        The name of a recipe (`RECIPES`); an initializer or its name, for all weights and
        embeddings, with 0 for biases and the identity for normalizations; or what gets which
        rule: ``{"*.wo.weight": "zeros", torch.nn.Linear: "he_normal"}``, see `Assign`. For a
        tensor, an initializer or its name.
    rng : None, int, SeedSequence, BitGenerator, Generator or torch.Generator
        See `initperf._core.keys.as_key`; a generator is advanced once.
    streams : str
        ``"name"``: the stream of a parameter comes from its qualified name, see `stream_of`.
        ``"position"``: it is its place among ``module.parameters()``, as it was before streams
        had names.
    keep : str or sequence of str
        Patterns of names whose parameters stay as they are.
    **options
        Parameters of the recipe or of the initializer, such as ``gain=2.0``. ``in_axis`` and
        ``out_axis``, where it has them, are those of the layer; of a tensor, by default 1 and 0.

    Returns
    -------
    torch.Tensor or torch.nn.Module
        `target`.

    Raises
    ------
    TypeError, ValueError
        For what cannot be drawn, by the parameter's name; nothing has been written then.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> layer = initperf.torch.init_(torch.nn.Linear(784, 256), "he_normal", rng=0)
    """
    if isinstance(target, torch.nn.Module):
        _init_module(target, recipe, rng, streams, keep, options)
    elif isinstance(target, torch.Tensor):
        _init_tensor(target, recipe, rng, options)
    else:
        raise TypeError(f"target must be a tensor or a module, not {type(target).__name__}")
    return target


def _init_module(
    model: torch.nn.Module,
    recipe: Any,
    rng: TorchRandomSource,
    streams: str,
    keep: str | Sequence[str],
    options: dict[str, Any],
) -> None:
    found = parameters(model)
    check_model(model, found)
    planned = plan(model, recipe, streams=streams, keep=keep, **options) if found else ()
    if not planned:
        return
    check(planned)
    key = key_of(rng, distributed=any(isinstance(each.tensor, DTensor) for each in found))
    with torch.no_grad():
        for row in planned:
            write(row.parameter.tensor, row.pieces, key)


def _rule(recipe: Any, options: dict[str, Any]) -> Initializer:
    rule = named_rule(recipe) if isinstance(recipe, str) else recipe
    if not isinstance(rule, Initializer):
        raise TypeError(
            f"a tensor takes an initializer or its name, not {type(recipe).__name__}; recipes "
            "are for modules"
        )
    axes = {name: options[name] for name in ("in_axis", "out_axis") if name in options}
    placed = with_axes(rule, (axes.get("in_axis", 1), axes.get("out_axis", 0)))
    return placed.replace(**options)


def _init_tensor(
    tensor: torch.Tensor, recipe: Any, rng: TorchRandomSource, options: dict[str, Any]
) -> None:
    shape = tuple(tensor.shape)
    rule = _rule(recipe, options)
    try:
        check_tensor(tensor)
        piece = Piece(whole(shape), rule, shape, 0)
        if 0 in shape:
            return
        check_range(tensor.dtype, piece)
    except ValueError as error:
        raise ValueError(f"target: {error}") from None
    key = key_of(rng, distributed=isinstance(tensor, DTensor))
    with torch.no_grad():
        write(tensor, (piece,), key)


def draw(
    recipe: str | Initializer,
    shape: Any,
    *,
    part: Any = None,
    rng: TorchRandomSource = None,
    stream: int = 0,
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> torch.Tensor:
    """Draw a tensor, or a rectangular part of one, the same bits as in the whole.

    Parameters
    ----------
    recipe : str or Initializer
        An initializer or its name.
    shape : int or tuple of int
        Shape of the whole, with PyTorch's axes (out, in, ...).
    part : slice or tuple of slice, optional
        Slices of step 1; axes that are left out are taken whole. Nothing else is drawn, except by
        rules whose entries depend on one another, such as ``orthogonal``: these draw the whole, at
        its cost in time and memory, and keep the part.
    rng : None, int, SeedSequence, BitGenerator, Generator or torch.Generator
        See `initperf._core.keys.as_key`.
    stream : int
        Number of the stream; `stream_of` gives that of a parameter's name.
    dtype : torch.dtype
        float32, float64, bfloat16 or float16.
    **options
        Parameters of the initializer.

    Returns
    -------
    torch.Tensor
        Of the part's shape.

    Raises
    ------
    TypeError, ValueError
        For what cannot be drawn.

    Examples
    --------
    >>> import initperf.torch
    >>> whole = initperf.torch.draw("he_normal", (6, 4), rng=0)
    >>> rows = initperf.torch.draw("he_normal", (6, 4), part=slice(2, 4), rng=0)
    >>> bool((rows == whole[2:4]).all())
    True
    """
    if dtype not in FORMATS:
        raise ValueError(f"dtype must be float32, float64, bfloat16 or float16, not {dtype}")
    rule = _rule(recipe, options)
    cut = as_part(shape, () if part is None else part)
    piece = Piece(whole(cut.shape), rule, cut.shape, stream)
    check_range(dtype, piece)
    out = torch.empty(cut.lengths, dtype=dtype)
    if out.numel():
        write_part(out, piece, cut, key_of(rng, distributed=False))
    return out
