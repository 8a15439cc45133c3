"""Figures drawn by other processes: the same files, and no harm when one fails or must stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import child
import pytest
from matplotlib.figure import Figure
from synthetic_tables import Tables, synthetic_tables

from initperf_figures import FIGURES, ReportFigure, _drawing, canvas
from initperf_figures._drawing import drawn, processes
from initperf_figures._process import Process
from initperf_figures._svg import Files
from initperf_figures.report import write_report

NAMES = ("bounds", "dead_saturated", "orthogonal_time", "weight_drift", "weight_histograms")


@pytest.fixture(scope="module")
def tables() -> Tables:
    names = ("zeros", "glorot_uniform", "he_normal", "orthogonal")
    made = synthetic_tables(names=names, seeds=2, epochs=2, steps_per_epoch=4)
    made["signal"] = made["signal"].sample(frac=1, random_state=0)  # an index out of order
    return made


@pytest.fixture(scope="module")
def figures() -> list[ReportFigure]:
    return [FIGURES[name] for name in NAMES]


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")


def _contents(directory: Path) -> dict[str, bytes]:
    found = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


@pytest.mark.slow
def test_several_processes_write_the_report_of_one(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as alone:
        alone.setenv("INITPERF_NUM_THREADS", "1")
        write_report(tables, tmp_path / "one", only=NAMES)
    here: list[str] = []
    mine, theirs = threading.Event(), threading.Event()
    draw = _drawing.files

    def slowly(figure: ReportFigure, own: Tables) -> Files:
        here.append(figure.name)
        mine.set()
        assert theirs.wait(child.TIMEOUT_SECONDS)  # until the other process has drawn one, too
        return draw(figure, own)

    def called(self: Process, _: object, *rest: object) -> object:
        assert mine.wait(child.TIMEOUT_SECONDS)
        files = call(self, draw, *rest)
        theirs.set()
        return files

    monkeypatch.setattr(_drawing, "files", slowly)
    monkeypatch.setattr(Process, "call", called)
    write_report(tables, tmp_path / "several", only=NAMES)
    assert 0 < len(here) < len(NAMES)
    assert _contents(tmp_path / "several") == _contents(tmp_path / "one")


call = Process.call


def _all(figures: list[ReportFigure], tables: Tables) -> dict[str, Files]:
    """Draw figures in all processes there are."""
    with processes(len(figures)) as helpers:
        return {figure.name: files for figure, files in drawn(figures, tables, helpers)}


def _failing_elsewhere(fail: Callable[[], object]) -> ReportFigure:
    """Make a figure that only this process can draw."""
    home = os.getpid()

    def draw(_tables: object) -> Figure:
        if os.getpid() != home:
            fail()
        figure = canvas(1.0)
        figure.subplots().plot([0, 1])
        return figure

    return ReportFigure("failing", "Failing", "A line.", (), draw)


@pytest.mark.slow
@pytest.mark.parametrize("fail", [lambda: os._exit(1), lambda: 1 / 0], ids=["dies", "raises"])
def test_what_another_process_could_not_draw_is_drawn_here(
    fail: Callable[[], object], figures: list[ReportFigure], tables: Tables
) -> None:
    given = [*figures[:2], _failing_elsewhere(fail), *figures[2:]]
    assert _all(given, tables) == {one.name: _drawing.files(one, tables) for one in given}


@pytest.mark.slow
def test_without_other_processes_all_is_drawn_here(
    figures: list[ReportFigure], tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert len(_all(figures, tables)) == len(figures)


@pytest.mark.slow
def test_a_process_that_was_killed_leaves_its_figures_to_this_one(
    figures: list[ReportFigure], tables: Tables
) -> None:
    with processes(len(figures)) as helpers:
        (helper,) = helpers
        helper.kill()
        assert len(list(drawn(figures, tables, helpers))) == len(figures)


@pytest.mark.slow
def test_an_error_of_a_figure_is_raised_here(figures: list[ReportFigure], tables: Tables) -> None:
    def draw(_tables: object) -> Figure:
        raise ZeroDivisionError("in the figure")

    given = [*figures, ReportFigure("wrong", "Wrong", "A line.", (), draw)]
    with pytest.raises(ZeroDivisionError, match="in the figure"):
        _all(given, tables)


def test_few_figures_and_one_processor_need_no_other_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for figures, threads, expected in ((4, 2, 0), (5, 2, 1), (5, 1, 0), (6, 4, 3), (5, 9, 4)):
        monkeypatch.setenv("INITPERF_NUM_THREADS", str(threads))
        monkeypatch.setattr(_drawing, "Process", _Stub)
        with processes(figures) as helpers:
            assert len(helpers) == expected


class _Stub:
    def kill(self) -> None:
        """End nothing."""


@pytest.mark.slow
def test_what_a_figure_prints_elsewhere_does_not_garble_results(
    figures: list[ReportFigure], tables: Tables, capfd: pytest.CaptureFixture[str]
) -> None:
    with processes(len(figures)) as helpers:
        (helper,) = helpers
        assert helper.call(lambda words: print(words) or len(words), "a figure prints") == 15
    assert capfd.readouterr() == ("", "a figure prints\n")


@pytest.mark.slow
def test_an_interrupt_ends_the_other_processes(tmp_path: Path) -> None:
    home, begun = os.getpid(), tmp_path / "begun"
    end = time.monotonic() + child.TIMEOUT_SECONDS

    def slow(_tables: object) -> Figure:
        while True:
            if os.getpid() != home:
                begun.touch()
            elif begun.exists() or time.monotonic() > end:
                signal.raise_signal(signal.SIGINT)
            time.sleep(0.01)

    slow_ones = [ReportFigure(f"slow_{n}", "Slow", "A line.", (), slow) for n in range(5)]
    with pytest.raises(KeyboardInterrupt), processes(5) as helpers:
        list(drawn(slow_ones, {}, helpers))
    assert begun.exists()
    with pytest.raises((OSError, EOFError, ValueError)):
        helpers[0].call(len, "")


INTERRUPTED = """
import functools, os, pathlib, sys, time
from initperf_figures import ReportFigure, _drawing

