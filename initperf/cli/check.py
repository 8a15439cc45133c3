"""``initperf check``: what the first weights of a PyTorch model do to signals and gradients."""

import argparse
import sys
from pathlib import Path

from initperf.cli._arguments import integer
from initperf.cli._output import usage
from initperf.cli._output_files import output_file

HELP = "check what a PyTorch model's first weights do to a batch; exit 1 when it is not healthy"

_UNHEALTHY = 1
_LOSSES = ("cross_entropy", "binary_cross_entropy", "mse", "own")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "factory",
        metavar="MODULE:FACTORY",
        help="function without arguments that builds the model, called once a seed",
    )
    parser.add_argument(
        "--batch",
        metavar="FILE.npz",
        required=True,
        help="arrays: one argument, arr_0, arr_1, ..., or keywords of the model; y for the loss",
    )
    parser.add_argument(
        "--loss",
        choices=_LOSSES,
        help="compares the model's first result with y; own is the loss that the model returns; "
        "without it, gradients begin at random",
    )
    parser.add_argument(
        "--seeds", type=integer(1), default=3, metavar="N", help="models that are built and run"
    )
    parser.add_argument("--html", metavar="FILE", help="page to write: one .html file")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the verdict and the table, and return the exit code."""
    path = output_file("--html", arguments.html, ".html")
    import initperf.torch
    from initperf.torch.pictures import drawer
    from initperf.torch.trial import prepared

    if path is not None:
        drawer("page")  # an error before minutes are spent
    model, batch, loss = prepared(arguments.factory, Path(arguments.batch), arguments.loss)
    with usage():
        result = initperf.torch.check(model, batch, loss=loss, seeds=arguments.seeds)
    if arguments.json:
        print(result.to_json())
    else:
        print(result)
    if path is not None:
        result.to_html(path, title=arguments.factory)
        print(f"initperf: wrote {path}", file=sys.stderr)
    return 0 if result.healthy else _UNHEALTHY
