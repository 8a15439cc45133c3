"""Workers, time budget and dry run of verbs that train side by side: options and messages."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.cli._arguments import integer, positive_number
from initperf.cli._output import usage
from initperf.cli._pairs import no_effect

if TYPE_CHECKING:
    from initperf.training.store import RunStore
    from initperf.training.sweep import Workers


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--workers",
        type=integer(1),
        metavar="N",
        help="runs at a time; by default one a processor",
    )
    parser.add_argument(
        "--executor",
        choices=("threads", "processes"),
        default="threads",
        help="what runs them: threads, or processes of joblib (default: threads)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="train on the workers of this Dask scheduler instead, tcp://host:8786",
    )
    parser.add_argument(
        "--time-budget",
        type=positive_number,
        metavar="SECONDS",
        help="end after this time with the runs that are done; the same command goes on",
    )
    no_effect(parser, "--executor", beside="--scheduler")
    no_effect(parser, "--workers", beside="--scheduler", without="--dry-run")


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Add ``--dry-run``, for the end of any command: options of its training may stay beside it."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="count the runs and estimate their time from a few steps, and train nothing",
    )


def workers(arguments: argparse.Namespace) -> "Workers":
    """Return the workers that the options describe.

    Raises
    ------
    UsageError
        For a value out of range.
    """
    from initperf.training.sweep import Workers

    with usage():
        return Workers(
            arguments.workers, arguments.executor, arguments.scheduler, arguments.time_budget
        )


def stored(directory: Path) -> "RunStore | None":
    """Return the store in a directory, or None where there is none; a dry run makes none."""
    from initperf.training.store import RunStore

    return RunStore(directory) if directory.is_dir() else None


def ended_early(count: int) -> str:
    """Return the message that the time budget ended with so many runs."""
    return f"the time budget ended with {count} runs; the same command goes on"
