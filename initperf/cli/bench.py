"""``initperf bench``: how fast the kernels are, beside their rivals and the hardware's limit."""

import argparse
from pathlib import Path
from typing import Any

from initperf.benchmarks.results_file import PASSES
from initperf.cli._arguments import add_json
from initperf.cli._output import progress, show
from initperf.errors import UsageError

HELP = "time the kernels against their rivals and against what the hardware allows"

_SHOWN = (
    *("kernel", "size", "dtype", "method", "median_ms", "low_ms", "high_ms"),
    *("intensity", "limit", "percent_of_limit", "ratio", "ratio_low", "ratio_high", "null_ratio"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds")
    parser.add_argument(
        "--filter",
        default="",
        metavar="WORDS",
        help="only workloads with all these words in name and size, as 'normal 784'",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="time other libraries too, those that are installed: PyTorch, mkl_random, "
        "scikit-learn, JAX",
    )
    parser.add_argument(
        "--kernels",
        action="store_true",
        help="time every kernel alone, by one thread, under the roofline",
    )
    parser.add_argument(
        "--save",
        metavar="FILE",
        help=f"keep the samples as JSON that initperf compare reads; all is measured {PASSES} "
        "times for that, as what disturbs one pass is seldom there in the next",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print the table."""
    import sys
    import time

    from initperf.benchmarks.machine import busy
    from initperf.benchmarks.results_file import write_benchmarks
    from initperf.benchmarks.roofline import choose_kernels
    from initperf.benchmarks.speed import choose_workloads

    if arguments.save and not Path(arguments.save).parent.is_dir():
        raise UsageError(f"--save must be a file in a directory that exists, not {arguments.save}")
    if arguments.kernels:  # a word too many is said before all else
        choose_kernels(arguments.filter)
    else:
        choose_workloads(arguments.quick, arguments.filter, arguments.peers)
    measured = _kernels if arguments.kernels else _workloads
    if warning := busy():
        print(f"initperf: {warning}", file=sys.stderr)
    passes = [(measured(arguments), time.time()) for _ in range(PASSES if arguments.save else 1)]
    show([_shown(one.row) for one in passes[0][0]], arguments.json)
    if arguments.save:
        rows = [
            (one.name, one.samples_s, {**one.row, "taken_s": taken_s})
            for speeds, taken_s in passes
            for one in speeds
        ]
        write_benchmarks(arguments.save, rows)


def _workloads(arguments: argparse.Namespace) -> list[Any]:
    import sys

    from initperf.benchmarks.speed import measure_workloads, missing_peers

    if arguments.peers and (absent := missing_peers()):
        print(f"initperf: not installed and left out: {', '.join(absent)}", file=sys.stderr)
    with progress("measuring") as tell:
        return measure_workloads(
            arguments.quick, tell, chosen=arguments.filter, peers=arguments.peers, again=True
        )


def _kernels(arguments: argparse.Namespace) -> list[Any]:
    from initperf.benchmarks.roofline import measure_kernels

    with progress("measuring") as tell:
        return measure_kernels(largest=not arguments.quick, chosen=arguments.filter, progress=tell)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    times = {f"{name}_ms": 1e3 * row[f"{name}_s"] for name in ("median", "low", "high")}
    row = {**row, **times}
    return {name: row[name] if row[name] == row[name] else None for name in _SHOWN if name in row}
