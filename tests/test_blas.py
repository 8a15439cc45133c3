"""Products by the two BLAS that there may be."""

import numpy as np
import pytest
from numba.extending import get_cython_function_address

from initperf.jit import blas as _blas
from initperf.jit.policy import jit


@jit
def product(addresses, a, b, out):
    _blas.multiply(addresses, a, b, out, 1.0, 0.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_openblas_in_numpy_scipy_multiplies(dtype, monkeypatch):
    class Nothing:
        def select(self, **_kind):
            self.lib_controllers = []
            return self

    monkeypatch.setattr(_blas, "ThreadpoolController", Nothing)
    fallback = _blas.blas.__wrapped__(np.dtype(dtype))
    letter = "sd"[dtype == "float64"]
    assert fallback[0] == get_cython_function_address("scipy.linalg.cython_blas", letter + "gemm")
    monkeypatch.undo()
    chosen = _blas.blas.__wrapped__(np.dtype(dtype))
    a, b = np.random.default_rng(0).standard_normal((2, 37, 37)).astype(dtype)
    for addresses in (fallback, chosen):
        out = np.zeros_like(a)
        product(addresses, a, b, out)
        # sums of 37 products, one rounding each on either side
        allowed = 2 * 37 * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b))
        assert np.all(np.abs(out - a @ b) <= allowed)
