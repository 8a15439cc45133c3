import numpy as np
import pytest

from initperf.jit.cache_lines import aligned_zeros


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [0, 1, 17, (3, 5), (0, 7), 100_000])
def test_zeros_begin_with_a_cache_line(shape, dtype):
    kept = [aligned_zeros(shape, dtype) for _ in range(20)]  # so that addresses differ
    for array in kept:
        assert array.size == 0 or array.ctypes.data % 64 == 0
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        np.testing.assert_array_equal(array, np.zeros(shape, dtype))


def test_arrays_do_not_overlap():
    one, two = aligned_zeros(16), aligned_zeros(16)
    one[:] = 1.0
    assert not two.any()
