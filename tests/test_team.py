"""Fills of hot loops by helpers that wait for work: when they have any, and what they hold.

Draws run in processes of their own, compiled whatever this process does.
"""

import signal
import sys
from types import SimpleNamespace

import child
import pytest

from initperf.jit import tuning
from initperf.kernels import _team
from initperf.kernels._team import CREDIT_SECONDS, FIRST_FILLS, GAIN, REST, Team

COMPILED = {"NUMBA_DISABLE_JIT": "0", "INITPERF_NUM_THREADS": "2"}

HOT = """
import os, sys, threading, time
import numpy as np
from initperf import INITIALIZERS, KERNELS
from initperf.jit import tuning
from initperf.kernels import _team
from initperf.kernels._team import FIRST_FILLS, team

tuning.SPIN_SECONDS = 0.05  # a machine may give this process no time for longer than usual
_team.usable_processors = lambda: 3
uniform = INITIALIZERS["uniform"]
out = np.empty(200_000, np.float32)
expected = uniform(out.size, rng=1, backend="numpy").tobytes()

def loop(turns=2 * FIRST_FILLS, threads=None):
    for _ in range(turns):
        out.fill(-9.0)
        uniform(out.size, rng=1, out=out, threads=threads)
        assert out.tobytes() == expected

def loop_until(condition):
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end
        loop(1)
"""

BITS = """
import numpy as np
from initperf import KERNELS
from initperf.jit import tuning
from initperf.kernels import _team
from initperf.kernels._team import team
from initperf.kernels.fill_truncated_normal import masses

_team.usable_processors = lambda: 5
cut = (0.5, 2.0, -3.5, 4.5, *masses(-2.0, 2.0))
tuning.FILL_PIECE_LEAST, tuning.FILL_PIECE = 256, 1024
for name, parameters in (
    ("fill_uniform", (-0.1, 0.7)), ("fill_normal", (0.5, 2.0)), ("fill_truncated_normal", cut)
):
    for dtype in ("float32", "float64"):
        for size in (1, 255, 5_000, 40_001):
            for start in (0, 77):
                source = np.uint64(2**63 + 1), np.uint64(7), np.uint64(start)
                expected, found = np.zeros(size, dtype), np.full(size + 2, -9.0, dtype)
                KERNELS[name]["numba"](expected, *source, *parameters)
                for threads in (2, 5):
                    found[1:-1] = -9.0
                    run = KERNELS[name]["numba"]
                    assert team().fill(run, found[1:-1], source, parameters, threads)
                    assert found[1:-1].tobytes() == expected.tobytes()
                    assert found[0] == found[-1] == -9.0
print(len(team()))
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="helpers sleep by POSIX's means")


@posix
def test_helpers_give_the_bits_of_one_thread():
    assert child.run(BITS, **COMPILED) == "4\n"


@posix
def test_a_hot_loop_has_helpers_that_sleep_after_it():
    code = f"""{HOT}
loop_until(lambda: team().awake == 1)
print(len(team()))
end = time.monotonic() + 240
while team().awake:
    assert time.monotonic() < end
    time.sleep(0.01)
begin = time.process_time()
time.sleep(0.5)
print(time.process_time() - begin < 0.1)
"""
    assert child.run(code, **COMPILED) == "1\nTrue\n"


@posix
@pytest.mark.parametrize("threads", ["1", "None"])
def test_one_thread_has_no_helpers(threads):
    code = f"{HOT}\nloop(threads={threads})\nprint(len(team()))"
    environment = COMPILED | {"INITPERF_NUM_THREADS": "1"}
    assert child.run(code, **environment) == "0\n"


@posix
@pytest.mark.parametrize(("processors", "helpers"), [(1, 0), (2, 1), (4, 3)])
def test_there_are_no_more_threads_than_processors(processors, helpers):
    code = f"""{HOT}
_team.usable_processors = lambda: {processors}
loop(threads=4)
print(len(team()))
"""
    assert child.run(code, **COMPILED) == f"{helpers}\n"


@posix
def test_a_system_that_starts_no_thread_has_fills_without_helpers():
    code = f"""{HOT}
def refused(thread):
    raise RuntimeError("can't start new thread")

threading.Thread.start = refused
loop()
print(len(team()))
"""
    assert child.run(code, **COMPILED) == "0\n"


@posix
def test_threads_at_once_draw_the_same_in_hot_loops():
    code = f"""{HOT}
