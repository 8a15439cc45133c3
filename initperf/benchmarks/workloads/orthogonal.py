"""Uniformly distributed matrices with orthonormal columns, the draw of their normals included.

The rivals factorise a Gaussian matrix, which takes twice the operations: NumPy's QR with the
signs put right, and PyTorch's initializer.
"""

import math
from functools import partial
from typing import Any

import numpy as np

from initperf.benchmarks.limits import Limit, gemm
from initperf.benchmarks.workloads._workload import Call, Method, Workload, matrix, register
from initperf.initializers import INITIALIZERS
from initperf.jit.blas import blas_threads

Shape = tuple[int, ...]

_GEMM_SIZE = 1024


def _ours(backend: str, shape: Shape, dtype: str, threads: int) -> Call:
    out = np.empty(shape, dtype)
    initializer = INITIALIZERS["orthogonal"]

    def call() -> Any:
        with blas_threads(threads):
            return initializer(shape, rng=0, out=out, backend=backend, threads=threads)

    return call


def _numpy(shape: Shape, dtype: str, threads: int) -> Call:
    rng = np.random.Generator(np.random.SFC64(0))

    def call() -> Any:
        with blas_threads(threads):
            q, r = np.linalg.qr(rng.standard_normal(shape, dtype=np.dtype(dtype)))
        return q * np.where(np.diagonal(r) < 0, -1, 1).astype(dtype)

    return call


def _torch(shape: Shape, dtype: str, threads: int) -> Call:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    tensor = torch.empty(shape, dtype=getattr(torch, dtype))

    def call() -> Any:
        return torch.nn.init.orthogonal_(tensor).numpy()

    return call


def _jax(shape: Shape, dtype: str, threads: int) -> Call:
    import jax

    key = jax.random.key(0)
    draw = jax.jit(lambda key: jax.nn.initializers.orthogonal()(key, shape))
    return lambda: np.asarray(draw(key))


def _check(array: Any, shape: Shape, dtype: str) -> None:
    """Check the inner products of columns, sums whose rounding errors grow with the root of length.

    Sixteen of them leave room for the errors of the reflections.
    """
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"made {array.dtype} of shape {array.shape}")
    wide = array.astype(np.float64)
    error = float(np.abs(wide.T @ wide - np.eye(shape[1])).max())
    allowed = 16 * math.sqrt(shape[0]) * float(np.finfo(dtype).eps)
    if not error <= allowed:
        raise ValueError(f"columns orthonormal to {error:.2g} only, not {allowed:.2g}")


def _operations(shape: Shape, dtype: str) -> float:
    m, n = shape
    return 2.0 * m * n * n - 2.0 * n**3 / 3.0


def _gemm(shape: Shape, dtype: str, threads: int) -> Limit:
    return gemm(_GEMM_SIZE, dtype, threads)


register(
    Workload(
        name="orthogonal",
        methods=(
            Method(
                "numpy_reference",
                "NumPy reference",
                "reference",
                partial(_ours, "numpy"),
                largest=2**18,
            ),
            Method("numpy", "NumPy", "rival", _numpy, "each"),
            Method("torch", "PyTorch", "rival", _torch, "all", needs="torch"),
            Method("jax", "JAX", "rival", _jax, "all", needs="jax", dtypes=("float32",)),
            Method("numba", "Numba", "ours", partial(_ours, "numba"), "each"),
        ),
        sizes=(
            matrix(64, 64),
            matrix(256, 256),
            matrix(784, 256),
            matrix(512, 512),
            matrix(1024, 1024),
        ),
        quick_sizes=(matrix(784, 256),),
        check=_check,
        amount=_operations,
        limit=_gemm,
        kernels=("haar",),
        trial=matrix(48, 32),
        pause_seconds=0.02,
    )
)
