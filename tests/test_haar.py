"""The distribution, the accuracy and the conventions of Haar matrices."""

import math
import subprocess
import sys
import threading
import tracemalloc

import child
import numba
import numpy as np
import pytest
from scipy import stats
from scipy.linalg import lapack
from threadpoolctl import threadpool_info, threadpool_limits

from initperf._core.arguments import BACKENDS
from initperf.jit import tuning
from initperf.jit.blas import blas_threads as limit_blas
from initperf.kernels import KERNELS, haar
from initperf.kernels._householder import householder
from initperf.kernels.fill_normal import fill_normal_reference

KEY = np.uint64(20)
DTYPES = ("float32", "float64")
SHAPES = ((70, 33), (33, 70), (64, 64), (40, 17), (17, 40), (17, 17), (1, 6), (6, 1), (1, 1))
# in plain Python a draw takes some ten milliseconds
DRAWS = {"numpy": 3000, "numba": 300 if numba.config.DISABLE_JIT else 3000}
LEVEL = 1e-3


def draw(shape, backend="numba", *, dtype="float64", stream=0, gain=1.0, threads=None):
    out = np.full(shape, np.nan, dtype)
    KERNELS["haar"][backend](out, KEY, np.uint64(stream), gain, threads)
    return out


@pytest.fixture(params=["reflectors", "panels"])
def code(request, monkeypatch):
    """Take the code for small matrices, or that for large ones, in panels of 32."""
    monkeypatch.setattr(tuning, "UNBLOCKED_ENTRIES", 0 if request.param == "panels" else 20_000)


@pytest.fixture
def threaded(monkeypatch):
    """Let any matrix be large enough for panels, for threads, and for many slabs."""
    monkeypatch.setattr(tuning, "UNBLOCKED_ENTRIES", 0)
    monkeypatch.setattr(tuning, "OPERATIONS_A_THREAD", 1.0)
    monkeypatch.setattr(tuning, "SLAB_COLUMNS", 16)


