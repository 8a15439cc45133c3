"""The orthonormal factor of given matrices: oracles, ranks, magnitudes and refusals."""

import math
import tracemalloc

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_limits

from initperf._core.arguments import BACKENDS
from initperf.jit import tuning
from initperf.kernels import orthogonalize
from initperf.kernels.orthogonalize import orthonormal_factor

DTYPES = ("float32", "float64")
SHAPES = ((70, 33), (33, 70), (64, 64), (40, 17), (17, 40), (17, 17), (1, 6), (6, 1), (1, 1))


@pytest.fixture(params=["numpy", "reflectors", "panels"])
def factor(request, monkeypatch):
    """Give the reference, the code for small matrices, or that for large ones, in panels."""
    monkeypatch.setattr(tuning, "UNBLOCKED_ENTRIES", 0 if request.param == "panels" else 20_000)
    # a whole strip and a part of one
    monkeypatch.setattr(orthogonalize, "_block", lambda n: 48)
    backend = "numpy" if request.param == "numpy" else "numba"
    return lambda a, **options: orthonormal_factor(a, backend=backend, **options)


def gaussian(shape, dtype="float64"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def by_columns(matrix):
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


def assert_orthonormal(q):
    q = by_columns(q)
    allowed = {"float32": 2e-6, "float64": 1e-14}[q.dtype.name]
    gram = q.T.astype(np.float64) @ q
    np.testing.assert_allclose(gram, np.eye(q.shape[1]), atol=allowed, rtol=0)


def with_positive_diagonal(q, r):
    return q * np.where(np.diagonal(r) < 0, -1, 1).astype(q.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_numpy_and_scipy_find_the_same(shape, dtype, factor):
    a = gaussian(shape, dtype)
    found = factor(a)
    assert found.dtype == dtype
    assert_orthonormal(found)
    # each is exact for a matrix √m roundings away, and Q moves by the condition number times that
    moves = np.linalg.cond(a.astype(np.float64)) * 4 * math.sqrt(max(shape)) * np.finfo(dtype).eps
    oracles = np.linalg.qr(by_columns(a)), scipy.linalg.qr(by_columns(a), mode="economic")
    for q, r in oracles:
        expected = with_positive_diagonal(q, r)
        np.testing.assert_allclose(by_columns(found), expected, atol=moves, rtol=0)


@pytest.mark.parametrize("shape", [(70, 33), (33, 70), (17, 17)])
def test_dependent_columns_leave_an_orthonormal_basis_that_holds_them(shape, factor):
    rng = np.random.default_rng(1)
    rank = 5
    a = by_columns(rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1])))
    a = np.ascontiguousarray(a if shape[0] >= shape[1] else a.T)
    q = by_columns(factor(a))
    assert_orthonormal(q)
    tall = by_columns(a)
    np.testing.assert_allclose(q @ (q.T @ tall), tall, atol=1e-12)
    first = with_positive_diagonal(*np.linalg.qr(tall[:, :rank]))
    np.testing.assert_allclose(q[:, :rank], first, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_zeros_give_the_identity(shape, dtype, factor):
    for zero in (0.0, -0.0):
        np.testing.assert_array_equal(factor(np.full(shape, zero, dtype)), np.eye(*shape))


def test_a_column_of_zeros_takes_what_the_others_leave(factor):
    a = gaussian((70, 33))
    a[:, [0, 7, 32]] = 0.0
    q = factor(a)
    assert_orthonormal(q)
    # R of a zero column is zero, and its sign +1: the columns before it are reflected, it is not
    for k in (0, 7, 32):
        left, _ = scipy.linalg.qr(q[:, :k]) if k else (np.eye(70), None)
        np.testing.assert_allclose(q[:, :k].T @ q[:, k], 0.0, atol=1e-14)
        assert np.linalg.norm(left[:, k:].T @ q[:, k]) == pytest.approx(1.0)
    np.testing.assert_array_equal(q[:, 0], np.eye(70)[0])
    kept = np.delete(np.arange(33), [0, 7, 32])
    assert (np.sum(q * a, axis=0)[kept] > 0).all(), "the diagonal of R"


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        ([[-3.0]], [[-1.0]]),
        ([[0.0]], [[1.0]]),
        ([[3.0], [-4.0]], [[0.6], [-0.8]]),
        ([[0.0], [-2.0]], [[0.0], [-1.0]]),
        ([[-3.0, 4.0]], [[-0.6, 0.8]]),
        ([[0.0, 0.0]], [[1.0, 0.0]]),
        ([[2.0, 5.0], [0.0, -3.0]], [[1.0, 0.0], [0.0, -1.0]]),
    ],
)
def test_small_ones_by_hand(a, expected, factor):
    np.testing.assert_allclose(factor(np.array(a)), expected, atol=1e-15)


