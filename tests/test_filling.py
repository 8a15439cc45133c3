"""Where draws go: layouts of `out`, what is refused, and that a refusal leaves all as it was."""

import array
import ctypes

import numpy as np
import pytest

from initperf import INITIALIZERS, KERNELS
from initperf._core.arrays import as_output, as_shape
from initperf.initializers import _filling as filling

DRAWN = ("uniform", "normal", "truncated_normal", "constant")
BACKENDS = tuple(KERNELS["fill_normal"])
DTYPES = ("float32", "float64")
SHAPE = (6, 10, 7)

# Each makes, in an array of NaN, a view of shape SHAPE.
LAYOUTS = {
    "C order": lambda dtype: np.full(SHAPE, np.nan, dtype),
    "Fortran order": lambda dtype: np.full(SHAPE, np.nan, dtype, order="F"),
    "axes exchanged": lambda dtype: np.full((10, 7, 6), np.nan, dtype).transpose(2, 0, 1),
    "every other column": lambda dtype: np.full((6, 10, 14), np.nan, dtype)[:, :, ::2],
    "columns of an odd row": lambda dtype: np.full((6, 10, 13), np.nan, dtype)[:, :, ::2],
    "every third row": lambda dtype: np.full((18, 10, 7), np.nan, dtype)[1::3],
    "reversed": lambda dtype: np.full(SHAPE, np.nan, dtype)[::-1, :, ::-1],
    "a block": lambda dtype: np.full((8, 12, 9), np.nan, dtype)[1:7, 1:11, 1:8],
    "a field": lambda dtype: np.full(SHAPE, np.nan, [("w", dtype), ("d", dtype)])["w"],
}


def base_of(view):
    while view.base is not None:
        view = view.base
    return view


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", DRAWN)
def test_any_layout_gets_the_values_in_c_order_and_nothing_else_is_written(
    name, layout, dtype, backend
):
    initializer = INITIALIZERS[name]
    expected = initializer(SHAPE, rng=1, dtype=dtype, offset=77)
    out = LAYOUTS[layout](dtype)
    assert initializer(SHAPE, rng=1, out=out, offset=77, backend=backend) is out
    np.testing.assert_array_equal(out, expected, strict=True)
    out[...] = np.nan
    rest = base_of(out)
    for field in rest.dtype.names or [...]:
        assert np.all(np.isnan(rest[field]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_kernels_are_given_contiguous_arrays_only(layout, dtype, monkeypatch):
    given = []
    INITIALIZERS["normal"](SHAPE, rng=1, dtype=dtype)  # what a value costs is looked up once
    monkeypatch.setattr(
        filling, "KERNELS", {"fill_normal": {"numba": lambda out, *_: given.append(out)}}
    )
    INITIALIZERS["normal"](SHAPE, rng=1, out=LAYOUTS[layout](dtype))
    assert sum(out.size for out in given) == np.prod(SHAPE)
    assert all(out.ndim == 1 and out.flags.c_contiguous for out in given)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_strided_array_larger_than_the_buffer(dtype):
    shape = (300, 450)
    expected = INITIALIZERS["normal"](shape, rng=1, dtype=dtype, backend="numpy")
    out = np.empty(shape, dtype, order="F")
    INITIALIZERS["normal"](shape, rng=1, out=out, backend="numpy")
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 5), (3, 0, 2)])
@pytest.mark.parametrize("name", DRAWN)
def test_no_axis_and_no_elements(name, shape, backend):
    out = np.empty(shape, "float64")
    drawn = INITIALIZERS[name](shape, rng=0, dtype="float64", backend=backend)
    assert drawn.shape == shape
    assert INITIALIZERS[name](shape, rng=0, out=out, backend=backend) is out
    np.testing.assert_array_equal(out, drawn)
    INITIALIZERS[name](shape, out=np.empty((*shape, 2), "float32")[..., 0], backend=backend)


def test_without_elements_strides_do_not_matter():
    out = np.broadcast_to(np.float32(1), (0, 5)).copy(order="F")
    view = np.lib.stride_tricks.as_strided(out, (0, 5), (4, 0))
    assert INITIALIZERS["normal"]((0, 5), out=view) is view


