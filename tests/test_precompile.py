"""Compiling in other processes: what is started, what it leaves, and that it ends."""

import functools
import io
import signal
import subprocess
from pathlib import Path

import child
import pytest

from initperf._core import sharing
from initperf.training import _precompile as precompile
from initperf.training import early
from initperf.training.experiment import Experiment
from initperf.training.grids import grid


@pytest.fixture
def processes():
    """Give the processes that are started instead of such as compile."""
    return []


@pytest.fixture
def started(monkeypatch, tmp_path, processes):
    """Give what each process that is started is told to compile."""
    commands = []
    popen = subprocess.Popen

    def start(command, **options):
        if command[4:]:  # else it waits for what it is told
            assert Path(command[4]).is_dir()  # of claims
            commands.append([Experiment.from_json(text) for text in command[5:]])
        processes.append(popen(["sleep", "600"], **options))
        return processes[-1]

    monkeypatch.setattr(sharing.subprocess, "Popen", start)
    monkeypatch.setattr(precompile, "marker", lambda name: tmp_path / name)
    monkeypatch.setattr("numba.config.DISABLE_JIT", 0)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "3")
    return commands


@pytest.fixture
def taken(monkeypatch):
    """Give the names of the functions that this process would compile."""
    names = []
    compilations = precompile.compilations_by_name
    monkeypatch.setattr(
        precompile,
        "compilations_by_name",
        lambda needed: {
            name: functools.partial(names.append, name) for name in compilations(needed)
        },
    )
    return names


MANY = list(
    grid(activation=["relu", "tanh", "selu", "elu"], dtype=["float32", "float64"], seed=[0, 1])
)
SHARED = {"loop", "forward", "backward", "loss softmax_cross_entropy"}


def test_others_take_all_while_this_process_is_busy(started, processes):
    with precompile.compiling(MANY, joining=False):
        assert [len(told) for told in started] == [8, 8]
        assert {(one.activation, one.dtype) for one in started[0]} == {
            (one.activation, one.dtype) for one in MANY
        }
        assert [process.poll() for process in processes] == [None] * 2
    assert {process.returncode for process in processes} == {-signal.SIGKILL}


def test_this_process_takes_what_no_other_takes(started, processes, taken, tmp_path):
    (tmp_path / "hidden relu with statistics float64").touch()  # compiled before
    with precompile.compiling(MANY, joining=True) as finish:
        for process in processes:
            process.terminate()
        assert finish() == [-signal.SIGTERM] * 2
    assert len(taken) == len(set(taken))
    assert {name.rpartition(" ")[0] for name in taken} > SHARED
    assert {name for name in taken if name.startswith("hidden")} == {
        f"hidden {activation} {statistics}{dtype}"
        for activation in ("relu", "tanh", "selu", "elu")
        for statistics in ("", "with statistics ")
        for dtype in ("float32", "float64")
    } - {"hidden relu with statistics float64"}
    assert sorted(taken[:2]) == ["loop float32", "loop float64"]  # which take the longest


def test_a_name_is_taken_by_one_process(tmp_path):
    ours = sharing.claimed(tmp_path, "abc")
    theirs = sharing.claimed(tmp_path, "abc")
    assert [next(ours), next(theirs), next(ours, None), next(theirs, None)] == ["a", "b", "c", None]


def test_what_is_compiled_is_not_compiled_a_second_time(started, processes, taken, monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    for _ in range(2):
        with precompile.compiling(MANY, joining=True) as finish:
            assert finish() == []
        # an update, linear and hidden passes, the latter of four activations
        assert len(taken) == 2 * (len(SHARED) + 1 + 2 + 4 * 2)


def test_no_process_is_started_for_few_functions(started, processes, taken):
    one, other = Experiment(), Experiment(activation="tanh", optimizer="adam")
    with precompile.compiling([one], joining=True) as finish:
        assert len(started) == 2  # for 9 functions
        for process in processes:
            process.terminate()
        finish()
    with precompile.compiling([other], joining=True) as finish:
        finish()
    assert len(started) == 2
    assert sorted(taken[9:]) == [
        "hidden tanh float32",
        "hidden tanh with statistics float32",
        "update adam with statistics float32",
    ]


def test_processes_that_wait_are_told_before_others_are_started(started, processes):
    with sharing.waiting_helpers("initperf.training._precompile", 1) as waiting:
        assert [process.poll() for process in processes] == [None]
        said = []
        waiting[0].stdin.close()
        waiting[0].stdin = io.BytesIO()
        waiting[0].stdin.close = lambda: said.append(waiting[0].stdin.getvalue().decode())
        with precompile.compiling(MANY, joining=False, waiting=waiting):
            assert len(processes) == 2
            (words,) = said
            _, *told = words.splitlines()
            assert [Experiment.from_json(text) for text in told] == started[0]
    assert {process.returncode for process in processes} == {-signal.SIGKILL}


def test_processes_wait_only_where_nothing_was_compiled(started, processes, monkeypatch, tmp_path):
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path))
    with early.waiting_compilers() as waiting:
        assert len(waiting) == len(processes) == 2
    assert {process.returncode for process in processes} == {-signal.SIGKILL}
    (tmp_path / "code" / "0123").mkdir(parents=True)
    (tmp_path / "code" / "0123" / "4567.compiled").touch()
    with early.waiting_compilers() as waiting:
        assert waiting == []


def test_nothing_is_started_for_numpy_nor_on_one_processor(started, monkeypatch):
    with precompile.compiling([Experiment(backend="numpy")], joining=False) as finish:
        assert finish() == []
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    with precompile.compiling(MANY, joining=False) as finish:
        assert finish() == []
    assert started == []


@pytest.mark.slow
def test_what_a_waiting_process_is_told_is_compiled_there(tmp_path):
    found = child.run(
        """
        from initperf.training.experiment import Experiment
        from initperf.training.early import waiting_compilers

        with waiting_compilers() as waiting:
            from initperf.training._precompile import compiling
            with compiling([Experiment()], joining=False, waiting=waiting) as finish:
                assert finish() == [0]
        from initperf.jit.policy import CODE_CACHE
        print(any("train_epoch" in path.name for path in CODE_CACHE.rglob("*.nbc")))
        """,
        INITPERF_CACHE=str(tmp_path),
        INITPERF_NUM_THREADS="2",
        NUMBA_DISABLE_JIT="0",
    )
    assert found.strip() == "True"


@pytest.mark.slow
def test_what_trains_is_compiled_in_the_other_process(tmp_path):
    found = child.run(
        """
        from initperf.training.experiment import Experiment
        from initperf.jit.policy import CODE_CACHE
        from initperf.training._precompile import compiling

        with compiling([Experiment(seed=seed) for seed in range(3)], joining=False) as finish:
            assert not list(CODE_CACHE.rglob("train_epoch*.nbc"))
            assert finish() == [0]
        compiled = {path.name for path in CODE_CACHE.rglob("*.nbc")}
        with compiling([Experiment()], joining=False) as finish:
            assert finish() == []  # nothing is started a second time
        print(any("train_epoch" in name for name in compiled))
        """,
        INITPERF_CACHE=str(tmp_path),
        INITPERF_NUM_THREADS="2",
        NUMBA_DISABLE_JIT="0",
    )
    assert found.strip() == "True"
