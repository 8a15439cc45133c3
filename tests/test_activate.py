import numpy as np
import pytest

from initperf.activations import ACTIVATIONS
from initperf.kernels import KERNELS
from initperf.kernels.activate import ACTIVATION_STATISTICS


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("units", [1, 3, 8, 33])
@pytest.mark.parametrize("row", [0, 61, 62, 148])  # 62 rows of 33 units are looked at first
def test_a_unit_that_is_awake_in_one_row_alone_is_not_dead(backend, dtype, units, row):
    z = np.full((149, units), -1.0, dtype)
    z[row, -1] = 1e-30  # whose square is no float32
    a, seen, totals = (
        np.zeros(z.size, dtype),
        np.ones(units, dtype),
        np.zeros(len(ACTIVATION_STATISTICS)),
    )
    relu = ACTIVATIONS["relu"]
    KERNELS["activate"][backend](relu, z.reshape(-1), a, seen, totals, np.zeros(1))
    assert totals[ACTIVATION_STATISTICS.index("dead_fraction")] == (units - 1) / units
    assert seen.tolist() == [0.0] * (units - 1) + [1.0]