@pytest.mark.parametrize("shape", [(70, 33), (33, 70), (17, 17)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_magnitudes_from_the_smallest_to_the_largest_number(shape, dtype, factor):
    a = gaussian(shape, dtype)
    expected = factor(a)
    limits = np.finfo(dtype)
    columns = np.geomspace(limits.tiny, limits.max / 8, min(shape)).astype(dtype)
    scaled = a * (columns if shape[0] >= shape[1] else columns[:, None])
    # scaling by other than powers of two rounds every entry once
    moves = np.linalg.cond(a.astype(np.float64)) * 8 * math.sqrt(max(shape)) * limits.eps
    np.testing.assert_allclose(factor(scaled), expected, atol=moves, rtol=0)
    assert_orthonormal(factor(a * limits.smallest_subnormal * 8))
    np.testing.assert_array_equal(factor(a * dtype_power(dtype)), expected)


def dtype_power(dtype):
    return np.dtype(dtype).type(2.0**-40)


def test_a_residual_too_small_to_be_squared_still_has_a_direction(factor):
    a = np.array([[1.0, 1.0], [0.0, -3e-200], [0.0, 4e-200]])
    np.testing.assert_allclose(factor(a), [[1.0, 0.0], [0.0, -0.6], [0.0, 0.8]], atol=1e-15)


def test_an_orthonormal_matrix_stays(factor):
    q = factor(gaussian((70, 33)))
    np.testing.assert_allclose(factor(q), q, atol=1e-14)


@pytest.mark.parametrize("shape", [(70, 33), (33, 70), (17, 17)])
def test_out_and_memory_orders(shape, factor):
    a = gaussian(shape)
    given = a.copy()
    expected = factor(a)
    np.testing.assert_array_equal(a, given)
    for out in (np.full(shape, np.nan), np.full(shape, np.nan, order="F")):
        assert factor(np.asfortranarray(a), out=out) is out
        np.testing.assert_allclose(out, expected, atol=1e-12)
    every_other = np.repeat(a, 2, axis=1)[:, ::2]
    np.testing.assert_allclose(factor(every_other), expected, atol=1e-12)
    assert factor(a, out=a) is a
    np.testing.assert_allclose(a, expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_factor(shape, factor):
    assert factor(np.empty(shape)).shape == shape


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_not_finite_is_refused_before_anything_is_written(wrong, backend):
    a, out = gaussian((6, 4)), np.zeros((6, 4))
    a[4, 1] = wrong
    with pytest.raises(ValueError, match=rf"finite; a\[4, 1\] is {wrong}"):
        orthonormal_factor(a, out=out, backend=backend)
    assert not out.any()


def test_what_does_not_fit_is_refused():
    a = gaussian((6, 4))
    with pytest.raises(TypeError, match="float32 or float64, not int64"):
        orthonormal_factor(np.ones((2, 2), np.int64))
    with pytest.raises(ValueError, match=r"a matrix, not of shape \(6,\)"):
        orthonormal_factor(a[:, 0])
    with pytest.raises(ValueError, match=r"float64 of shape \(6, 4\), not float64, \(4, 6\)"):
        orthonormal_factor(a, out=np.empty((4, 6)))
    with pytest.raises(ValueError, match="not float32"):
        orthonormal_factor(a, out=np.empty((6, 4), np.float32))
    with pytest.raises(ValueError, match="C or Fortran order"):
        orthonormal_factor(a, out=np.empty((12, 4))[::2])
    frozen = np.empty((6, 4))
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="writable"):
        orthonormal_factor(a, out=frozen)
    with pytest.raises(KeyError, match="unknown backend 'fortran'"):
        orthonormal_factor(a, backend="fortran")


def test_threads_and_limits_change_only_the_rounding(monkeypatch):
    monkeypatch.setattr(tuning, "UNBLOCKED_ENTRIES", 0)
    monkeypatch.setattr(tuning, "UPDATE_SLAB", 16)
    monkeypatch.setattr(tuning, "OPERATIONS_A_THREAD", 1.0)
    monkeypatch.setattr(tuning, "SLAB_COLUMNS", 16)
    a = gaussian((120, 60))
    expected = orthonormal_factor(a, threads=1)
    for limit in (1, 2, 4):
        with threadpool_limits(limit, "blas"):
            found = orthonormal_factor(a, threads=limit)
        np.testing.assert_allclose(found, expected, atol=1e-13, rtol=0)


@pytest.mark.parametrize("shape", [(512, 512), (1024, 512), (256, 784)])
def test_memory_beside_the_output_is_bounded(shape, monkeypatch):
    # what the panels hold does not matter, and plain Python is slow to factor them
    def factor_panel(addresses, *arrays):
        for array in arrays:
            array.fill(1)

    monkeypatch.setattr(orthogonalize, "_factor_panel", factor_panel)
    a, out = np.zeros(shape, np.float32), np.empty(shape, np.float32)
    orthonormal_factor(a, out=out)
    tracemalloc.start()
    orthonormal_factor(a, out=out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 * out.nbytes < peak <= 1.2 * out.nbytes
