"""Compiling in other processes: what is started, what it leaves, and that it ends."""

import signal
import subprocess

import child
import pytest

from initperf.training import _precompile as precompile
from initperf.training.experiment import Experiment, grid


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
        commands.append([Experiment.from_json(text) for text in command[3:]])
        processes.append(popen(["sleep", "20"], **options))
        return processes[-1]

    monkeypatch.setattr(precompile.subprocess, "Popen", start)
    monkeypatch.setattr(precompile, "_marker", lambda one: tmp_path / one.activation)
    monkeypatch.setattr("numba.config.DISABLE_JIT", 0)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "3")
    return commands


MANY = list(
    grid(activation=["relu", "tanh", "selu", "elu"], dtype=["float32", "float64"], seed=[0, 1])
)


def test_others_take_all_while_this_process_is_busy(started, processes):
    with precompile.compiling(MANY, joining=False):
        assert len(started) == 2
        assert [{one.dtype for one in share} for share in started] == [{"float32"}, {"float64"}]
        for share in started:
            assert sorted(one.activation for one in share) == ["elu", "relu", "selu", "tanh"]
        assert [process.poll() for process in processes] == [None, None]
    assert {process.returncode for process in processes} == {-signal.SIGKILL}


def test_this_process_takes_a_share_when_it_waits(started, processes, monkeypatch, tmp_path):
    taken = []
    monkeypatch.setattr(precompile, "_compile", taken.extend)
    (tmp_path / "relu").touch()  # compiled before
    with precompile.compiling(MANY, joining=True) as finish:
        for process in processes:
            process.terminate()
        assert finish() == [-signal.SIGTERM]
    for share, dtype in ((taken, "float32"), (started[0], "float64")):
        assert {one.dtype for one in share} == {dtype}
        assert sorted(one.activation for one in share) == ["elu", "selu", "tanh"]


def test_one_process_takes_both_dtypes_where_there_is_but_one_to_spare(started, monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    with precompile.compiling(MANY, joining=False):
        assert [len(share) for share in started] == [8]


def test_nothing_is_started_for_numpy_for_one_dtype_or_on_one_processor(started, monkeypatch):
    taken = []
    monkeypatch.setattr(precompile, "_compile", taken.extend)
    with precompile.compiling([Experiment(backend="numpy")], joining=False) as finish:
        assert finish() == []
    with precompile.compiling([Experiment(seed=seed) for seed in range(3)], joining=True) as finish:
        assert finish() == []
        assert len(taken) == 1  # by this process
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    with precompile.compiling(MANY, joining=False) as finish:
        assert finish() == []
    assert started == []


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