def by_columns(matrix):
    return matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_columns_or_rows_are_orthonormal(shape, dtype, code):
    q = by_columns(draw(shape, dtype=dtype)).astype(np.float64)
    # the limits asked for up to 4096 columns
    allowed = {"float32": 2e-6, "float64": 1e-14}[dtype]
    assert np.abs(q.T @ q - np.eye(q.shape[1])).max() <= allowed
    # by Weyl's inequality no singular value of QᵀQ − I exceeds the sum of a row's magnitudes
    np.testing.assert_allclose(np.linalg.svd(q)[1], 1.0, atol=allowed * q.shape[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_lapack_makes_the_same_of_the_same_reflectors(shape, dtype, code):
    m, n = max(shape), min(shape)
    normals = np.empty(m * n - n * (n - 1) // 2, dtype)
    fill_normal_reference(normals, KEY, np.uint64(0), np.uint64(0), 0.0, 1.0)
    larfg, orgqr = lapack.get_lapack_funcs(("larfg", "orgqr"), dtype=np.dtype(dtype))
    packed, taus, signs = np.zeros((m, n), dtype, order="F"), np.empty(n, dtype), np.empty(n)
    runs = np.split(normals, np.cumsum(np.arange(m, m - n, -1))[:-1])
    for k, x in enumerate(runs):
        # LAPACK takes a vector of one entry as it is, without a reflection
        head, tail, tau = larfg(x.size, x[0], x[1:]) if x.size > 1 else (x[0], x[1:], 0.0)
        packed[k + 1 :, k], taus[k], signs[k] = tail, tau, np.sign(head)
    expected, _, info = orgqr(packed, taus)
    assert info == 0
    # two float computations of n reflections, each some √m roundings off
    tolerance = 4 * math.sqrt(m) * np.finfo(dtype).eps
    found = by_columns(draw(shape, dtype=dtype))
    np.testing.assert_allclose(found, expected * signs, atol=tolerance, rtol=0)


def distribution(matrices):
    """Return p-values of what Haar's distribution says of 5 × 5 matrices, one entry a statement.

    Trace: mean 0, variance 1, fourth moment 3 (Diaconis & Shahshahani 1994). An entry x has
    (x + 1) / 2 distributed as Beta(2, 2). Multiplied by its determinant a matrix is Haar in
    SO(5), whose two eigenvalue angles in (0, π) have the density (2 − cos θ − cos 3θ) / 2π
    (Katz & Sarnak 1999); one of the two is taken at random, for independence.
    """
    count, n, _ = matrices.shape
    trace = np.trace(matrices, axis1=1, axis2=2)
    determinant = np.linalg.det(matrices)
    angles = np.sort(np.angle(np.linalg.eigvals(matrices * np.sign(determinant)[:, None, None])))
    angle = angles[np.arange(count), np.random.default_rng(1).integers(3, 5, count)]
    entries = [stats.kstest((matrices[:, i, 0] + 1) / 2, "beta", args=(2, 2)) for i in range(n)]
    return {
        "trace": 2 * stats.norm.sf(abs(trace.mean()) * math.sqrt(count)),
        "variance": 2 * stats.norm.sf(abs((trace**2).mean() - 1) * math.sqrt(count / 2)),
        "determinant": stats.binomtest(int((determinant > 0).sum()), count).pvalue,
        "angle": stats.kstest(
            angle, lambda t: (2 * t - np.sin(t) - np.sin(3 * t) / 3) / (2 * np.pi)
        ).pvalue,
        **{f"entry {i}": found.pvalue for i, found in enumerate(entries)},
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_square_matrices_follow_the_distribution_of_haar(backend):
    drawn = np.stack([draw((5, 5), backend, stream=i) for i in range(DRAWS[backend])])
    found = distribution(drawn)
    assert min(found.values()) > LEVEL / len(found), found


def test_raw_factors_of_lapack_do_not():
    gaussian = np.random.default_rng(2).standard_normal((3000, 5, 5))
    q, r = np.linalg.qr(gaussian)
    found = distribution(q)
    wrong = {name for name, p in found.items() if p < LEVEL / len(found)}
    assert {"trace", "determinant", "angle", "entry 0"} <= wrong
    found = distribution(q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :])
    assert min(found.values()) > LEVEL / len(found), "signs make the distribution that of Haar"


@pytest.mark.parametrize("shape", [(7, 3), (3, 7)])
def test_every_entry_of_a_rectangle_has_the_distribution_of_a_coordinate_on_the_sphere(shape):
    drawn = np.stack([draw(shape, "numpy", stream=i) for i in range(1000)])
    # (x + 1) / 2 of a coordinate x in 7 dimensions is distributed as Beta(3, 3)
    p = [stats.kstest((x + 1) / 2, "beta", args=(3, 3)).pvalue for x in drawn.reshape(1000, -1).T]
    assert min(p) > LEVEL / len(p)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gain_key_and_stream(backend):
    plain = draw((8, 5), backend)
    np.testing.assert_allclose(draw((8, 5), backend, gain=2.5), 2.5 * plain, rtol=1e-14)
    assert not draw((8, 5), backend, gain=0.0).any()
    np.testing.assert_array_equal(draw((8, 5), backend), plain)
    assert np.abs(draw((8, 5), backend, stream=1) - plain).max() > 0.1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (70, 33), (33, 70)])
def test_drawing_only_zeros_gives_the_identity(shape, backend, code, monkeypatch):
    for name in ("fill_normal", "fill_normal_reference"):
        monkeypatch.setattr(haar, name, lambda out, *rest: out.fill(0))
    np.testing.assert_array_equal(draw(shape, backend, gain=3.0), 3.0 * np.eye(*shape))


def test_sign_of_zero_is_plus_one():
    v, tau, sign = householder(np.array([0.0, 3.0, 4.0]))
    reflected = np.array([0.0, 3.0, 4.0]) - tau * v * (v @ [0.0, 3.0, 4.0])
    np.testing.assert_allclose(reflected, [-5.0, 0.0, 0.0], atol=1e-15)
    assert sign == -1.0
    assert householder(np.array([-0.0, 3.0]))[2] == -1.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_draw(shape, backend):
    assert draw(shape, backend).shape == shape


@pytest.mark.parametrize("shape", [(9, 5), (70, 33), (33, 70)])
def test_out_may_lie_by_columns(shape, code):
    out = np.empty(shape, order="F")
    haar.haar(out, KEY, np.uint64(0), 1.0)
    np.testing.assert_allclose(out, draw(shape), atol=1e-14)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "block"), [((250, 240), 192), ((192, 192), 192), ((230, 98), 96)]
)
def test_triangles_of_panels_are_parted_into_strips(shape, block, dtype, order, monkeypatch):
    monkeypatch.setattr(tuning, "UNBLOCKED_ENTRIES", 0)
    monkeypatch.setattr(haar, "_block", lambda m, n: block)
    out = np.full(shape, np.nan, dtype, order)
    haar.haar(out, KEY, np.uint64(0), 1.0)
    # as the two halves of the kernel are compared, but in absolute terms: all entries are below 1
    allowed = 4 * math.sqrt(shape[0]) * np.finfo(dtype).eps
    np.testing.assert_allclose(out, draw(shape, "numpy", dtype=dtype), atol=allowed, rtol=0)


