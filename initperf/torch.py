"""Initialize tensors and modules of PyTorch in place; the only module that imports torch.

A weight of PyTorch has the axes (out, in, ...), that of a transposed convolution (in, out, ...):
fans are counted accordingly. The bits are those of `initperf.draw` for the same shape and axes.
"""

import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch

from initperf._core.arguments import check_layout
from initperf._core.keys import Key, RandomSource, as_key
from initperf._core.parallel import default_threads, split
from initperf._core.source import Source
from initperf.initializers import INITIALIZERS, Distribution, Independent, Initializer
from initperf.jit.tuning import NARROW_BLOCK
from initperf.kernels import KERNELS

Target = TypeVar("Target", torch.Tensor, torch.nn.Module)

_DIRECT = (torch.float32, torch.float64)
_ROUNDED = (torch.bfloat16, torch.float16)
_TRANSPOSED = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)
_NORMALIZATIONS = (torch.nn.LayerNorm, torch.nn.RMSNorm)
_RECURRENT = ("weight_ih_l", "weight_hh_l", "weight_hr_l")
_FARTHEST = 12.0


def init_(
    target: Target, name: str | Initializer, *, rng: RandomSource = None, **parameters: Any
) -> Target:
    """Draw the values of a tensor, or of all weights of a module, in place.

    Of a module, every parameter named ``weight``, ``..._weight`` or as in a recurrent layer is
    drawn that has two axes or more, tied ones once; the bias beside it is set to 0. All other
    parameters, as those of normalization layers, stay as they are. The weight that comes as
    number *i* among ``module.parameters()`` is what ``initperf.draw`` gives with ``stream=i``.

    Parameters
    ----------
    target : torch.Tensor or torch.nn.Module
        Dense, on the CPU, of float32, float64, bfloat16 or float16, and any strides. The last two
        are drawn in float32 and rounded, in blocks, but for initializers whose entries depend on
        one another, such as ``orthogonal``: those need a float32 copy.
    name : str or Initializer
        One of ``INITIALIZERS`` or an alias, or an initializer.
    rng : None, int, SeedSequence, BitGenerator or Generator
        See `initperf._core.keys.as_key`; a generator is advanced for each weight.
    **parameters
        Parameters of the initializer, such as ``gain=2.0``. ``in_axis`` and ``out_axis``, where
        it has them, are those of the layer; of a tensor, 1 and 0.

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
    initializer = INITIALIZERS[name] if isinstance(name, str) else name
    if isinstance(target, torch.nn.Module):
        weights, biases = _parameters(target)
        if not weights:
            raise ValueError(f"{type(target).__name__} has no weight of two or more axes")
    elif isinstance(target, torch.Tensor):
        weights, biases = [_Weight("target", target, 0, transposed=False)], []
    else:
        raise TypeError(f"target must be a tensor or a module, not {type(target).__name__}")
    rules = [_rule(initializer, weight.transposed, parameters) for weight in weights]
    for weight, rule in zip(weights, rules, strict=True):
        try:
            _check(weight.tensor, rule)
        except ValueError as error:
            raise ValueError(f"{weight.name}: {error}") from None
    with torch.no_grad():
        for weight, rule in zip(weights, rules, strict=True):
            _draw(weight.tensor, rule, Key(as_key(rng)), weight.stream)
        for bias in biases:
            bias.zero_()
    return target


class _Weight(NamedTuple):
    name: str
    tensor: torch.Tensor
    stream: int
    transposed: bool


def _parameters(module: torch.nn.Module) -> tuple[list[_Weight], list[torch.Tensor]]:
    streams = {id(parameter): i for i, parameter in enumerate(module.parameters())}
    weights: dict[int, _Weight] = {}
    biases: list[torch.Tensor] = []
    for path, part in module.named_modules():
        own = dict(part.named_parameters(recurse=False))
        for name, tensor in own.items():
            named = name == "weight" or name.endswith("_weight") or name.startswith(_RECURRENT)
            if not named or isinstance(part, _NORMALIZATIONS):
                continue
            full_name = f"{path}.{name}" if path else name
            if torch.nn.parameter.is_lazy(tensor):
                raise ValueError(f"{full_name}: it has no shape before the module's first call")
            if tensor.ndim >= 2:
                stream, transposed = streams[id(tensor)], isinstance(part, _TRANSPOSED)
                weights.setdefault(stream, _Weight(full_name, tensor, stream, transposed))
                bias = own.get(name.replace("weight", "bias"))
                biases += [] if bias is None else [bias]
    return list(weights.values()), biases


def _rule(initializer: Initializer, transposed: bool, parameters: dict[str, Any]) -> Initializer:
    axes = {}
    if hasattr(initializer, "in_axis"):
        axes = {"in_axis": 0, "out_axis": 1} if transposed else {"in_axis": 1, "out_axis": 0}
    return initializer.replace(**(axes | parameters))


def _check(tensor: torch.Tensor, rule: Initializer) -> None:
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        raise ValueError(
            f"a tensor must be dense and on the CPU, not {tensor.layout} on {tensor.device.type}"
        )
    if tensor.dtype not in _DIRECT + _ROUNDED:
        raise ValueError(
            f"a tensor must be float32, float64, bfloat16 or float16, not {tensor.dtype}"
        )
    plain = tensor.detach()
    check_layout((plain if plain.dtype in _DIRECT else plain.view(torch.int16)).numpy())
    shape = tuple(tensor.shape)
    reach = max(map(abs, rule.support(shape)))
    if math.isinf(reach):
        reach = abs(rule.mean(shape)) + _FARTHEST * rule.std(shape)
    if reach > torch.finfo(tensor.dtype).max:
        raise ValueError(f"values up to {reach:g} are more than {tensor.dtype} can hold")


def _draw(tensor: torch.Tensor, rule: Initializer, key: Key, stream: int) -> None:
    shape = tuple(tensor.shape)
    if tensor.dtype in _DIRECT:
        rule(shape, rng=key, stream=stream, out=tensor)
        torch.autograd.graph.increment_version(tensor)
    elif isinstance(rule, Independent):
        _draw_rounded(tensor.detach(), rule.distribution_of(shape), key, stream)
        torch.autograd.graph.increment_version(tensor)
    else:
        tensor.copy_(torch.from_numpy(rule(shape, rng=key, stream=stream)))


def _draw_rounded(tensor: torch.Tensor, distribution: Distribution, key: Key, stream: int) -> None:
    distribution.check(np.dtype(np.float32))
    source = Source.checked(tensor.numel(), rng=key, stream=stream, threads=1)
    rows = (tensor.view(-1) if tensor.is_contiguous() else tensor).view(torch.uint16).numpy()
    width = math.prod(rows.shape[1:])
    step = max(1, NARROW_BLOCK // width)
    narrow, brain = KERNELS["narrow"]["numba"], tensor.dtype == torch.bfloat16

    def task(begin: int, end: int) -> None:
        values = np.empty(min(step, end - begin) * width, np.float32)
        for first in range(begin, end, step):
            part = rows[first : min(first + step, end)]
            drawn = values[: part.size]
            distribution.fill(drawn, source.at(first * width))
            direct = part.flags.c_contiguous
            bits = part.reshape(-1) if direct else np.empty(part.size, np.uint16)
            narrow(drawn, bits, brain)
            if not direct:
                part[...] = bits.reshape(part.shape)

    split(len(rows), step, task, default_threads())
