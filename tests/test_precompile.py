"""Compiling in another process: what is started, what it leaves, and that it ends."""

import signal
import subprocess

import child
import pytest

from initperf.training import _precompile as precompile
from initperf.training.experiment import Experiment


@pytest.mark.slow
def test_what_trains_is_compiled_in_the_other_process(tmp_path):
    found = child.run(
        """
        from initperf.training.experiment import Experiment
        from initperf.jit.policy import CODE_CACHE
        from initperf.training._precompile import compiling

        with compiling([Experiment(seed=seed) for seed in range(3)]) as done:
            assert not list(CODE_CACHE.rglob("train_epoch*.nbc"))
            assert done() == 0
        compiled = {path.name for path in CODE_CACHE.rglob("*.nbc")}
        with compiling([Experiment()]) as done:
            assert done() is None  # nothing is started a second time
        print(any("train_epoch" in name for name in compiled))
        """,
        INITPERF_CACHE=str(tmp_path),
        INITPERF_NUM_THREADS="2",
        NUMBA_DISABLE_JIT="0",
    )
    assert found.strip() == "True"


def test_leaving_the_block_ends_the_process(monkeypatch):
    started = []
    popen = subprocess.Popen

    def start(command, **options):
        started.append(popen(["sleep", "20"], **options))
        return started[0]

    monkeypatch.setattr(precompile.subprocess, "Popen", start)
    monkeypatch.setattr(precompile, "_compiled_before", lambda: False)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    with precompile.compiling([Experiment()]):
        assert started[0].poll() is None
    assert started[0].returncode == -signal.SIGKILL


def test_nothing_is_started_for_numpy_or_on_one_processor(monkeypatch):
    monkeypatch.setattr(precompile.subprocess, "Popen", None)
    monkeypatch.setattr(precompile, "_compiled_before", lambda: False)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    with precompile.compiling([Experiment(backend="numpy")]) as done:
        assert done() is None
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    with precompile.compiling([Experiment()]) as done:
        assert done() is None
