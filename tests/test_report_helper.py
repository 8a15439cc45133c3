"""The second process that draws: same files, and no harm when it fails or must stop."""

import subprocess
import sys
from pathlib import Path

import pytest
from synthetic_tables import Tables, synthetic_tables

from initperf_figures import FIGURES, _helper
from initperf_figures.report import write_report

NAMES = ("bounds", "dead_saturated", "orthogonal_time", "weight_drift", "weight_histograms")


@pytest.fixture(scope="module")
def tables() -> Tables:
    names = ("zeros", "glorot_uniform", "he_normal", "orthogonal")
    made = synthetic_tables(names=names, seeds=2, epochs=2, steps_per_epoch=4)
    # An order of rows as grouping leaves it: what the helper reads has another index.
    made["signal"] = made["signal"].sample(frac=1, random_state=0)
    return made


@pytest.fixture(scope="module")
def alone(
    tables: Tables, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, bytes]]:
    """Write a report by one process, and return it with its figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INITPERF_NUM_THREADS", "1")
        patch.setattr(subprocess, "Popen", None)
        page = write_report(tables, tmp_path_factory.mktemp("alone") / "r")
    return page.parent, _files(page.parent)


def _files(directory: Path) -> dict[str, bytes]:
    found = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def test_a_helper_makes_the_same_bytes(
    tables: Tables,
    alone: tuple[Path, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = tmp_path / "new" / "figures"
    figures.mkdir(parents=True)
    (tmp_path / "new" / "tables").symlink_to(alone[0] / "tables")
    monkeypatch.setattr(sys, "argv", ["helper", str(tmp_path / "new"), "unknown", *NAMES])
    _helper.main()
    made = {f"figures/{name}": data for name, data in _files(figures).items()}
    assert len(made) == 2 * len(NAMES)
    assert made == {name: alone[1][name] for name in made}


def test_two_processes_write_the_report_of_one(
    tables: Tables,
    alone: tuple[Path, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def patiently(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        """Let the helper draw everything, so that what it made is on the page."""
        started.append(start(*arguments, **options))  # type: ignore[call-overload]
        assert started[0].wait(120) == 0
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", patiently)
    monkeypatch.setattr(_helper, "_files", None)  # so that nothing can be drawn here
    page = write_report(tables, tmp_path / "r")
    assert len(started) == 1
    assert _files(page.parent) == alone[1]


@pytest.mark.parametrize("broken", [["-c", "raise SystemExit(1)"], None])
def test_what_the_helper_could_not_draw_is_drawn_here(
    broken: list[str] | None,
    tables: Tables,
    alone: tuple[Path, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    start = subprocess.Popen

    def breaking(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        if broken is None:
            raise OSError("no more processes")
        figures = Path(command[command.index("-c") + 2]) / "figures"
        (figures / "bounds.svg").write_text("<svg")  # begun and never ended
        return start([sys.executable, *broken], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", breaking)
    page = write_report(tables, tmp_path / "r")
    assert _files(page.parent) == alone[1]


def test_the_helper_ends_with_the_block_even_when_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    monkeypatch.setattr(_helper, "_PROGRAM", "import time; time.sleep(600)")
    figures = [FIGURES[name] for name in NAMES]
    started: list[subprocess.Popen[bytes]] = []

    def interrupted() -> None:
        with _helper.helper(tmp_path, figures) as other:
            assert other is not None
            assert other.poll() is None
            started.append(other)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert started[0].poll() is not None


def test_few_figures_and_one_processor_need_no_helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    figures = [FIGURES[name] for name in NAMES]
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    with _helper.helper(tmp_path, figures[: _helper.LEAST - 1]) as other:
        assert other is None
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    with _helper.helper(tmp_path, figures) as other:
        assert other is None
