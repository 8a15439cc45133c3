"""``initperf bench``: speeds of workloads and kernels beside rivals and limits of the hardware."""

import argparse
from collections.abc import Callable
from typing import Any

from initperf.benchmarks.passes import PASSES
from initperf.benchmarks.rows import Row
from initperf.cli._arguments import add_json
from initperf.cli._output import progress, show
from initperf.cli._output_files import output_file
from initperf.cli._pairs import no_effect

HELP = "time the kernels against their rivals and against what the hardware allows"

_KERNEL_SECONDS = 0.3
_SHOWN = (
    "workload",
    "kernel",
    "size",
    "dtype",
    "method",
    "median_ms",
    "low_ms",
    "high_ms",
    "intensity",
    "limit",
    "percent_of_limit",
    "ratio",
    "ratio_low",
    "ratio_high",
    "null_ratio",
    "first_call_ms",
    "peak_mb",
    "instructions",
    "cycles",
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
        help="time every kernel alone, by one thread, against the roofline",
    )
    parser.add_argument(
        "--save",
        metavar="FILE",
        help=f"keep the samples as JSON that initperf compare reads, with control benchmarks; all "
        f"is measured {PASSES} times for that, as a disturbance seldom lasts for two passes",
    )
    add_json(parser)
    no_effect(parser, "--peers", beside="--kernels")


def run(arguments: argparse.Namespace) -> None:
    """Measure and print the table."""
    import sys
    import time

    from initperf.benchmarks.machine import busy
    from initperf.benchmarks.results_file import write_benchmarks

    file = output_file("--save", arguments.save)
    measure = _kernels(arguments) if arguments.kernels else _workloads(arguments)
    if warning := busy():
        print(f"initperf: {warning}", file=sys.stderr)
    passes = [(measure(), time.time()) for _ in range(PASSES if file else 1)]
    rows = [row for row in passes[0][0] if row.role != "control"]
    show([_shown(row.record()) for row in rows], arguments.json)
    if file:
        write_benchmarks(file, [(row, end) for rows, end in passes for row in rows])


def _workloads(arguments: argparse.Namespace) -> Callable[[], list[Row]]:
    """Return what times the workloads that are asked for, and controls in what is saved."""
    import sys

    from initperf.benchmarks.controls import measure_controls
    from initperf.benchmarks.speed import Selection, measure_workloads, missing_peers
    from initperf.benchmarks.workloads import PREPARATIONS

    selection = Selection(arguments.quick, arguments.filter, arguments.peers)
    selection.steps()  # a word that nothing has is an error before all else
    if arguments.peers and (absent := missing_peers()):
        print(f"initperf: not installed and left out: {', '.join(absent)}", file=sys.stderr)

    def measure() -> list[Row]:
        with progress("measuring") as tell:
            rows = measure_workloads(selection, tell, preparations=PREPARATIONS)
        if arguments.save:
            with progress("measuring controls") as tell:
                rows += measure_controls(tell)
        return rows

    return measure


def _kernels(arguments: argparse.Namespace) -> Callable[[], list[Row]]:
    """Return what times the kernels that are asked for."""
    from initperf.benchmarks.budget import Budget
    from initperf.benchmarks.roofline import choose_kernels, measure_kernels

    steps = choose_kernels(arguments.filter, largest=not arguments.quick)

    def measure() -> list[Row]:
        with progress("measuring") as tell:
            return measure_kernels(steps, Budget(seconds=_KERNEL_SECONDS), tell)

    return measure


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    times = [name for name in ("median", "low", "high", "first_call") if f"{name}_s" in row]
    row = {**row, **{f"{name}_ms": 1e3 * row[f"{name}_s"] for name in times}}
    if "peak_bytes" in row:
        row["peak_mb"] = 1e-6 * row["peak_bytes"]
    return {name: row[name] if row[name] == row[name] else None for name in _SHOWN if name in row}
