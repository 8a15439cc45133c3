"""Draws beside one another, after a fork, and without memory of their own.

Each test runs in a process of its own, which compiles as this one does not have to: what is
tested is compiled code on threads, whatever this process may be doing.
"""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time

import child
import numpy as np
import pytest

from initperf import INITIALIZERS
from initperf._core import parallel
from initperf._core.parallel import default_threads, interrupts_ignored, split

COMPILED = {"NUMBA_DISABLE_JIT": "0"}


def has_layer(name):
    try:
        importlib.import_module(f"numba.np.ufunc.{name}")
    except ImportError:
        return False
    return True


LAYERS = [
    layer
    for layer, module in (("omp", "omppool"), ("workqueue", "workqueue"), ("tbb", "tbbpool"))
    if has_layer(module)
]

CONCURRENT = f"""{child.PARTED}
import threading
import numba, numpy as np
from initperf import INITIALIZERS
from initperf._core import parallel

DISTRIBUTIONS = [INITIALIZERS[name] for name in NAMES]
expected = [rule(200_000, rng=1, backend="numpy").tobytes() for rule in DISTRIBUTIONS]
found = [[None] * len(DISTRIBUTIONS) for _ in range(16)]
barrier = threading.Barrier(16)

def draw(number):
    barrier.wait()
    for turn in range(3):
        for at, distribution in enumerate(DISTRIBUTIONS):
            found[number][at] = distribution(200_000, rng=1, threads=1 + number % 5).tobytes()

threads = [threading.Thread(target=draw, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [expected] * 16
assert len(parallel.HELPERS) == 4
try:
    print(numba.threading_layer())
except ValueError:
    print("no threading layer")
"""


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("layer", LAYERS)
def test_sixteen_threads_at_once_whatever_the_threading_layer(layer):
    # None of numba's layers, which abort when used so, is even started.
    code = f"NAMES = 'uniform', 'normal', 'truncated_normal'\n{CONCURRENT}"
    assert child.run(code, NUMBA_THREADING_LAYER=layer, **COMPILED) == "no threading layer\n"


@pytest.mark.slow
def test_sixteen_threads_at_the_first_call_of_all(tmp_path):
    code = f"NAMES = 'uniform',\n{CONCURRENT}"
    assert child.run(code, INITPERF_CACHE=str(tmp_path), **COMPILED) == "no threading layer\n"


FORK = f"""{child.PARTED}
import os, signal, threading, warnings
from initperf import INITIALIZERS
from initperf._core import parallel

# Python warns of any fork beside threads; that these do no harm is what is tested.
warnings.simplefilter("ignore", DeprecationWarning)
normal, stop = INITIALIZERS["normal"], threading.Event()

def draw():
    return normal(200_000, rng=1, threads=4).tobytes()

def keep_drawing():
    while not stop.is_set():
        assert draw() == expected

expected = draw()
busy = [threading.Thread(target=keep_drawing) for _ in range(BUSY)]
for thread in busy:
    thread.start()
for _ in range(10):
    process = os.fork()
    if not process:
        signal.alarm(240)
        os._exit(draw() != expected)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
assert len(parallel.HELPERS) == 3
stop.set()
for thread in busy:
    thread.join()
assert draw() == expected
"""

if hasattr(os, "fork"):

    @pytest.mark.parametrize("busy", [0, pytest.param(3, marks=pytest.mark.slow)])
    def test_a_fork_after_use_and_during_it_draws_on(busy):
        assert child.run(f"BUSY = {busy}\n{FORK}", **COMPILED) == "0\n" * 10


MEMORY = """
import sys, tracemalloc
import numpy as np
from initperf import INITIALIZERS
from initperf._core import parallel

def grown(initializer, out):
    for _ in range(2):
        tracemalloc.start()
        before = resident()
        initializer(out.shape, rng=1, out=out)
        growth, peak = resident() - before, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    print(peak, growth)

def resident():
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * 4096

for name in ("uniform", "normal", "truncated_normal"):
    grown(INITIALIZERS[name], np.ones((4096, 2048), np.float32))
grown(INITIALIZERS["normal"], np.ones((4096, 2048), np.float32, order="F"))
"""

if sys.platform == "linux":

    @pytest.mark.slow
    def test_an_existing_array_is_filled_without_memory_of_its_own():
        lines = child.run(MEMORY, INITPERF_NUM_THREADS="2", **COMPILED).splitlines()
        *contiguous, fortran = [list(map(int, line.split())) for line in lines]
        # The kernel counts resident pages by batches for each processor, 64 of 4 KiB.
        most = 2**20 + (os.cpu_count() or 1) * 2**18
        for traced, resident in contiguous:
            assert traced < 16 * 2**10
            assert resident < most
        # In another order, one buffer of 2^16 values.
        assert fortran[0] < 2**16 * 4 + 32 * 2**10
        assert fortran[1] < most


