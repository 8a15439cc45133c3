"""The limit of BLAS's threads: every pool, nested, on several threads at a time, and after fork."""

import importlib
import os
import threading

import child
import pytest
from threadpoolctl import threadpool_info

from initperf.jit.blas import blas_threads

importlib.import_module("scipy.linalg")  # loads its pool


def threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two():
    """Give BLAS two threads, and require that each test leaves them."""
    with blas_threads(2):
        assert set(threads()) == {2}
        yield
        assert set(threads()) == {2}


def test_every_pool_is_limited_and_restored_even_after_a_failure():
    during = []

    def fail():
        with blas_threads(1) as allowed:
            during.extend([allowed, set(threads())])
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert during == [2, {1}]
    assert set(threads()) == {2}


def test_the_smallest_of_nested_limits_holds():
    with blas_threads(1), blas_threads(2) as allowed:
        assert allowed == 1
        assert set(threads()) == {1}


def test_none_leaves_the_limit_as_it_is():
    with blas_threads(1), blas_threads(None) as allowed:
        assert (allowed, set(threads())) == (1, {1})
    with blas_threads(None) as allowed:
        assert (allowed, set(threads())) == (2, {2})


@pytest.mark.parametrize("first_out", [0, 1])
def test_blocks_that_overlap_on_two_threads_restore_what_was_before_both(first_out):
    # Each would save what it finds and restore it: the second finds the first one's limit.
    inside, leave = [threading.Event() for _ in range(2)], [threading.Event() for _ in range(2)]
    allowed = [0, 0]

    def hold(number):
        with blas_threads(1) as allowed[number]:
            inside[number].set()
            assert leave[number].wait(child.TIMEOUT_SECONDS)

    callers = [threading.Thread(target=hold, args=(number,)) for number in range(2)]
    for number, caller in enumerate(callers):
        caller.start()
        assert inside[number].wait(child.TIMEOUT_SECONDS)
    assert allowed == [2, 1]
    assert set(threads()) == {1}
    leave[first_out].set()
    callers[first_out].join()
    assert set(threads()) == {1}
    leave[1 - first_out].set()
    callers[1 - first_out].join()
    assert set(threads()) == {2}


CONCURRENT_TRAININGS = """
import threading
import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits
from initperf import Experiment, train
from initperf.data import Dataset

given = threadpool_limits(2, "blas")  # on one processor, OpenBLAS itself would begin with one

rng = np.random.default_rng(0)
images, labels = rng.integers(0, 256, (400, 784), np.uint8), np.arange(400) % 10
data = Dataset(images, labels, images, labels, "mnist", "made by a test")
both, seen = threading.Event(), []

def pools():
    return sorted({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"})

def first_progress(done, total, label):
    if done == 1:  # the second begins while this one trains, and outlives it
        second.start()
        assert both.wait(240)

def second_progress(done, total, label):
    both.set()
    first.join(240)
    seen.append(pools())

def run(epochs, progress):
    experiment = Experiment(hidden=(16,), epochs=epochs, backend="numpy")
    train(experiment, dataset=data, progress=progress)

first = threading.Thread(target=run, args=(2, first_progress))
second = threading.Thread(target=run, args=(3, second_progress))
first.start()
first.join()
second.join()
print(seen, pools())
"""


@pytest.mark.slow
def test_two_trainings_at_once_have_one_thread_and_leave_blas_with_its_own():
    found = child.run(CONCURRENT_TRAININGS)
    assert found == "[[1], [1], [1]] [2]\n"


FORKED = """
import os, threading, warnings
from threadpoolctl import threadpool_info
from initperf.jit.blas import blas_threads

warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads
inside, leave = threading.Event(), threading.Event()

def hold():
    with blas_threads(1):
        inside.set()
        leave.wait(240)

with blas_threads(2):
    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(240)
    child = os.fork()
    if not child:
        with blas_threads(3) as allowed:  # the lock is free, and the other block is not there
            pass
        os._exit(allowed)
    _, status = os.waitpid(child, 0)
    leave.set()
    holder.join()
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_free_of_the_limits_of_other_threads():
    assert child.run(FORKED) == "2\n"


COMPILED_BY_A_HELPER = """
import os, sys, threading
import numpy as np
from threadpoolctl import threadpool_info
from initperf._core.parallel import HELPERS, split
from initperf.kernels.haar import spread

compiled = threading.Event()
rows, scales = np.ones((2, 3), np.float32), np.ones((2, 2), np.float32)

def task(begin, end):
    if threading.current_thread() is threading.main_thread():
        compiled.wait(200)
    else:
        spread(rows, *scales, 1.0)
        print(sorted(os.sched_getaffinity(0)) == sorted(HELPERS._others))
        compiled.set()

assert "scipy.linalg" not in sys.modules
split(2, 1, task, 2)
pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
print(len(set(pools)))  # NumPy's, loaded before, and SciPy's
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs helpers that are confined to some of the processors",
)
def test_a_pool_that_a_compiling_helper_loads_has_all_threads(tmp_path):
    # numba's compiler loads SciPy's; of one thread, it would leave all draws of matrices one
    found = child.run(COMPILED_BY_A_HELPER, INITPERF_CACHE=str(tmp_path), OPENBLAS_NUM_THREADS="")
    assert found == "True\n1\n"
