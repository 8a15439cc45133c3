"""The verb ``initperf profile``: where a kernel, a draw or a training run spends its time."""

import argparse
from pathlib import Path
from typing import Any

from initperf.cli._arguments import add_dtype, integer, length, positive_number
from initperf.cli._output import progress, show, show_json, usage
from initperf.cli._output_files import check_output_directory
from initperf.cli._pairs import no_effect
from initperf.cli._profile_difference import add_comparison, compare_profiles
from initperf.cli._profile_files import show_end, write
from initperf.cli._settings import add_training, experiments
from initperf.errors import UsageError

HELP = "show where a kernel, a draw or a training run spends its time, inside the JIT too"
_SHAPE = [784, 256]
_EPOCHS = 3
_SHOWN = 12


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    _add_options(parser)
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a kernel; or draw NAME [N N]; or train, with the options of initperf train; or "
        "compare BEFORE AFTER, the directories of two profiles; initperf profile TARGET --help "
        "says more",
    )
    words = parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="...", help="its options"
    )
    no_effect(parser, "--seconds", beside="compare")
    words.required = False  # argparse names it among missing ones otherwise


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", metavar="DIR", default="profile", help="where the files go")
    parser.add_argument(
        "--seconds",
        type=positive_number,
        default=2.0,
        metavar="S",
        help="how long to measure each thing",
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, print the tables and write the files."""
    if arguments.target == "compare":
        compare_profiles(_compared(arguments))
        return
    target = _target(arguments)
    directory = Path(arguments.out)
    from initperf.profiling.page import FILES, HEADINGS, as_json, files

    check_output_directory("--out", directory, *FILES)
    from initperf.profiling.session import profile

    try:
        with progress("profiling") as tell:
            found = profile(target, arguments.seconds, tell)
    except RuntimeError as error:
        raise UsageError(str(error)) from None
    texts = files(found)
    write(texts, directory)
    if arguments.json:
        show_json(as_json(found))
        return
    print(found.title)
    for name, heading in HEADINGS.items():
        if rows := found.tables[name]:
            print(f"\n{heading}")
            show(rows[:_SHOWN], as_json=False)
    show_end(found.notes, texts, directory)


def _parser(arguments: argparse.Namespace) -> argparse.ArgumentParser:
    """Return the parser of the words that follow the target."""
    parser: argparse.ArgumentParser = type(arguments.parser)(
        prog=f"initperf profile {arguments.target}",
        conflict_handler="resolve",
        allow_abbrev=False,
        formatter_class=arguments.parser.formatter_class,
    )
    return parser


def _compared(arguments: argparse.Namespace) -> argparse.Namespace:
    """Read the words after ``compare``."""
    parser = _parser(arguments)
    add_comparison(parser)
    return parser.parse_args(arguments.words, arguments)


def _target(arguments: argparse.Namespace) -> Any:
    """Read what follows the name of the target, with the options of its kind."""
    kind = arguments.target
    parser = _parser(arguments)
    if kind == "train":
        add_training(parser, many=False)
        parser.set_defaults(epochs=_EPOCHS)  # perf keeps megabytes of stacks a second
    else:
        add_dtype(parser)
    if kind == "draw":
        parser.add_argument("name", metavar="NAME", help="see initperf list")
        parser.add_argument(
            "shape", metavar="N", type=length, nargs="*", default=[], help="default: 784 256"
        )
        parser.add_argument(
            "--seed", type=integer(0), default=0, metavar="N", help="seed of the draw"
        )
    _add_options(parser)
    parser.parse_args(arguments.words, arguments)

    from initperf.profiling.target import Target

    with usage():
        if kind == "train":
            target = _training(arguments)
        elif kind == "draw":
            shape = tuple(arguments.shape or _SHAPE)
            target = Target("draw", arguments.name, arguments.dtype, shape, arguments.seed)
        else:
            target = Target("kernel", kind, arguments.dtype)
        target.check()
    return target


def _training(arguments: argparse.Namespace) -> Any:
    from initperf.profiling.target import Target
    from initperf.training._data import load_data

    (experiment,) = experiments(arguments, many=False)
    load_data(experiment, arguments.data_dir)
    return Target(
        "train", experiment.to_json(), experiment.dtype, data_directory=arguments.data_dir
    )