def test_subclasses_of_arrays_are_filled(tmp_path):
    expected = INITIALIZERS["normal"]((4, 6), rng=0)
    mapped = np.memmap(tmp_path / "weights", "float32", "w+", shape=(4, 6))
    masked = np.ma.masked_array(np.zeros((4, 6), "float32"), mask=np.eye(4, 6))
    for out in (mapped, masked, np.zeros((4, 6), "float32").view(np.recarray)):
        assert INITIALIZERS["normal"]((4, 6), rng=0, out=out) is out
        np.testing.assert_array_equal(np.asarray(out), expected)
    assert np.all(masked.mask == np.eye(4, 6))


def test_what_gives_a_writable_buffer_is_filled():
    expected = INITIALIZERS["normal"](12, rng=0).tolist()
    buffers = (array.array("f", bytes(48)), (ctypes.c_float * 12)(), memoryview(bytearray(48)))
    for out in (buffers[0], buffers[1], buffers[2].cast("f")):
        assert INITIALIZERS["normal"](12, rng=0, out=out) is out
        assert list(out) == expected


class Tensor:
    """What a tensor of PyTorch shows of itself to NumPy."""

    def __init__(self, values):
        self.values = values

    def detach(self):
        return self

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_a_tensor_is_filled_through_its_array():
    out = Tensor(np.zeros((3, 4), "float64"))
    assert INITIALIZERS["normal"]((3, 4), rng=0, out=out) is out
    np.testing.assert_array_equal(
        out.values, INITIALIZERS["normal"]((3, 4), rng=0, dtype="float64")
    )


def overlapping():
    return np.broadcast_to(np.zeros(4, "float32").copy(), (3, 4))


def strided(shape, strides):
    return np.lib.stride_tricks.as_strided(np.zeros(64, "float32"), shape, strides)


def read_only():
    out = np.zeros((3, 4), "float32")
    out.flags.writeable = False
    return out


def misaligned():
    return np.zeros(49, np.uint8)[1:].view("float32").reshape(3, 4)


REFUSED = {
    "not an array": (lambda: [[0.0] * 4] * 3, TypeError, "NumPy view, and list does not"),
    "a number": (lambda: 1.0, TypeError, "NumPy view, and float does not"),
    "bytes": (lambda: memoryview(bytes(48)).cast("B").cast("f", (3, 4)), ValueError, "writable"),
    "read-only": (read_only, ValueError, "out must be writable"),
    "another shape": (lambda: np.zeros((4, 3), "float32"), ValueError, r"shape \(3, 4\), not"),
    "one axis less": (lambda: np.zeros(12, "float32"), ValueError, r"shape \(3, 4\), not \(12,\)"),
    "half precision": (lambda: np.zeros((3, 4), "float16"), ValueError, "float32 or float64, not"),
    "integers": (lambda: np.zeros((3, 4), "int32"), ValueError, "float32 or float64, not"),
    "complex": (lambda: np.zeros((3, 4), "complex64"), ValueError, "float32 or float64, not"),
    "objects": (lambda: np.zeros((3, 4), "object"), ValueError, "float32 or float64, not"),
    "other bytes first": (
        lambda: np.zeros((3, 4), np.dtype("float32").newbyteorder()),
        ValueError,
        "float32 or float64, not",
    ),
    "misaligned": (misaligned, ValueError, "out must be aligned"),
    "broadcast": (overlapping, ValueError, "out must"),
    "overlapping rows": (lambda: strided((3, 4), (4, 4)), ValueError, "share memory"),
    "overlapping backwards": (lambda: strided((3, 4), (12, 4)), ValueError, "share memory"),
    "one element many times": (lambda: strided((3, 4), (0, 0)), ValueError, "share memory"),
}


