"""Filling an existing array: uniform on [0, 1), standard normal, normal truncated at ±2.

Rivals are at their best: NumPy's fastest bit generator (SFC64, by measurement), filling in place
in the dtype asked for; the fastest method of Intel's library (inversion, on SFMT19937), which
makes float64 only and allocates its result.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from initperf.benchmarks.limits import Limit, stores
from initperf.benchmarks.workloads._workload import Call, Method, Workload, matrix, register
from initperf.initializers import INITIALIZERS, Initializer

Shape = tuple[int, ...]

_BOUND = 2.0


@dataclass(frozen=True)
class _Fill:
    """A kernel, an initializer that only calls it, and the rivals' ways of doing the same."""

    kernel: str
    initializer: Initializer
    numpy: Callable[[np.random.Generator, Any], object]
    torch: Callable[[Any], object]
    jax: Callable[[Any, Shape], Any]
    mkl: Callable[[Any, Shape], Any] | None = None


def _ours(fill: _Fill, backend: str, shape: Shape, dtype: str, threads: int) -> Call:
    out = np.empty(shape, dtype)
    return partial(fill.initializer, shape, rng=0, out=out, backend=backend, threads=threads)


def _numpy(fill: _Fill, shape: Shape, dtype: str, threads: int) -> Call:
    rng = np.random.Generator(np.random.SFC64(0))
    out = np.empty(shape, dtype)

    def call() -> Any:
        fill.numpy(rng, out)
        return out

    return call


def _torch(fill: _Fill, shape: Shape, dtype: str, threads: int) -> Call:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    tensor = torch.empty(shape, dtype=getattr(torch, dtype))

    def call() -> Any:
        fill.torch(tensor)
        return tensor.numpy()

    return call


def _jax(draw: Callable[[Any, Shape], Any], shape: Shape, dtype: str, threads: int) -> Call:
    """Draw compiled; the default generator is, on CPUs, the fastest of JAX's by measurement."""
    import jax

    key = jax.random.key(0)
    compiled = jax.jit(lambda key: draw(key, shape))

    def call() -> Any:
        return np.asarray(compiled(key))

    return call


def _jax_random(name: str, key: Any, shape: Shape, bounds: tuple[float, ...] = ()) -> Any:
    import jax

    return getattr(jax.random, name)(key, *bounds, shape=shape)


def _mkl(draw: Callable[[Any, Shape], Any], shape: Shape, dtype: str, threads: int) -> Call:
    import mkl_random

    return partial(draw, mkl_random.MKLRandomState(0, brng="SFMT19937"), shape)


def _numpy_truncated(rng: np.random.Generator, out: Any) -> None:
    """Draw again what lies outside, as one does with NumPy alone; SciPy is slower still."""
    rng.standard_normal(out=out, dtype=out.dtype)
    values = out.reshape(-1)
    outside = np.flatnonzero(np.abs(values) > _BOUND)
    while outside.size:
        values[outside] = rng.standard_normal(outside.size, dtype=out.dtype)
        outside = outside[np.abs(values[outside]) > _BOUND]


def _torch_truncated(tensor: Any) -> None:
    import torch

    torch.nn.init.trunc_normal_(tensor, a=-_BOUND, b=_BOUND)


def _check(initializer: Initializer, array: Any, shape: Shape, dtype: str) -> None:
    """Check shape, dtype, support, mean and standard deviation to six standard errors.

    The standard error of a mean is σ/√n; that of a standard deviation is less here, as the
    kurtosis of all three distributions is at most 3.
    """
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"made {array.dtype} of shape {array.shape}")
    low, high = initializer.support(shape)
    if not (array.min() >= low and array.max() <= high):
        raise ValueError(f"values from {array.min()} to {array.max()}, not {low} to {high}")
    mean, std = initializer.mean(shape), initializer.std(shape)
    found = array.mean(dtype=np.float64), array.std(dtype=np.float64)
    allowed = 6 * std / math.sqrt(array.size)
    if not (abs(found[0] - mean) <= allowed and abs(found[1] - std) <= allowed):
        raise ValueError(f"mean {found[0]:.4g}, std {found[1]:.4g}; not {mean:.4g}, {std:.4g}")


def _bytes(shape: Shape, dtype: str) -> float:
    return math.prod(shape) * np.dtype(dtype).itemsize


def _stores(shape: Shape, dtype: str, threads: int) -> Limit:
    return stores(math.prod(shape), dtype, threads)


def _register(fill: _Fill) -> None:
    reference = partial(_ours, fill, "numpy")
    methods = [
        Method("numpy_reference", "NumPy reference", "reference", reference, largest=2**20),
        Method("numpy", "NumPy", "rival", partial(_numpy, fill)),
        Method("torch", "PyTorch", "rival", partial(_torch, fill), "all", needs="torch"),
        Method("numba", "Numba", "ours", partial(_ours, fill, "numba"), "each"),
    ]
    methods.insert(
        3,
        Method(
            "jax",
            "JAX",
            "rival",
            partial(_jax, fill.jax),
            "all",
            needs="jax",
            dtypes=("float32",),
        ),
    )
    if fill.mkl:
        mkl = partial(_mkl, fill.mkl)
        methods.insert(
            3, Method("mkl", "MKL", "rival", mkl, needs="mkl_random", dtypes=("float64",))
        )
    register(
        Workload(
            name=fill.kernel,
            methods=tuple(methods),
            sizes=(matrix(64, 64), matrix(784, 256), matrix(4096, 4096)),
            quick_sizes=(matrix(784, 256), matrix(1024, 1024)),
            check=partial(_check, fill.initializer),
            amount=_bytes,
            limit=_stores,
            kernels=(fill.kernel,),
            trial=matrix(96, 64),
        )
    )


_register(
    _Fill(
        "fill_uniform",
        INITIALIZERS["uniform"].replace(low=0.0, high=1.0),
        numpy=lambda rng, out: rng.random(out=out, dtype=out.dtype),
        torch=lambda tensor: tensor.uniform_(),
        jax=partial(_jax_random, "uniform"),
        mkl=lambda state, shape: state.random_sample(shape),
    )
)
_register(
    _Fill(
        "fill_normal",
        INITIALIZERS["normal"],
        numpy=lambda rng, out: rng.standard_normal(out=out, dtype=out.dtype),
        torch=lambda tensor: tensor.normal_(),
        jax=partial(_jax_random, "normal"),
        mkl=lambda state, shape: state.standard_normal(shape, method="ICDF"),
    )
)
_register(
    _Fill(
        "fill_truncated_normal",
        INITIALIZERS["truncated_normal"].replace(low=-_BOUND, high=_BOUND),
        numpy=_numpy_truncated,
        torch=_torch_truncated,
        jax=partial(_jax_random, "truncated_normal", bounds=(-_BOUND, _BOUND)),
    )
)
