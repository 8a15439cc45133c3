"""All weights of a module of PyTorch, in place: He's normal distribution, in GPT-2's sizes.

The rival is ``torch.nn.init.kaiming_normal_`` on each weight. GPT-2 (small) has 124 million
parameters: Radford, Wu, Child, Luan, Amodei & Sutskever, "Language models are unsupervised
multitask learners", 2019.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from initperf.benchmarks.limits import Limit, stores
from initperf.benchmarks.workloads._workload import Call, Method, Size, Workload, register
from initperf.initializers import INITIALIZERS

_BYTES = {"float32": 4, "bfloat16": 2}
_HE = INITIALIZERS["he_normal"]
_SAMPLED = 2**16  # entries of a weight, enough to tell another distribution


def _size(label: str, width: int, blocks: int, words: int) -> Size:
    weights = [words * width, *(blocks * rows * columns for rows, columns in _layers(width))]
    biases = blocks * sum(columns for _, columns in _layers(width))
    values = sum(weights) + biases
    return Size(f"{label}{values / 1e6:.3g} million", (width, blocks, words), values)


def _layers(width: int) -> tuple[tuple[int, int], ...]:
    return ((width, 3 * width), (width, width), (width, 4 * width), (4 * width, width))


def _module(shape: tuple[int, ...], dtype: str) -> Any:
    """Return the module, its memory touched."""
    import torch

    width, blocks, words = shape
    kind = {"device": "meta", "dtype": getattr(torch, dtype)}
    layers = [torch.nn.Linear(*sizes, **kind) for _ in range(blocks) for sizes in _layers(width)]
    module = torch.nn.Sequential(torch.nn.Embedding(words, width, **kind), *layers)
    module.to_empty(device="cpu")
    for parameter in module.parameters():
        parameter.data.zero_()
    return module


def _prepare(
    fill: Callable[[Any], object], shape: tuple[int, ...], dtype: str, threads: int
) -> Call:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    module = _module(shape, dtype)

    def call() -> Any:
        fill(module)
        return module

    return call


def _reference(module: Any) -> None:
    import torch

    for number, parameter in enumerate(module.parameters()):
        if parameter.ndim == 1:
            parameter.data.zero_()
            continue
        axes = _HE.replace(in_axis=1, out_axis=0)
        values = axes(tuple(parameter.shape), rng=0, stream=number, backend="numpy")
        parameter.data.copy_(torch.from_numpy(values))


def _torch(module: Any) -> None:
    import torch

    for part in module:
        torch.nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if isinstance(part, torch.nn.Linear):
            torch.nn.init.zeros_(part.bias)


def _initperf(module: Any) -> None:
    from initperf.torch import init_

    init_(module, "he_normal", rng=0)


def _check(module: Any, shape: tuple[int, ...], dtype: str) -> None:
    """Check dtype, zero biases, and the standard deviation of weights to six standard errors.

    That of a normal sample's is σ/√(2n); bfloat16 rounds by 2^-9 at most.
    """
    for part in module:
        weight = part.weight.data
        if str(weight.dtype) != f"torch.{dtype}":
            raise ValueError(f"made {weight.dtype}")
        if getattr(part, "bias", None) is not None and part.bias.data.any():
            raise ValueError("biases that are not 0")
        sample = weight.reshape(-1)[:_SAMPLED].float()
        std = _HE.std((weight.shape[1], weight.shape[0]))
        allowed = 6 / math.sqrt(2 * sample.numel()) + 2.0**-9 * (dtype == "bfloat16")
        if not abs(sample.std().item() / std - 1) <= allowed:
            raise ValueError(f"std {sample.std().item():.4g}, not {std:.4g}")


def _bytes(shape: tuple[int, ...], dtype: str) -> float:
    return _size("", *shape).values * _BYTES[dtype]


def _stores(shape: tuple[int, ...], dtype: str, threads: int) -> Limit:
    return stores(2**24, "float32", threads)


def _method(
    name: str, label: str, role: Any, fill: Callable[[Any], object], **options: Any
) -> Method:
    prepare = partial(_prepare, fill)
    return Method(name, label, role, prepare, needs="torch", dtypes=tuple(_BYTES), **options)


register(
    Workload(
        name="torch_module",
        methods=(
            _method("numpy_reference", "NumPy reference", "reference", _reference, largest=2**20),
            _method("torch", "PyTorch", "rival", _torch, threads="all"),
            _method("initperf", "initperf.torch", "ours", _initperf, threads="all"),
        ),
        sizes=(_size("GPT-2, ", 768, 12, 50257),),
        quick_sizes=(_size("", 768, 1, 6000),),
        check=_check,
        amount=_bytes,
        limit=_stores,
        kernels=("fill_normal",),
        dtypes=tuple(_BYTES),
        trial=_size("", 96, 1, 50),
    )
)