@pytest.mark.parametrize("threads", [1, 2, 5, 1000])
def test_any_number_of_threads_covers_everything_once(threads):
    covered = np.zeros(10_007, np.int64)

    def task(begin, end):
        assert begin % 100 == 0
        covered[begin:end] += 1

    split(covered.size, 100, task, threads)
    assert np.all(covered == 1)


def test_parts_shrink_towards_the_end_to_one_piece():
    parts = []
    split(10_000, 100, lambda begin, end: parts.append((begin, end - begin)), 2)
    sizes = [size for _, size in sorted(parts)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 2500
    assert sizes[-1] == 100


def test_a_helper_that_comes_too_late_is_not_waited_for(monkeypatch):
    late = []
    monkeypatch.setattr(parallel.HELPERS, "ask", lambda work, count: late.append(work))
    done = []
    split(1000, 100, lambda begin, end: done.append(end - begin), 2)
    assert sum(done) == 1000
    late[0]()
    assert sum(done) == 1000


def test_an_error_of_one_thread_is_raised_when_all_have_ended():
    begun = []

    def task(begin, end):
        begun.append(begin)
        if begin <= 300 < end:
            raise ArithmeticError("at 300")

    with pytest.raises(ArithmeticError, match="at 300"):
        split(10_000, 100, task, 3)
    after = len(begun)
    time.sleep(0.05)
    assert len(begun) == after


def test_nothing_is_done_where_there_are_no_items():
    done = []
    split(0, 100, lambda begin, end: done.append((begin, end)), 4)
    assert done == [(0, 0)]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a matter of Linux alone")
def test_helpers_do_not_share_the_processor_of_the_caller(monkeypatch):
    allowed = os.sched_getaffinity(0)
    for caller in sorted(allowed)[:2]:
        monkeypatch.setattr(parallel, "current_processor", lambda caller=caller: caller)
        both, seen = threading.Barrier(2), {}

        def task(begin, end, both=both, seen=seen):
            both.wait(child.TIMEOUT_SECONDS)  # each thread has one of the two parts
            seen[threading.current_thread().name] = os.sched_getaffinity(0)

        split(2, 1, task, 2)
        assert seen.pop(threading.current_thread().name) == allowed
        assert list(seen.values()) == [allowed - {caller} or allowed]


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs helpers that are confined to some of the processors",
)
def test_a_helper_that_compiled_while_the_caller_moved_leaves_it_alone(monkeypatch):
    allowed = os.sched_getaffinity(0)
    first, then = sorted(allowed)[:2]
    helpers, entered, moved = parallel.Helpers(), threading.Event(), threading.Event()
    seen = []

    def compiles():
        with helpers.unconfined():
            seen.append(os.sched_getaffinity(0))
            entered.set()
            moved.wait(child.TIMEOUT_SECONDS)
        seen.append(os.sched_getaffinity(0))
        left.set()

    left = threading.Event()
    for caller, work in ((first, compiles), (then, lambda: None)):
        monkeypatch.setattr(parallel, "current_processor", lambda caller=caller: caller)
        helpers.ask(work, 1)
        assert entered.wait(child.TIMEOUT_SECONDS)
    moved.set()
    assert left.wait(child.TIMEOUT_SECONDS)
    assert seen == [allowed, allowed - {then}]


@pytest.mark.parametrize("count", ["0", "-2", "two", "1.5", "²"])
def test_a_number_of_threads_that_is_none_is_refused(count, monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", count)
    out = np.full(2**21, 5.0, "float32")  # enough for more than one thread
    with pytest.raises(ValueError, match="INITPERF_NUM_THREADS must be a positive integer, not "):
        INITIALIZERS["normal"](out.size, rng=0, out=out)
    assert np.all(out == 5.0)


def test_the_number_of_threads_is_the_environment_s_or_that_of_processors(monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "7")
    assert default_threads() == 7
    monkeypatch.delenv("INITPERF_NUM_THREADS")
    assert 1 <= default_threads() <= (os.cpu_count() or 1)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "")
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


@pytest.mark.skipif(os.name == "nt", reason="signals are held back by POSIX alone")
def test_a_ctrl_c_while_processes_start_is_late_and_not_lost():
    started = []

    def start():
        with interrupts_ignored():
            signal.raise_signal(signal.SIGINT)
            code = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
            started.append(subprocess.run([sys.executable, "-c", code]).returncode)

    with pytest.raises(KeyboardInterrupt):
        start()
    assert started == [0]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
