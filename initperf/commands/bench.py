"""``initperf bench``: how fast the kernels are, beside their rivals and the hardware's limit."""

import argparse

from initperf.commands._arguments import add_json
from initperf.commands._output import progress, show

HELP = "time the kernels against their rivals and against what the hardware allows"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print the table."""
    import sys

    from initperf.machine import busy
    from initperf.speed import speed_table

    if warning := busy():
        print(f"initperf: {warning}", file=sys.stderr)
    with progress("measuring") as tell:
        table = speed_table(quick=arguments.quick, progress=tell)
    show(
        [
            {
                "kernel": row.kernel,
                "size": row.size,
                "method": row.method,
                "median_ms": 1e3 * row.median_s,
                "low_ms": 1e3 * row.low_s,
                "high_ms": 1e3 * row.high_s,
                "percent_of_limit": 100.0 * row.limit_s / row.median_s
                if row.limit_s == row.limit_s
                else None,
            }
            for row in table.itertuples()
        ],
        arguments.json,
    )
