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


def laid_out(values, layout):
    """Return an array and a view of it that holds the values; all else is NaN."""
    rows, columns = values.shape
    if layout == "whole":
        around = np.full((rows, columns), np.nan, values.dtype)
        view = around[:]
    elif layout == "part":
        around = np.full((rows + 3, columns + 4), np.nan, values.dtype)
        view = around[1 : 1 + rows, 2 : 2 + columns]
    else:  # unit stride along neither axis, which an axis of length 1 does not need
        around = np.full((rows, 2 * columns), np.nan, values.dtype)
        view = around[:, ::2]
    view[:] = values
    return around, view


def test_products_are_those_of_numpy_in_all_layouts_with_every_dimension_one():
    rng = np.random.default_rng(15)
    for _ in range(1500):
        dtype = str(rng.choice(["float32", "float64"]))
        rows, inner, columns = (int(n) for n in rng.choice([1, 1, 2, 3, 17], 3))
        operands = []
        for shape in ((rows, inner), (inner, columns), (rows, columns)):
            values, turned = rng.standard_normal(shape).astype(dtype), bool(rng.integers(2))
            values = values.T if turned else values
            layouts = ("whole", "part", *("apart",) * (values.shape[1] == 1))
            around, view = laid_out(values, str(rng.choice(layouts)))
            operands.append((around, view.T if turned else view))
        (_, a), (_, b), (around, out) = operands
        outside = np.isnan(around)
        product(_blas.blas(np.dtype(dtype)), a, b, out)
        # sums of products, one rounding each on either side
        allowed = 2 * inner * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b))
        assert np.all(np.abs(out - a @ b) <= allowed), [(x.shape, x.strides) for x in (a, b, out)]
        assert np.array_equal(np.isnan(around), outside)
