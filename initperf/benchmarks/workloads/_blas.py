"""The number of BLAS threads, set within a microsecond, so that timed calls can do it."""

from collections.abc import Callable

import threadpoolctl


def blas_setter(threads: int) -> Callable[[], None]:
    """Return a function that sets both pools, NumPy's and SciPy's, to so many threads.

    It takes a microsecond, so that methods with different numbers can take turns.
    """
    import scipy.linalg  # noqa: F401  # loads the pool that compiled code calls

    pools = [
        pool
        for pool in threadpoolctl.ThreadpoolController().lib_controllers
        if pool.user_api == "blas"
    ]

    def limit() -> None:
        for pool in pools:
            pool.set_num_threads(threads)

    return limit