def slow(path, tables):
    pathlib.Path(path, str(os.getpid())).touch()
    time.sleep(600)

def main(path):
    draw = functools.partial(slow, path)
    figures = [ReportFigure(f"slow_{n}", "Slow", "A line.", (), draw) for n in range(5)]
    with _drawing.processes(len(figures)) as helpers:
        print("begun", flush=True)
        list(_drawing.drawn(figures, {}, helpers))

if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent to a group of processes")
@pytest.mark.parametrize("moment", ["while they start", "while they draw"])
def test_ctrl_c_ends_the_other_processes_in_silence(moment: str, tmp_path: Path) -> None:
    script, begun = tmp_path / "script.py", tmp_path / "begun"
    script.write_text(INTERRUPTED)
    begun.mkdir()
    drawing = subprocess.Popen(
        [sys.executable, str(script), str(begun)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert drawing.stdout is not None
        assert drawing.stdout.readline() == "begun\n"
        while moment == "while they draw" and len(list(begun.iterdir())) < 2:
            assert drawing.poll() is None
            time.sleep(0.01)
        os.killpg(drawing.pid, signal.SIGINT)
        # until all that share its stderr have ended
        _, complaint = drawing.communicate(timeout=child.TIMEOUT_SECONDS)
        assert (drawing.returncode, complaint) == (130, "")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(drawing.pid, signal.SIGKILL)


def _workers_of(parent: int) -> list[dict[str, str]]:
    """Return what Linux says of the worker processes that a process has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            facts = (line.partition(":") for line in (process / "status").read_text().splitlines())
            status = {name: value.strip() for name, _, value in facts}
            if (
                int(status["PPid"]) == parent
                and b"initperf_figures._process" in (process / "cmdline").read_bytes()
            ):
                found.append(status)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells which signals a process blocks")
def test_workers_block_ctrl_c_from_their_start(tmp_path: Path) -> None:
    """Else one that is pressed while Python itself starts would print a fatal error."""
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "drawn")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as drawing:
        try:
            assert drawing.stdout is not None
            assert drawing.stdout.readline() == "begun\n"
            end = time.monotonic() + child.TIMEOUT_SECONDS
            while not (workers := _workers_of(drawing.pid)):  # Linux tells of its words a bit later
                assert time.monotonic() < end
        finally:
            os.killpg(drawing.pid, signal.SIGKILL)
    assert len(workers) == 1
    blocked = [int(status["SigBlk"], 16) >> (signal.SIGINT - 1) & 1 for status in workers]
    assert blocked == [1]