def draw():
    own = np.empty(out.size, np.float32)
    for _ in range(100):
        own.fill(-9.0)
        uniform(own.size, rng=1, out=own, threads=3)
        done.append(own.tobytes() == expected)

done = []
threads = [threading.Thread(target=draw) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(done), all(done), len(team()))
"""
    assert child.run(code, **COMPILED) == "600 True 2\n"


@posix
def test_a_forked_child_has_helpers_of_its_own():
    code = f"""{HOT}
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of any fork beside threads
loop()
for _ in range(3):
    process = os.fork()
    if not process:
        import signal
        signal.alarm(240)
        assert len(team()) == 0
        loop_until(lambda: team().awake == 1)
        os._exit(10 + len(team()))
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
loop_until(lambda: team().awake == 1)
"""
    assert child.run(code, **COMPILED) == "11\n" * 3


@posix
@pytest.mark.slow
def test_a_process_ends_while_its_helpers_spin():
    for _ in range(3):
        code = f"{HOT}\nloop_until(lambda: team().awake == 1)"
        assert child.run(code, **COMPILED) == ""


@posix
def test_a_hot_loop_is_interrupted_and_goes_on():
    code = f"""{HOT}
loop_until(lambda: team().awake == 1)
try:
    print("ready", flush=True)
    while True:
        uniform(out.size, rng=1, out=out)
except KeyboardInterrupt:
    loop_until(lambda: team().awake == 1)
    print("again")
"""
    process = child.start(code, **COMPILED)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert child.output(process) == "again\n"


@posix
def test_a_fill_that_fails_is_left_to_one_thread():
    code = f"""{HOT}
from initperf.jit.policy import jit

@jit
def failing(out, key, stream, start, low, high):
    if start > 0:
        raise ValueError("as it shall")
    out[:] = low

zero = np.uint64(0)
print(team().fill(failing, out, (zero, zero, zero), (0.0, 1.0), 2))
print(team().fill(uniform.filler, out, (zero, zero, zero), (0.0, 1.0), 2))
loop()
"""
    assert child.run(code, **COMPILED) == "False\nFalse\n"


@posix
@pytest.mark.slow
def test_a_hot_loop_compiles_nothing_after_warmup(tmp_path):
    code = f"""{HOT}
from initperf.cli.warmup import compile_team
from initperf.jit.internals import install_recorder

compile_team(KERNELS["fill_uniform"]["numba"])
with install_recorder("numba:compile") as compiled:
    loop_until(lambda: team().awake == 1)
print(len(compiled.buffer))
"""
    assert child.run(code, **COMPILED, INITPERF_CACHE=str(tmp_path)) == "0\n"


@pytest.fixture
def clock(monkeypatch):
    """Let the team's time be what a test sets."""
    now = [0.0]
    monkeypatch.setattr(_team.time, "perf_counter", lambda: now[0])
    return now


def test_fills_are_hot_once_many_have_followed_each_other_closely(clock):
    team = Team()
    assert not team.is_hot()
    for _ in range(FIRST_FILLS):
        team.note_end()
        assert not team.is_hot()
    team.note_end()
    clock[0] += 0.9 * tuning.SPIN_SECONDS
    assert team.is_hot()
    clock[0] += 0.2 * tuning.SPIN_SECONDS
    assert not team.is_hot()


@pytest.fixture
def trial(clock, monkeypatch):
    """Give a team and a function: whether it is hot after a fill of so many seconds."""
    monkeypatch.setattr(_team, "_possible", lambda: True)
    team = Team()
    team._followed = FIRST_FILLS

    def is_hot_after(seconds, stalled):
        def fill(*_):
            clock[0] += seconds
            return True, stalled

        team._board = SimpleNamespace(awake=1, fill=fill)
        assert team.fill(None, None, (), (), 2)
        return team.is_hot()

    return team, is_hot_after


def test_a_caller_that_waited_for_a_helper_does_without_for_a_while(trial, clock):
    team, is_hot_after = trial
    assert not is_hot_after(0.02, stalled=True)
    clock[0] += 0.99 * REST * 0.02
    team.note_end()
    assert not team.is_hot()
    clock[0] += 0.02 * REST * 0.02
    team.note_end()
    assert team.is_hot()


def test_a_caller_that_gained_much_by_helpers_bears_with_short_delays(trial):
    _, is_hot_after = trial
    assert is_hot_after(2 * CREDIT_SECONDS / GAIN, stalled=False)
    assert is_hot_after(0.6 * CREDIT_SECONDS, stalled=True)
    assert not is_hot_after(0.6 * CREDIT_SECONDS, stalled=True)
