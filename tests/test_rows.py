import child
import numpy as np
import pytest

from initperf.jit.policy import jit
from initperf.jit.views import as_row, as_rows

COUNTED = """
import re
from typing import NamedTuple
import numba
import numpy as np
from initperf.jit.views import unowned

class Pair(NamedTuple):
    values: np.ndarray
    count: int

@numba.njit
def end(part):
    part[part.size - 1] += 1.0

@numba.njit
def write(pair):
    pair = PREPARED
    for begin in range(pair.count):
        part = pair.values[begin:]
        if part.size > 2:
            part = part[1:]
        part[0] = begin
        end(part)

values = np.zeros(3)
write(Pair(values, 3))
code = write.inspect_llvm(write.signatures[0])
print(*values, len(re.findall("call void @NRT_incref", code)))
"""


@pytest.fixture(scope="module")
def counted():
    processes = [
        child.start(COUNTED.replace("PREPARED", prepared), NUMBA_DISABLE_JIT="0")
        for prepared in ("pair", "unowned(pair)")
    ]
    return [[float(number) for number in child.output(one).split()] for one in processes]


@pytest.mark.slow
def test_views_of_an_array_without_an_owner_are_not_counted(counted):
    owned, lent = counted
    assert owned[-1] > 0
    assert lent[-1] == 0


@pytest.mark.slow
def test_a_view_without_an_owner_is_of_the_same_memory(counted):
    for *values, _ in counted:
        assert values == [0.0, 1.0, 3.0]


@jit
def rows_of(array, count, length):
    return as_rows(array, count, length).copy()


@jit
def row_of(matrix):
    return as_row(matrix).copy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("count", "length"), [(0, 3), (1, 4), (3, 2), (2, 5)])
def test_rows_are_those_of_a_reshape(dtype, count, length):
    flat = np.arange(10, dtype=dtype)
    expected = flat[: count * length].reshape(count, length)
    np.testing.assert_array_equal(rows_of(flat, count, length), expected)
    np.testing.assert_array_equal(rows_of(flat.reshape(5, 2), count, length), expected)
    np.testing.assert_array_equal(row_of(expected), expected.reshape(-1))
    np.testing.assert_array_equal(as_row(expected), expected.reshape(-1))


REFUSED = """
import numba
import numpy as np
from numba.core.errors import TypingError
from initperf.jit.views import as_row, as_rows

rows = numba.njit(lambda array: as_rows(array, 1, 4).sum())
row = numba.njit(lambda array: as_row(array).sum())
for function, array in ((rows, np.ones((2, 8))[:, ::2]), (row, np.ones((3, 2)).T)):
    assert function(array.copy(order="C")) == (6 if function is row else 4)
    try:
        function(array)
    except TypingError as error:
        assert "in C order" in str(error)
    else:
        raise AssertionError(function)
"""


@pytest.mark.slow
def test_rows_are_of_arrays_in_c_order():
    child.run(REFUSED, NUMBA_DISABLE_JIT="0")