# as between the two halves of the kernel, but in absolute terms: all entries are below 1
SAME = {"atol": 4 * math.sqrt(90) * np.finfo(float).eps, "rtol": 0}


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_draws_the_same_to_rounding(threads, threaded):
    expected = draw((90, 80), threads=1)
    with threadpool_limits(4, "blas"):
        np.testing.assert_allclose(draw((90, 80), threads=threads), expected, **SAME)


@pytest.mark.parametrize("limit", [1, 2])
def test_any_limit_of_blas_draws_the_same_to_rounding(limit, threaded):
    expected = draw((90, 80), threads=1)
    with threadpool_limits(limit, "blas"):
        np.testing.assert_allclose(draw((90, 80)), expected, **SAME)
        # where another thread has the say over BLAS
        found = []
        other = threading.Thread(target=lambda: found.append(draw((90, 80))))
        other.start()
        other.join()
    np.testing.assert_allclose(found[0], expected, **SAME)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_blas_has_its_threads_back_even_after_a_failure(threaded, monkeypatch):
    during = []

    def fail(out, *rest):
        during.extend(blas_threads())
        raise InterruptedError

    monkeypatch.setattr(haar, "fill_normal", fail)
    with threadpool_limits(2, "blas"):
        with pytest.raises(InterruptedError):
            draw((90, 80))
        assert set(blas_threads()) == {2}
    assert set(during) == {1}


def test_the_blas_of_scipy_is_limited_once_it_is_loaded():
    script = """
from initperf.jit.blas import blas_threads
from threadpoolctl import threadpool_info
with blas_threads(1):
    pass
import scipy.linalg
with blas_threads(1):
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
assert {pool["num_threads"] for pool in pools} == {1}, pools
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_any_thread_limits_blas_whoever_limited_it_before():
    found = []

    def hold():
        with limit_blas(1) as allowed:
            found.append((allowed, set(blas_threads())))

    with threadpool_limits(2, "blas"):  # which leaves this thread the one that may set limits
        other = threading.Thread(target=hold)
        other.start()
        other.join()
        assert found == [(2, {1})]
        assert set(blas_threads()) == {2}


def test_a_second_caller_runs_on_one_thread_and_leaves_blas_alone():
    before = blas_threads()
    held, done = threading.Event(), threading.Event()

    def hold():
        with limit_blas(1) as allowed:
            seen.append(allowed)
            held.set()
            done.wait(child.TIMEOUT_SECONDS)

    seen = []
    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(child.TIMEOUT_SECONDS)
    with limit_blas(1) as allowed:
        seen.append(allowed)
    seen.append(max(blas_threads()))
    done.set()
    other.join()
    assert seen == [min(before), 1, 1]
    assert blas_threads() == before


@pytest.mark.parametrize("shape", [(512, 512), (1024, 512), (256, 784)])
def test_memory_beside_the_output_is_bounded(shape, monkeypatch):
    # what is drawn does not matter, and tracing makes drawing in plain Python slow
    monkeypatch.setattr(haar, "fill_normal", lambda out, *rest: out.fill(1))
    monkeypatch.setattr(haar, "spread", lambda *arrays: [array.fill(1) for array in arrays[:3]])
    out = np.empty(shape, np.float32)
    haar.haar(out, KEY, np.uint64(0), 1.0)
    tracemalloc.start()
    haar.haar(out, KEY, np.uint64(0), 1.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 * out.nbytes < peak <= 1.2 * out.nbytes
