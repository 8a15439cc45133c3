"""Options that several verbs share, and types of arguments for argparse."""

import argparse
import math
import re
from collections.abc import Callable

from initperf._core.text import one_line
from initperf.errors import UsageError

OF_ACTIVATIONS = "initperf.activations:ACTIVATIONS"
OF_DATASETS = "initperf.data:DATASETS"
OF_INITIALIZERS = "initperf.initializers:INITIALIZERS"
OF_SCHEMES = "initperf.schemes:SCHEMES"

_LONGEST = 60
_JOINED = re.compile(r"\(?\d{1,18}([x,*×]\d{1,18})+,?\)?")


def integer(least: int | None = None, *, most: int | None = None) -> Callable[[str], int]:
    """Return a type of arguments for argparse: integers, within bounds.

    Parameters
    ----------
    least, most : int, optional
        The smallest and the greatest that are taken.
    """
    words = {None: "an integer", 0: "a non-negative integer", 1: "a positive integer"}
    wanted = words.get(least, f"an integer of at least {least}")
    if most is not None:
        wanted = f"an integer of at least {least} and at most {most}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # of more than 4,300 digits, too
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {quoted(text)}") from None
        if not (-math.inf if least is None else least) <= value <= (most or math.inf):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {quoted(text)}")
        return value

    return read


def check_name(name: str) -> None:
    """Check that the name of a rule is not the first length of a shape.

    Raises
    ------
    UsageError
        For a number.
    """
    if name.isdecimal():
        raise UsageError(f"NAME comes before the shape, as he_normal 784 256, not {quoted(name)}")


def length(text: str) -> int:
    """Read a length of a shape, an integer, as a type of arguments for argparse."""
    try:
        return integer()(text)
    except argparse.ArgumentTypeError as error:
        if not _JOINED.fullmatch(text):
            raise
        apart = " ".join(re.findall(r"\d+", text))
        words = f"{error}; lengths are separated by spaces: {apart}"
        raise argparse.ArgumentTypeError(words) from None


def positive_number(text: str) -> float:
    """Read a finite number above 0, as a type of arguments for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {quoted(text)}")
    return value


def quoted(text: str) -> str:
    """Return an argument in quotes for an error message: one line, cut where it is long."""
    shown = one_line(text)
    return repr(shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def named(action: argparse.Action, *registries: str) -> None:
    """Declare the registries whose names an argument takes, for the completion of shells.

    Parameters
    ----------
    action : argparse.Action
    *registries : str
        Each as ``"module:NAME"``.
    """
    vars(action)["registries"] = registries


def add_dtype(parser: argparse.ArgumentParser, *rounded: str) -> None:
    """Add ``--dtype``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    *rounded : str
        Dtypes that are taken beside float32 and float64.
    """
    choices = ("float32", "float64", *rounded)
    parser.add_argument(
        "--dtype", default="float32", choices=choices, metavar="T", help="number type"
    )


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Add ``--backend``."""
    parser.add_argument(
        "--backend",
        default="numba",
        choices=("numba", "numpy"),
        metavar="B",
        help="implementation of the kernels",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--data-dir``."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="directory of IDX files, plain or .gz, torchvision's layout included; "
        "the environment variable INITPERF_DATA does the same",
    )


def add_residual(parser: argparse.ArgumentParser) -> None:
    """Add the option of residual blocks, for verbs that do not train."""
    from initperf._core.schema import settings_of
    from initperf.training.parts import Network

    parser.add_argument(
        "--residual",
        type=integer(0),
        nargs="?",
        const=1,
        default=0,
        metavar="N",
        help=settings_of(Network)["residual"].help,
    )
