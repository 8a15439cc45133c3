"""Figures drawn by two processes: this one from the first, a helper from the last, until they meet.

The helper is a fresh Python that reads the tables from the report's own Parquet files, so nothing
is inherited: no threads of Numba, no locks, no ``__main__`` to guard. Whoever creates a figure's
SVG file draws that figure; its PNG file appears, whole, when it is done. What the helper could
not draw, for whatever reason, is drawn here, where an error is reported.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd

from initperf._core.parallel import default_threads
from initperf_figures import _svg
from initperf_figures._figure import FIGURES, ReportFigure, Tables

# A helper starts in about the time that two figures take.
LEAST = 5

_PROGRAM = f"from {__name__} import main; main()"


@contextmanager
def helper(
    directory: Path, figures: Sequence[ReportFigure]
) -> Iterator[subprocess.Popen[bytes] | None]:
    """Let another process draw figures into a report's directory, the last first.

    It is stopped when the block ends, however that happens.

    Parameters
    ----------
    directory : pathlib.Path
        With the tables in ``tables/`` and an empty ``figures/``, in one that is for scraps.
    figures : sequence of ReportFigure
        What to draw. Figures that the helper's own catalogue lacks are left to the caller.

    Yields
    ------
    subprocess.Popen or None
        The process; None where it would not pay or could not be started.
    """
    process = None
    if default_threads() > 1 and len(figures) >= LEAST:
        names = [figure.name for figure in figures]
        command = [sys.executable, "-P", "-c", _PROGRAM, str(directory), *names]
        quiet = subprocess.DEVNULL
        with suppress(OSError):
            process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        if process is not None:
            process.kill()
            process.wait()


def draw(
    figure: ReportFigure,
    tables: Tables,
    directory: Path,
    other: subprocess.Popen[bytes] | None = None,
) -> tuple[str, bytes]:
    """Return a figure's SVG and PNG, drawn here or by the other process, and in the directory."""
    vector, raster = directory / f"{figure.name}.svg", directory / f"{figure.name}.png"
    if other is not None and not claimed(vector):
        other.wait()
        if raster.exists():
            return vector.read_text(encoding="utf-8"), raster.read_bytes()
    svg, png = _files(figure, tables)
    vector.write_text(svg, encoding="utf-8")
    raster.write_bytes(png)
    return svg, png


def _files(figure: ReportFigure, tables: Tables) -> tuple[str, bytes]:
    """Draw without looking for garbage meanwhile, which takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return _svg.files(figure.render(tables))
    finally:
        if enabled:
            gc.enable()


def claimed(path: Path) -> bool:
    """Return whether the file was created just now, and not by the other process."""
    try:
        path.open("x").close()
    except FileExistsError:
        return False
    return True


def main() -> None:
    """Draw what the other process has not begun, the last first: the helper's whole life."""
    directory, names = Path(sys.argv[1]), sys.argv[2:]
    tables: Mapping[str, pd.DataFrame] = {
        path.stem: pd.read_parquet(path) for path in (directory / "tables").glob("*.parquet")
    }
    for name in reversed(names):
        vector, raster = (directory / "figures" / f"{name}.{kind}" for kind in ("svg", "png"))
        if name not in FIGURES:
            continue
        if not claimed(vector):
            return
        svg, png = _files(FIGURES[name], tables)
        vector.write_text(svg, encoding="utf-8")
        unfinished = directory.parent / raster.name
        unfinished.write_bytes(png)
        os.replace(unfinished, raster)
