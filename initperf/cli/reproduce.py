"""``initperf reproduce``: published claims, measured again and judged."""

import argparse
import shlex
import sys
from pathlib import Path

from initperf.cli._arguments import add_json, integer, named
from initperf.cli._output import progress, show
from initperf.cli._output_files import check_output_directory, output_file

HELP = "measure published claims again, and say which hold; outcomes are kept and not repeated"

_OF_CLAIMS = "initperf.claims:CLAIMS"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    names = parser.add_argument(
        "names", metavar="NAME", nargs="*", help="claims to measure; all by default"
    )
    named(names, _OF_CLAIMS)
    parser.add_argument(
        "--quick", action="store_true", help="fewer seeds and smaller samples: minutes for all"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="keep outcomes in this directory, by default in the cache"
    )
    parser.add_argument(
        "--workers",
        type=integer(1),
        metavar="N",
        help="seeds at a time; by default one a processor",
    )
    parser.add_argument("--page", metavar="FILE", help="write a page of Markdown to this file too")
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure, print a row a claim, and write the page."""
    from initperf._core.storage import replacing
    from initperf.claims import CLAIMS, OutcomeStore, markdown, reproduce

    names = list(dict.fromkeys(map(CLAIMS.canonical, arguments.names)))
    if arguments.out is not None:
        check_output_directory("--out", Path(arguments.out))
    page = output_file("--page", arguments.page)
    with progress("measuring") as tell:
        outcomes = reproduce(
            names,
            quick=arguments.quick,
            store=OutcomeStore(arguments.out),
            workers=arguments.workers,
            progress=tell,
        )
    if page is not None:
        with replacing(page) as fresh:
            command = f"initperf {shlex.join(sys.argv[1:])}"
            fresh.write_text(markdown(outcomes, command), encoding="utf-8")
    show(
        [
            {
                "claim": outcome.claim,
                "verdict": outcome.verdict,
                "measured": outcome.mean,
                "low": outcome.low,
                "high": outcome.high,
                "tolerance": f"{CLAIMS[outcome.claim].low:.6g} to {CLAIMS[outcome.claim].high:.6g}",
                "seeds": len(outcome.values),
                "seconds": round(outcome.seconds, 2),
            }
            for outcome in outcomes
        ],
        arguments.json,
    )
