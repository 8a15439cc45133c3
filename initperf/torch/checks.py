"""Checks of models and tensors before anything is written; errors name the parameter."""

import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.distributed.tensor import DTensor
from torch.nn.utils import parametrize

from initperf._core.arrays import check_layout
from initperf._core.keys import Key, RandomSource, as_key
from initperf.errors import UnsuitableError
from initperf.initializers._parts import Store
from initperf.initializers._rounding import check_narrow
from initperf.torch.names import join
from initperf.torch.parameters import Parameter
from initperf.torch.pieces import Piece
from initperf.torch.planned import Plan
from initperf.torch.protection import READ_ONLY, packed_weight, read_only
from initperf.torch.shards import local, regions
from initperf.torch.write import FORMATS, array_of

_FARTHEST = 12.0
"""More standard deviations than a normal draw ever is from its mean."""

_OLD_HOOKS = ("WeightNorm", "SpectralNorm")


def check(plan: Plan, *, allow_meta: bool = False) -> None:
    """Check that every tensor of a plan can take what its rules draw.

    Raises
    ------
    UnsuitableError
        By the name of the first that cannot; nothing has been written.
    """
    for row in plan:
        if not row.pieces:
            continue
        try:
            _check_tensor(row.parameter.tensor, allow_meta=allow_meta)
            for piece in row.pieces:
                check_range(row.parameter.tensor.dtype, piece)
        except ValueError as error:
            raise UnsuitableError(f"{row.parameter.name}: {error}") from None
    written = [row.parameter for row in plan if row.pieces]
    for index in read_only([local(parameter.tensor) for parameter in written]):
        raise UnsuitableError(f"{written[index].name}: {READ_ONLY}")
    _check_apart(plan)


def check_model(model: nn.Module, found: list[Parameter]) -> None:
    """Check that a model's parameters are its weights, and not what weights are computed from.

    Raises
    ------
    UnsuitableError
        For parametrizations, weight and spectral normalization, the flattened parameters of
        FSDP's first version, and the packed weights of quantized modules.
    """
    packed = packed_weight(model)
    if packed is not None:
        raise UnsuitableError(f"{packed}: it is quantized and packed; initialize before quantizing")
    for parameter in found:
        if type(parameter.tensor).__name__ == "FlatParameter":
            raise UnsuitableError(
                f"{parameter.name}: FSDP has flattened it; shard with fully_shard, or initialize "
                "before wrapping"
            )
    for path, module in model.named_modules():
        if parametrize.is_parametrized(module):
            name = join(path, next(iter(module.parametrizations)))
            raise UnsuitableError(
                f"{name}: it is parametrized; initialize before the parametrization is registered, "
                "or remove it and register it again"
            )
        for hook in module._forward_pre_hooks.values():
            if type(hook).__name__ in _OLD_HOOKS:
                name = join(path, getattr(hook, "name", "weight"))
                raise UnsuitableError(
                    f"{name}: {type(hook).__name__} computes it before each call; initialize "
                    "before it is added, or remove it and add it again"
                )


def check_tensor(tensor: torch.Tensor) -> None:
    """Check that a tensor can be drawn.

    Raises
    ------
    ValueError
        When it cannot.
    """
    _check_tensor(tensor, allow_meta=False)
    if read_only([local(tensor)]):
        raise ValueError(READ_ONLY)


def _check_tensor(tensor: torch.Tensor, *, allow_meta: bool) -> None:
    if not isinstance(tensor, DTensor) and type(tensor) not in (torch.Tensor, nn.Parameter):
        raise ValueError(f"a tensor must be plain or a DTensor, not {type(tensor).__name__}")
    if tensor.grad_fn is not None:
        raise ValueError(f"it is the result of a computation, {tensor.grad_fn.name()}")
    held = local(tensor)
    if held.is_quantized or tensor.dtype not in FORMATS:
        raise ValueError(
            f"a tensor must be float32, float64, bfloat16 or float16, not {tensor.dtype}"
        )
    if held.layout != torch.strided:
        raise ValueError(f"a tensor must be dense, not {held.layout}")
    if held.device.type == "meta":
        if not allow_meta:
            raise ValueError(
                "it is on the device meta, which has no memory; initperf.torch.materialize_ "
                "allocates and draws"
            )
        return
    regions(tensor)
    if held.is_neg():
        raise ValueError("it is a view whose sign is inverted when read; draw into a copy")
    if held.device.type == "cpu":
        check_layout(array_of(held))


def check_range(dtype: torch.dtype, piece: Piece) -> None:
    """Check that a dtype can hold what a piece draws.

    Raises
    ------
    ValueError
        When it cannot.
    """
    rule, shape = piece.rule, piece.matrix
    if 0 in shape:
        return
    low, high = rule.support(shape)
    reach = max(abs(low), abs(high))
    if math.isinf(reach):
        reach = abs(rule.mean(shape)) + _FARTHEST * rule.std(shape)
    if reach > torch.finfo(dtype).max:
        raise ValueError(f"values up to {reach:g} are more than {dtype} can hold")
    if piece.distribution is not None:
        piece.distribution.check(np.dtype(Store(FORMATS[dtype]).exact))
        check_narrow(piece.distribution, FORMATS[dtype])


def _check_apart(plan: Plan) -> None:
    """Check that no two parameters share memory."""
    spans: list[tuple[int, int, int, str]] = []
    for row in plan:
        held = local(row.parameter.tensor)
        if not row.pieces or held.numel() == 0 or held.device.type == "meta":
            continue
        reach = sum(
            abs(step) * (length - 1) for step, length in zip(held.stride(), held.shape, strict=True)
        )
        begin, size = held.data_ptr(), held.element_size()
        device = hash(held.device)
        spans.append((device, begin, begin + size * (reach + 1), row.parameter.name))
    spans.sort()
    for (device, _, end, first), (other, begin, _, second) in itertools.pairwise(spans):
        if device == other and begin < end:
            raise UnsuitableError(
                f"{second}: it shares memory with {first}, and is not the same parameter"
            )


def key_of(rng: Any, *, distributed: bool) -> Key:
    """Return the key that a random source stands for; a generator is advanced.

    Parameters
    ----------
    rng : None, int, SeedSequence, BitGenerator, Generator or torch.Generator
        ``torch.default_generator`` makes draws follow ``torch.manual_seed``.
    distributed : bool
        Whether the model has shards on several processes, which must draw from one key.

    Raises
    ------
    ValueError
        For None where several processes draw.
    """
    if isinstance(rng, torch.Generator):
        words = torch.randint(0, 2**32, (2,), generator=rng, device=rng.device).tolist()
        return Key(np.uint64(words[0] << 32 | words[1]))
    if rng is None and distributed:
        raise ValueError("rng must be given, the same on every process, for a sharded model")
    source: RandomSource = rng
    return Key(as_key(source))
