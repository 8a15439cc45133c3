"""Page and JSON of the difference of two profiles."""

import json
from pathlib import Path
from typing import Any

from initperf.profiling.difference import CLEAR, Recorded, changed_boxes, function_changes
from initperf.profiling.page import environment, write_texts

_LONGEST = 40


def difference_notes(before: Recorded, after: Recorded) -> list[str]:
    """Return how to read the difference of two profiles, a sentence each."""
    notes = [
        "Seconds are the share of the samples times the median seconds of a warm call; error_s is "
        "the standard error of both. It does not contain what differs from process to process.",
        f"Changes within {CLEAR:g} standard errors are grey; stacks end at jitted functions.",
    ]
    if before.title != after.title:
        notes.insert(0, f"The targets differ: {before.title}, and {after.title}.")
    return notes


def as_json(before: Recorded, after: Recorded) -> dict[str, Any]:
    """Return titles, seconds of a call, numbers of samples, functions and notes."""
    sides = {
        name: {"title": one.title, "call_s": one.call_s, "samples": len(one.samples)}
        for name, one in (("before", before), ("after", after))
    }
    return {
        **sides,
        "functions": function_changes(before, after),
        "notes": difference_notes(before, after),
    }


def page(before: Recorded, after: Recorded) -> str:
    """Return one HTML page with two differential flame graphs, which loads no other file."""
    graphs = {
        "after": changed_boxes(before, after),
        "before": changed_boxes(before, after, widths="before"),
    }
    return (
        environment()
        .get_template("difference.html")
        .render(
            before=before,
            after=after,
            graphs=graphs,
            rows=function_changes(before, after)[:_LONGEST],
            notes=difference_notes(before, after),
        )
    )


def write_difference(before: Recorded, after: Recorded, directory: Path) -> list[Path]:
    """Write ``difference.html`` and ``difference.json``, each whole or not at all.

    Parameters
    ----------
    before, after : Recorded
    directory : pathlib.Path
        Made if it is missing.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    texts = {
        "difference.html": page(before, after),
        "difference.json": json.dumps(as_json(before, after), indent=2),
    }
    return write_texts(texts, directory)
