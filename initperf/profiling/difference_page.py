"""Page and JSON of the difference of two profiles."""

import json
from typing import Any

from initperf.profiling.difference import CLEAR, Recorded, changed_boxes, function_changes
from initperf.profiling.page import LONGEST, render

FILES = ("difference.html", "difference.json")
"""Names of the files."""


def files(before: Recorded, after: Recorded) -> dict[str, str]:
    """Return the texts of the difference's files by their names."""
    return {
        "difference.html": page(before, after),
        "difference.json": json.dumps(as_json(before, after), indent=2),
    }


def as_json(before: Recorded, after: Recorded) -> dict[str, Any]:
    """Return titles, seconds of a call, numbers of samples, functions and notes."""
    notes = [
        "Seconds are the share of the samples times the median seconds of a warm call; error_s is "
        "the standard error of both. It does not contain what differs from process to process.",
        f"Changes within {CLEAR:g} standard errors are grey; stacks end at jitted functions.",
    ]
    if before.title != after.title:
        notes.insert(0, f"The targets differ: {before.title}, and {after.title}.")
    sides = {
        name: {"title": one.title, "call_s": one.call_s, "samples": len(one.samples)}
        for name, one in (("before", before), ("after", after))
    }
    return {**sides, "functions": function_changes(before, after), "notes": notes}


def page(before: Recorded, after: Recorded) -> str:
    """Return one HTML page with two differential flame graphs, which loads no other file."""
    found = as_json(before, after)
    return render(
        "difference.html",
        before=before,
        after=after,
        graphs={side: changed_boxes(before, after, widths=side) for side in ("after", "before")},
        rows=found["functions"][:LONGEST],
        notes=found["notes"],
    )
