"""``initperf report``: all measurements, as one page."""

import argparse
import functools
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf._core.text import one_line
from initperf.cli._arguments import add_data, integer
from initperf.cli._figures import from_figures
from initperf.cli._notices import notice
from initperf.cli._output import progress, usage
from initperf.cli._pages import RUNS, add_format
from initperf.cli._pairs import no_effect
from initperf.cli._settings import add_settings, axes, check_used
from initperf.errors import DataError, UsageError
from initperf.report.usual import REPORT_ACTIVATIONS, REPORT_EPOCHS
from initperf.training.early import waiting_compilers

if TYPE_CHECKING:
    import pandas

_SEEDS, _MOST_SEEDS = 3, 1000
_SHOWN = ("--initializer", "--activation")
"""Settings that choose among runs that were kept."""

HELP = "measure everything and write one page with figures and tables"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--out", default="report", metavar="DIR", help="directory of the report, by default report"
    )
    parser.add_argument("--title", metavar="WORDS", help="heading of the page")
    parser.add_argument("--quick", action="store_true", help="the same page from less training")
    parser.add_argument(
        "--seeds",
        type=integer(1, most=_MOST_SEEDS),
        metavar="N",
        help=f"runs of each initializer in each setup (default: {_SEEDS})",
    )
    parser.add_argument(
        "--benchmarks", metavar="FILE", help="take the speeds from this pytest-benchmark file"
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        help="keep each run in this directory, and train none again that it holds",
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="DIR",
        help="train and time nothing: draw a report's tables again, or runs that were kept",
    )
    parser.add_argument(
        "--only", metavar="A,B", help="draw these figures, and measure only what they need"
    )
    parser.add_argument(
        "--figures",
        metavar="DIR",
        help="draw your own figures too: each .py file in there registers some",
    )
    add_format(parser)
    add_data(parser)
    settings = parser.add_argument_group(
        "settings of the runs",
        "Several values, separated by commas, make a grid; each setup has its own answer. By "
        "default the initializers are one name of each rule that suits a perceptron. Several "
        "learning rates are a search: each rule is shown at its best. By default five are "
        "searched, and with --quick none.",
    )
    added = add_settings(
        settings,
        many=False,
        plurals=("initializer", "activation", "learning_rate"),
        without=("seed", "loss"),
        defaults={
            "initializer": None,
            "activation": REPORT_ACTIVATIONS,
            "epochs": REPORT_EPOCHS,
            "learning_rate": None,
        },
    )
    no_effect(parser, "--title", beside="--format=png")
    no_effect(
        parser,
        *(one for one in added if one not in _SHOWN),
        *("--seeds", "--quick", "--benchmarks", "--resume"),
        beside="--from",
        why="--from draws what was measured; {option} says what to measure",
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure or read, then write."""
    directory = Path(arguments.out)
    only = tuple(filter(None, (arguments.only or "").split(",")))
    own = Path(arguments.figures) if arguments.figures else None
    if own is not None and not own.is_dir():
        raise DataError(f"--figures: there is no directory {own}")
    # processes that compile import what that takes while this one imports what figures take
    with ExitStack() as stack:
        waiting = [] if arguments.source else stack.enter_context(waiting_compilers())
        check, write = from_figures("check"), from_figures("write")
        with usage():
            needed = check(directory, only, own)
        given = axes(arguments)
        if arguments.source:
            tables = _stored(arguments, given, needed)
        else:
            tables = _measured(arguments, given, needed if only else None, waiting)
    command = shlex.join(["initperf", *sys.argv[1:]])
    title = {"title": arguments.title} if arguments.title else {}
    with _keeping({} if arguments.source else tables), progress("writing") as tell, usage():
        page = write(
            tables,
            directory,
            commands=[command],
            only=only,
            kind=arguments.format,
            place=arguments.out,
            progress=tell,
            **title,
        )
    print(one_line(f"{page}{_counted(tables, arguments.source)}"))


def _counted(tables: "dict[str, pandas.DataFrame]", source: str | None) -> str:
    """Return how many runs are shown, of a store also of how many, and how many diverged.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Of the report.
    source : str or None
        The directory of ``--from``.
    """
    from initperf.training.store import RunStore

    if "runs" not in tables:
        return ""
    runs = tables["runs"]
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    held = 0 if source is None else len(RunStore(source))  # none in a report's directory
    if held > len(runs):
        best = ", each rule's at the best of its learning rates" if "rates" in tables else ""
        count += f" of the {held} in {source}{best}"
    return f": {count}; {int((runs.status == 'diverged').sum())} of them diverged"


@contextmanager
def _keeping(tables: "dict[str, pandas.DataFrame]") -> Iterator[None]:
    """Keep what was measured, elsewhere, when the block that writes the report raises."""
    try:
        yield
    except Exception:
        from initperf.report.rescue import keep_tables

        kept = keep_tables(tables) if tables else None
        if kept is not None:
            again = f"initperf report --from {shlex.quote(str(kept))}"
            words = f"initperf report: the measurements are kept; {again} draws them"
            print(one_line(words), file=sys.stderr)
        raise


def _measured(
    arguments: argparse.Namespace,
    given: dict[str, Any],
    needed: frozenset[str] | None,
    waiting: "Sequence[subprocess.Popen[bytes]]",
) -> "dict[str, pandas.DataFrame]":
    """Measure the tables of the report.

    Parameters
    ----------
    arguments : argparse.Namespace
    given : dict of str to object
        Values of the settings that were given.
    needed : frozenset of str or None
        Names of the tables that the figures need; None for all.
    waiting : sequence of subprocess.Popen
        Processes that will compile.
    """
    from initperf.training.store import RunStore

    if needed is not None:
        _check_needed(arguments, needed)
    settings, planned = _planned(arguments, given)
    store = RunStore(arguments.resume) if arguments.resume else None
    from initperf.report.compilation import compiling_report

    with compiling_report(settings, planned, needed, waiting) as compiled:
        from initperf.report.measure import measure

        return measure(settings, planned, progress, store=store, needed=needed, compiled=compiled)


def _check_needed(arguments: argparse.Namespace, needed: frozenset[str]) -> None:
    """Check that options of measurements serve a figure of ``--only``.

    Parameters
    ----------
    arguments : argparse.Namespace
    needed : frozenset of str
        Names of the tables that the figures need.

    Raises
    ------
    UsageError
        For an option of what is not measured.
    """
    from initperf.report.compilation import SEEDED, SPEEDS, TRAINED

    for option, value, tables, what in (
        ("--benchmarks", arguments.benchmarks, SPEEDS, "timings"),
        ("--resume", arguments.resume, TRAINED, "runs"),
        ("--epochs", arguments.epochs, TRAINED, "runs"),
        ("--seeds", arguments.seeds, SEEDED, "networks of several seeds"),
    ):
        if value is not None and needed.isdisjoint(tables):
            raise UsageError(f"{option} has no effect: no figure of --only needs {what}")


def _planned(arguments: argparse.Namespace, given: dict[str, Any]) -> tuple[Any, Any]:
    """Return the settings of the report and its plan."""
    from initperf.report.plan import Settings, plan, usual_rates

    rates = tuple(dict.fromkeys(given.pop("learning_rate", ())))
    if len(rates) == 1:
        given["learning_rate"], rates = list(rates), ()
    with usage():
        rates = rates or usual_rates(given, arguments.quick)
        settings = Settings(
            quick=arguments.quick,
            seeds=arguments.seeds or _SEEDS,
            rates=rates,
            data_dir=arguments.data_dir,
            benchmarks=arguments.benchmarks,
            given=given,
        )
        planned = plan(settings)
    check_used(arguments, given, planned.experiments)
    return settings, planned


def _stored(arguments: argparse.Namespace, given: dict[str, Any], needed: frozenset[str]) -> Any:
    """Return the tables of the directory of ``--from``.

    Parameters
    ----------
    arguments : argparse.Namespace
    given : dict of str to object
        Values of the settings that were given.
    needed : frozenset of str
        Names of the tables that the figures need.
    """
    from initperf.activations import ACTIVATIONS
    from initperf.report.stored import stored_tables
    from initperf.report.stored_gradients import Gradients
    from initperf.training._spelling import rule_of, spelled
    from initperf.training.store import RunStore

    with usage():
        initializers = [spelled(rule_of(name)) for name in given.get("initializer", ())]
        activations = [ACTIVATIONS.canonical(name) for name in given.get("activation", ())]
    source = Path(arguments.source)
    inner = source / RUNS
    if inner.is_dir() and not any(source.glob("tables/*.parquet")) and not len(RunStore(source)):
        raise DataError(f"{source} holds no runs; did you mean {inner}?")
    gradients = Gradients(arguments.data_dir, progress, functools.partial(notice, "report"))
    return stored_tables(
        source,
        initializers,
        activations,
        gradients if "descent" in needed else None,
    )
