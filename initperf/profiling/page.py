"""Files of a profile: the page with its flame graph, the trace, the tables, perf's samples."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from initperf._core.cells import cell
from initperf.profiling.samples import KINDS, flame
from initperf.profiling.session import Profile

LONGEST = 25
"""Rows of a table on a page."""

FILES = ("index.html", "trace.json", "profile.json", "perf.script")
"""Names of the files; the last is there where perf sampled."""

HEADINGS = {
    "phases": "Where the time goes",
    "samples": "Samples by function",
    "code": "Loops of compiled code",
    "numba_passes": "Compilation: passes of Numba",
    "llvm_passes": "Compilation: passes of LLVM",
}


def files(profile: Profile) -> dict[str, str]:
    """Return the texts of a profile's files by their names."""
    texts = {
        "index.html": page(profile),
        "trace.json": json.dumps(profile.trace),
        "profile.json": json.dumps(as_json(profile), indent=2),
    }
    return texts | ({"perf.script": profile.script} if profile.script else {})


def as_json(profile: Profile) -> dict[str, Any]:
    """Return the title, the tables and the notes, for `json.dumps`."""
    return {"title": profile.title, **profile.tables, "notes": profile.notes}


def page(profile: Profile) -> str:
    """Return one HTML page with tables and flame graph, which loads no other file."""
    boxes = flame(profile.samples)
    found = profile.tables
    return render(
        "profile.html",
        profile=profile,
        tables={HEADINGS[name]: found[name][:LONGEST] for name in HEADINGS if found.get(name)},
        boxes=boxes,
        kinds=[kind for kind in KINDS if any(box.frame.kind == kind for box in boxes)],
        notes=profile.notes,
    )


def render(template: str, **values: Any) -> str:
    """Return a page made of a template, which escapes and refuses what is undefined.

    Parameters
    ----------
    template : str
        Its file's name.
    **values
        What the template shows, by name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = partial(cell, grouped=True)
    environment.filters["seconds"] = _with_unit
    return environment.get_template(template).render(values)


def _with_unit(seconds: float) -> str:
    """Return seconds as text in s, ms or µs."""
    size = abs(seconds)
    unit, factor = ("s", 1.0) if size >= 1.0 else ("ms", 1e3) if size >= 1e-3 else ("µs", 1e6)
    return f"{cell(seconds * factor)} {unit}"
