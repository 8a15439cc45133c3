"""Pages of verbs that measure for one figure or two: written by the report's generator."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.cli._figures import from_figures
from initperf.cli._output import progress, usage
from initperf.errors import UsageError

if TYPE_CHECKING:
    import pandas

RUNS, RESULT = "runs", "result"
"""Directories below a verb's own: runs that are kept, and the page with its tables."""


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add ``--format``."""
    parser.add_argument(
        "--format",
        default="html",
        choices=("html", "pdf", "png"),
        help="a page, one document or images alone; by default html",
    )


def add_page(parser: argparse.ArgumentParser, directory: str) -> None:
    """Add ``--out`` and ``--format``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    directory : str
        Where runs and page are by default.
    """
    parser.add_argument(
        "--out",
        default=directory,
        metavar="DIR",
        help="directory of the runs, which are not trained again, and of the page; "
        f"by default {directory}",
    )
    add_format(parser)


def check_page(directory: Path) -> None:
    """Check that a page can be written, before anything is measured.

    Parameters
    ----------
    directory : pathlib.Path
        The verb's own.

    Raises
    ------
    UsageError
        When the place of the page holds anything but a page, or the generator is not installed.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file; name a directory")
    from_figures("check")(directory / RESULT)


def write_page(
    tables: "Mapping[str, pandas.DataFrame]",
    directory: Path,
    *,
    title: str,
    only: Sequence[str],
    kind: str,
) -> Path:
    """Write a page, a document or images of some figures, with their tables.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    directory : pathlib.Path
        The verb's own.
    title : str
        Heading of the page.
    only : sequence of str
        Names of the figures.
    kind : str
        ``"html"``, ``"pdf"`` or ``"png"``.

    Returns
    -------
    pathlib.Path
        The page.
    """
    write = from_figures("write")
    command = shlex.join(["initperf", *sys.argv[1:]])
    place = directory / RESULT
    with progress("drawing") as tell, usage():
        page: Path = write(
            tables,
            place,
            title=title,
            commands=[command],
            only=only,
            kind=kind,
            place=str(place),
            progress=tell,
        )
    return page
