"""``initperf recommend``: initializers for an activation and a depth, ranked, with the evidence."""

import argparse
import dataclasses
import functools
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf.cli._arguments import (
    OF_ACTIVATIONS,
    OF_INITIALIZERS,
    OF_SCHEMES,
    add_data,
    add_json,
    integer,
    named,
    positive_number,
)
from initperf.cli._notices import notice
from initperf.cli._output import explain, progress, show, show_json, usage, without_nan
from initperf.cli._output_files import check_output_directory
from initperf.cli._pairs import no_effect
from initperf.cli._workers import add_dry_run, add_workers, ended_early, stored, workers
from initperf.errors import UsageError

if TYPE_CHECKING:
    from initperf.data import Dataset
    from initperf.report.trainability.advice import Advice
    from initperf.report.trainability.question import Question
    from initperf.report.trainability.study import Study

HELP = "rank the initializers for an activation and a depth, and say what the answer rests on"

_tell = functools.partial(notice, "recommend")

_TRAINING = ("--initializer", "--learning-rates", "--seeds", "--dry-run")
_HIDDEN = "runs"
_COMMA = re.compile(r",(?![^(]*\))")
"""A comma between rules, and not between the parameters of one."""


_OF_THEORY = "signal, gradient: theory's change of second moments through all layers, best near 1"
_COLUMNS = (
    "behind: mean difference from the best; good_decades: width of the range of good learning "
    f"rates; learns_to: depth until which it learns; {_OF_THEORY}"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    activation = parser.add_argument(
        "--activation", metavar="NAME", help="activation of the hidden layers"
    )
    named(activation, OF_ACTIVATIONS)
    parser.add_argument(
        "--depth", type=integer(1, most=10_000), metavar="N", help="number of hidden layers"
    )
    parser.add_argument(
        "--width",
        type=integer(1, most=1_000_000),
        metavar="N",
        help="units of each; by default those of the nearest runs",
    )
    optimizer = parser.add_argument(
        "--optimizer", default="sgd", metavar="NAME", help="what trains the network"
    )
    named(optimizer, "initperf.optimizers:OPTIMIZERS")
    parser.add_argument(
        "--from",
        dest="sources",
        action="append",
        default=[],
        metavar="FILE.csv",
        help="more evidence: a table of initperf depths --export, or a directory of runs; "
        "may be given several times",
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help="train networks as asked for, and answer from these runs too; they are kept",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="where the runs of --measure are kept, by default in the cache",
    )
    parser.add_argument(
        "--seeds",
        type=integer(1, most=1000),
        default=3,
        metavar="N",
        help="with --measure: runs of each rule",
    )
    rules = parser.add_argument(
        "--initializer", metavar="A,B", help="with --measure: the rules; by default eight"
    )
    named(rules, OF_INITIALIZERS, OF_SCHEMES)
    parser.add_argument(
        "--learning-rates",
        type=_rates,
        default=(),
        metavar="X,Y",
        help="with --measure: the rates that are searched; by default five for each optimizer",
    )
    parser.add_argument(
        "--against",
        metavar="FILE.csv",
        help="ask every question that these runs can judge, and compare the answers with them",
    )
    add_workers(parser)
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)
    training = (*_TRAINING, "--workers", "--executor", "--scheduler", "--time-budget", "--data-dir")
    asked = ("--activation", "--depth", "--width", "--optimizer", "--measure")
    no_effect(parser, *asked, *training, beside="--against")
    no_effect(parser, *training, without="--measure")


def _rates(text: str) -> tuple[float, ...]:
    return tuple(positive_number(part) for part in text.split(","))


def run(arguments: argparse.Namespace) -> None:
    """Answer, and print the ranking and what it rests on."""
    from initperf.report.trainability.advice import advise
    from initperf.report.trainability.audit import audit
    from initperf.report.trainability.collection import (
        TABLE,
        Measured,
        check_sources,
        collected,
        trials_from,
    )
    from initperf.report.trainability.question import Question

    if arguments.measure and arguments.out is not None:
        check_output_directory("--out", Path(arguments.out), TABLE)
    measured = Measured.at(arguments.out)
    check_sources(arguments.sources)
    if arguments.against:
        trials, _ = collected(measured, arguments.sources)
        show(audit(trials, trials_from(arguments.against)), arguments.json)
        return
    if arguments.activation is None or arguments.depth is None:
        raise UsageError("--activation and --depth say what to answer for, or --against compares")
    with usage():
        question = Question(
            arguments.activation, arguments.depth, arguments.width, arguments.optimizer
        )
        study = _study(question, arguments) if arguments.measure else None
    if study is not None:
        if arguments.dry_run:
            _show_cost(study, arguments)
            return
        _measure(study, arguments)
    trials, origin = collected(measured, arguments.sources)
    answer = advise(question, trials)
    if arguments.json:
        setup = None if answer.setup is None else dataclasses.asdict(answer.setup)
        show_json(
            {
                "question": dataclasses.asdict(question),
                "setup": setup,
                "evidence": origin,
                "remarks": answer.remarks,
                "answer": answer.rows,
            }
        )
        return
    _show(question, answer, origin)


