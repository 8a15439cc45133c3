"""``initperf compare``: regressions between two files of pytest-benchmark, or since a revision."""

import argparse
from typing import TYPE_CHECKING, Any

from initperf._core.text import one_line
from initperf.cli._arguments import add_json, integer, positive_number
from initperf.cli._output import progress, show, usage
from initperf.cli._pairs import no_effect
from initperf.errors import UsageError

if TYPE_CHECKING:
    from initperf.benchmarks.regressions import FileComparison

HELP = (
    "compare two pytest-benchmark files, or a git revision with the working tree; exit 1 on a "
    "regression, 4 when too noisy to judge"
)


_COLUMNS = (
    "new over old, above 1 is slower: by_seconds without the drift of the machine, by_baseline "
    "against the baseline of the same session, time_ratio what both agree on; hidden_percent is "
    "the slowdown that would have been seen in half of such sessions"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("old", metavar="OLD.json", nargs="?", help="file of the session before")
    parser.add_argument("new", metavar="NEW.json", nargs="?", help="file of the session after")
    parser.add_argument(
        "--base",
        metavar="REVISION",
        help="instead of files, measure a git revision and the working tree in turns",
    )
    parser.add_argument(
        "--select", metavar="EXPRESSION", help="with --base, benchmarks, as pytest -k takes them"
    )
    parser.add_argument(
        "--passes", type=integer(1), metavar="N", help="with --base, passes of each (default 3)"
    )
    parser.add_argument(
        "--threshold",
        action="append",
        type=_threshold,
        default=[],
        metavar="[PATTERN=]FRACTION",
        help="the smallest change that counts (default 0.05), or that of benchmarks whose name "
        "matches a pattern such as '*fill_normal*'; may be repeated",
    )
    add_json(parser)
    parser.add_argument(
        "--markdown", action="store_true", help="print a table for a pull request instead"
    )
    no_effect(parser, "--select", "--passes", without="--base")
    no_effect(parser, "--json", beside="--markdown", why="choose one of --json and --markdown")


def _threshold(text: str) -> tuple[str, float]:
    pattern, _, number = text.rpartition("=")
    return pattern or "*", positive_number(number)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison and return the exit code."""
    import sys

    from initperf.benchmarks.regressions import THRESHOLD, compare_files

    thresholds = {"*": THRESHOLD} | dict(arguments.threshold)
    files = [file for file in (arguments.old, arguments.new) if file is not None]
    if arguments.base is not None:
        if files:
            raise UsageError("compare takes two files or --base, not both")
        found, warnings = _since(arguments, thresholds)
    elif len(files) != 2:
        raise UsageError("compare takes two files, OLD.json and NEW.json, or --base REVISION")
    else:
        with usage():
            found, warnings = compare_files(*files, threshold=thresholds), ()
    for warning in (*found.warnings, *warnings):
        print(f"initperf: {one_line(warning)}", file=sys.stderr)
    rows = found.table.to_dict("records")
    # pandas holds an empty cell of numbers as NaN
    rows = [{key: None if one != one else one for key, one in row.items()} for row in rows]
    if arguments.markdown:
        print(_markdown(found, rows))
        return found.exit_code
    print(f"initperf: {found.noise}", file=sys.stderr)
    if not arguments.json:
        print(f"initperf: {_COLUMNS}", file=sys.stderr)
    show(rows, arguments.json)
    return found.exit_code


def _since(
    arguments: argparse.Namespace, thresholds: dict[str, float]
) -> tuple["FileComparison", tuple[str, ...]]:
    from initperf.benchmarks.passes import PASSES
    from initperf.benchmarks.regressions import compare_sessions
    from initperf.benchmarks.revisions import measure_in_turns

    words = ("-k", arguments.select) if arguments.select else ()
    with progress("measuring") as tell:
        turns = measure_in_turns(
            arguments.base, words, passes=arguments.passes or PASSES, progress=tell
        )
    with usage():
        return compare_sessions(turns.base, turns.tree, threshold=thresholds), turns.warnings


def _markdown(found: "FileComparison", rows: list[dict[str, Any]]) -> str:
    """Return a heading with the verdict, a table of what changed, and the rest folded away."""
    from initperf._core.cells import cell

    times = ("benchmark", "old_s", "new_s", "time_ratio", "time_ratio_low", "time_ratio_high")
    others = ("peak_ratio", "instructions_ratio")
    columns = times + tuple(name for name in others if any(row[name] is not None for row in rows))

    def table(some: list[dict[str, Any]]) -> list[str]:
        lines = ["| " + " | ".join((*columns, "verdict")) + " |"]
        lines.append("|---|" + "---:|" * (len(columns) - 1) + "---|")
        for row in some:
            cells = [cell(row[column]).replace("|", "\\|") for column in (*columns, "verdict")]
            lines.append("| " + " | ".join([f"`{cells[0]}`", *cells[1:]]) + " |")
        return lines

    changed = [row for row in rows if row["verdict"] in ("regressed", "improved")]
    unchanged = [row for row in rows if row not in changed]
    counts = found.table["verdict"].value_counts()
    words = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    lines = [f"### initperf: {found.verdict}", "", f"{words}; {found.noise}.", ""]
    if changed:
        lines += [*table(changed), ""]
    if unchanged:
        lines += ["<details><summary>The other benchmarks</summary>", "", *table(unchanged), ""]
        lines.append("</details>")
    return "\n".join(lines)
