"""Child processes import nothing from the working directory, whoever put it there."""

import os

import pytest

from initperf._core.child_python import python_environment
from initperf.benchmarks import cold_start
from initperf.profiling.session import profile
from initperf.profiling.target import Target
from initperf.training import _precompile as precompile
from initperf.training.experiment import Experiment

NAMES = ("numba", "numpy", "json", "initperf", "llvmlite", "site", "sitecustomize")


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Work in a directory whose modules leave a file behind when they are run."""
    place = tmp_path / "hostile"
    place.mkdir()
    code = "import pathlib; pathlib.Path(__file__).with_suffix('.run').touch()\n"
    for name in NAMES:
        (place / f"{name}.py").write_text(code)
    monkeypatch.chdir(place)
    monkeypatch.setenv("PYTHONPATH", os.pathsep)  # two empty entries: the working directory
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path / "cache"))
    return place


def test_a_timed_import_runs_none_of_them(hostile):
    assert cold_start.import_seconds("numba") > 0
    assert not list(hostile.glob("*.run"))


@pytest.mark.slow
def test_a_profile_runs_none_of_them(hostile):
    found = profile(Target("draw", "zeros", shape=(2, 2)), 1e-3)
    assert found.tables["phases"]
    assert not list(hostile.glob("*.run"))


def test_compilation_ahead_runs_none_of_them(hostile, monkeypatch):
    monkeypatch.setattr("numba.config.DISABLE_JIT", 0)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # so that the child has nothing to compile
    monkeypatch.setattr(precompile, "marker", lambda one: hostile.parent / "marker")
    with precompile.compiling([Experiment()], joining=False) as finish:
        assert finish() == [0]
    assert not list(hostile.glob("*.run"))


def test_empty_entries_of_the_path_are_left_out(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/first", "", "/second", ""]))
    entries = python_environment()["PYTHONPATH"].split(os.pathsep)
    assert entries[1:] == ["/first", "/second"]
    assert os.path.isfile(os.path.join(entries[0], "initperf", "__init__.py"))


def test_variables_are_set(monkeypatch):
    monkeypatch.setenv("NUMBA_OPT", "3")
    assert python_environment(NUMBA_OPT="1")["NUMBA_OPT"] == "1"