@pytest.mark.parametrize("name", [*DRAWN, "orthogonal"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_filled_is_refused_and_left_as_it_was(case, name):
    make, error, message = REFUSED[case]
    out, generator = make(), np.random.default_rng(0)
    before, state = np.asarray(out).tobytes(), generator.bit_generator.state
    with pytest.raises(error, match=message):
        INITIALIZERS[name]((3, 4), rng=generator, out=out)
    assert np.asarray(out).tobytes() == before
    assert generator.bit_generator.state == state


def test_columns_that_do_not_overlap_are_not_refused():
    # Rows are 28 bytes apart and their last element ends after 28: they touch.
    out = np.zeros((3, 7), "float32")[:, ::2]
    assert as_output(out, (3, 4)) is out


SOURCES = {
    "rng": (
        [("7", TypeError), (1.5, TypeError), (True, TypeError), (-3, ValueError)],
        "rng must be",
    ),
    "stream": (
        [(-1, ValueError), (2**64, ValueError), (0.5, TypeError), ("1", TypeError)],
        "stream must be",
    ),
    "offset": (
        [(-1, ValueError), (2**64, ValueError), (1.0, TypeError), (True, TypeError)],
        "offset must be",
    ),
    "threads": (
        [(0, ValueError), (-1, ValueError), (1.5, ValueError), (True, ValueError)],
        "threads must be a positive integer",
    ),
    "backend": ([("cuda", ValueError), (None, ValueError)], "backend must be 'numpy' or 'numba'"),
    "dtype": ([("float64", ValueError)], "dtype is 'float64', but out holds float32"),
}


@pytest.mark.parametrize("name", [*DRAWN, "orthogonal"])
@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [(argument, *case) for argument, (cases, _) in SOURCES.items() for case in cases],
)
def test_a_source_that_is_none_is_refused_before_anything_is_written(name, argument, value, error):
    out, generator = np.full((3, 4), 5.0, "float32"), np.random.default_rng(0)
    state = generator.bit_generator.state
    with pytest.raises(error, match=SOURCES[argument][1]):
        INITIALIZERS[name]((3, 4), **({"rng": generator, "out": out} | {argument: value}))
    assert np.all(out == 5.0)
    assert generator.bit_generator.state == state


@pytest.mark.parametrize("name", DRAWN)
def test_a_draw_ends_before_its_stream_does(name):
    out = np.full(12, 5.0, "float32")
    with pytest.raises(
        ValueError, match=r"offset plus the number of values must be .* below 2\*\*64"
    ):
        INITIALIZERS[name](12, rng=0, out=out, offset=2**64 - 12)
    assert np.all(out == 5.0)
    INITIALIZERS[name](12, rng=0, out=out, offset=2**64 - 13)


TOO_LARGE = [
    ("constant", {"value": 1e39}),
    ("normal", {"scale": 1e38}),
    ("normal", {"loc": -1e39}),
    ("uniform", {"low": -3e38, "high": 3e38}),
    ("uniform", {"low": -1e39, "high": 0.0}),
    ("truncated_normal", {"scale": 1e39, "low": -1e39, "high": 1e39}),
    ("truncated_normal", {"loc": 1e39, "high": np.inf}),
    ("orthogonal", {"gain": 1e39}),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "parameters"), TOO_LARGE)
def test_a_distribution_beyond_the_range_of_the_dtype_is_refused(name, parameters, backend):
    initializer, shape = INITIALIZERS[name].replace(**parameters), (3, 4)
    out = np.full(shape, 5.0, "float32")
    with pytest.raises(ValueError, match="is more than float32 can hold"):
        initializer(shape, rng=0, out=out, backend=backend)
    assert np.all(out == 5.0)
    assert np.all(np.isfinite(initializer(shape, rng=0, dtype="float64", backend=backend)))


@pytest.mark.parametrize("dtype", ["int32", "complex128", ">f4", "nonsense", object, 3])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be float32 or float64, or"):
        INITIALIZERS["normal"](3, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("f4"), "<f4", "single"])
def test_a_dtype_may_be_named_as_in_numpy(dtype):
    assert INITIALIZERS["normal"](3, dtype=dtype).dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "checked"),
    [(5, (5,)), ((), ()), ([2, 3], (2, 3)), (np.array([2, 3]), (2, 3)), (np.int8(4), (4,))],
)
def test_shapes(shape, checked):
    assert as_shape(shape) == checked
    assert INITIALIZERS["normal"](shape).shape == checked


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        (-1, ValueError),
        ((3, -1), ValueError),
        (2**62, ValueError),
        ((2**40, 2**40), ValueError),
        (2.0, TypeError),
        ((2, 2.5), TypeError),
        ("12", TypeError),
        (None, TypeError),
        (True, TypeError),
        ((2, True), TypeError),
        ([[1, 2]], TypeError),
        (1 + 0j, TypeError),
    ],
)
def test_absurd_shapes_are_refused(shape, error):
    with pytest.raises(error, match=r"shape (must|has)"):
        INITIALIZERS["normal"](shape)
