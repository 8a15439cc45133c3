"""``initperf doctor``: checks for what makes timings on this machine mislead."""

import argparse

from initperf._core.text import one_line
from initperf.cli._arguments import add_json
from initperf.cli._output import explain, show

HELP = "check what makes timings mislead here; exit 4 when those taken now would"

_MISLEADING = 4


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found and return the exit code."""
    import dataclasses
    import sys

    from initperf.benchmarks.doctor import examine

    findings = list(examine())
    if arguments.json:
        show([dataclasses.asdict(finding) for finding in findings], as_json=True)
    else:
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            said = f"{finding.status:7}  {finding.check:{width}}  {one_line(finding.found)}"
            explain(said, indent=width + 11)
            if finding.advice:
                explain(f"{'':9}{'':{width}}  → {one_line(finding.advice)}", indent=width + 13)
    warnings = sum(finding.status == "warning" for finding in findings)
    if not warnings:
        return 0
    verb = "warns" if warnings == 1 else "warn"
    print(
        f"initperf: {warnings} of {len(findings)} checks {verb} of wrong timings", file=sys.stderr
    )
    return _MISLEADING