def _show(question: "Question", answer: "Advice", origin: dict[str, str]) -> None:
    """Print an answer.

    Parameters
    ----------
    question : Question
    answer : Advice
    origin : dict of str to str
        Where the evidence comes from.
    """
    from initperf.report.trainability.collection import MADE_BY

    width = "" if question.width is None else f" of {question.width} units"
    layers = "1 hidden layer" if question.depth == 1 else f"{question.depth} hidden layers"
    basis = _basis(question, answer)
    print(f"{question.activation}, {layers}{width}, {question.optimizer}{basis}:")
    rows = [{k: v for k, v in row.items() if k != _HIDDEN} for row in answer.rows]
    if rows and not any(row.get("diverged") for row in rows):
        rows = [{k: v for k, v in row.items() if k != "diverged"} for row in rows]
    show([without_nan(row) for row in rows], False)
    print()
    if answer.setup is not None:
        counted = sum(len(row["runs"]) for row in answer.rows)
        explain(f"rests on {counted} runs of depth {answer.setup.depth}, {answer.setup.words()}")
    explain(_COLUMNS if answer.setup is not None else _OF_THEORY)
    for name, fact in origin.items():
        if name != MADE_BY:  # long: --json has it
            explain(f"{name}: {fact}")
    for remark in answer.remarks:
        explain(f"thin evidence: {remark}")
    if answer.remarks:
        explain("--measure trains networks as asked for, and answers from them")


def _basis(question: "Question", answer: "Advice") -> str:
    """Return what the answer is of instead of the question's depth or width, for the heading.

    Parameters
    ----------
    question : Question
    answer : Advice
    """
    setup = answer.setup
    if setup is None:
        return ", by theory alone"
    others = []
    if setup.depth != question.depth:
        others.append("1 hidden layer" if setup.depth == 1 else f"{setup.depth} hidden layers")
    if question.width not in (None, setup.width):
        others.append(f"{setup.width} units")
    return f", judged by runs of {' of '.join(others)}" if others else ""


def _study(question: "Question", arguments: argparse.Namespace) -> "Study":
    """Return the study that answers a question."""
    from initperf.report.trainability.study import Study

    changes: dict[str, Any] = {}
    if arguments.initializer:
        changes["initializers"] = tuple(_COMMA.split(arguments.initializer))
    return Study(
        activations=(question.activation,),
        depths=(question.depth,),
        widths=(question.width or 100,),
        optimizers=(question.optimizer,),
        rates=arguments.learning_rates,
        seeds=arguments.seeds,
        **changes,
    )


def _datasets(study: "Study", arguments: argparse.Namespace) -> "dict[str, Dataset]":
    from initperf.training._data import load_all

    experiments = itertools.chain.from_iterable(study.experiments().values())
    return load_all(experiments, arguments.data_dir)


def _show_cost(study: "Study", arguments: argparse.Namespace) -> None:
    from initperf.report.trainability.collection import Measured
    from initperf.report.trainability.measure import study_cost

    rows = study_cost(
        study,
        workers=workers(arguments).at_a_time,
        store=stored(Measured.at(arguments.out).runs),
        datasets=_datasets(study, arguments),
    )
    show(rows, arguments.json)


def _measure(study: "Study", arguments: argparse.Namespace) -> None:
    """Train what a study asks for, and keep its runs as evidence."""
    from initperf.report.trainability.collection import Measured
    from initperf.report.trainability.evidence import trials_of
    from initperf.report.trainability.measure import measure_study
    from initperf.report.trainability.staged import StagedTraining

    chosen = workers(arguments)
    datasets = _datasets(study, arguments)
    measured = Measured.at(arguments.out)
    training = StagedTraining(progress, chosen, measured.store(), datasets, _tell)
    found = measure_study(study, training)
    if not found.complete:
        _tell(ended_early(len(found.runs)))
    measured.add(trials_of(found.runs))
