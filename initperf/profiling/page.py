"""The page of a profile, and the other files that belong to it."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from initperf._core.cells import cell
from initperf._core.storage import replacing
from initperf.profiling.flame import boxes
from initperf.profiling.session import Profile
from initperf.profiling.stacks import BLAS, JITTED, NATIVE, PYTHON, SYSTEM, tree
from initperf.profiling.trace import trace

_LONGEST = 25
_KINDS = (JITTED, BLAS, PYTHON, NATIVE, SYSTEM)
_HEADINGS = {
    "phases": "Where the time goes",
    "samples": "Samples by function",
    "counters": "Counters",
    "code": "Machine code",
    "numba_passes": "Compilation: passes of Numba",
    "llvm_passes": "Compilation: passes of LLVM",
}


def write(profile: Profile, directory: Path) -> list[Path]:
    """Write a profile's files, each whole or not at all.

    Parameters
    ----------
    profile : Profile
    directory : pathlib.Path
        Made if need be.

    Returns
    -------
    list of pathlib.Path
        The page, the trace, the tables as JSON, and what perf printed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        "index.html": page(profile),
        "trace.json": json.dumps(trace(profile.spans, profile.processes)),
        "profile.json": json.dumps(as_json(profile), indent=2),
        **profile.texts,
    }
    for name, text in texts.items():
        with replacing(directory / name) as temporary:
            temporary.write_text(text, "utf-8")
    return [directory / name for name in texts]


def as_json(profile: Profile) -> dict[str, Any]:
    """Return the title, the tables and the notes, for `json.dumps`."""
    return {"title": profile.title, **profile.tables, "notes": profile.notes}


def page(profile: Profile) -> str:
    """Return one HTML page that needs nothing else: tables and flame graph."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = functools.partial(cell, grouped=True)
    flame = boxes(tree(profile.samples, "all samples"))
    tables = {_HEADINGS[name]: rows[:_LONGEST] for name, rows in profile.tables.items() if rows}
    return environment.get_template("profile.html").render(
        profile=profile,
        tables=tables,
        flame=flame,
        levels=1 + max((box.level for box in flame), default=0),
        kinds=[kind for kind in _KINDS if any(box.kind == kind for box in flame)],
    )


def headings() -> Mapping[str, str]:
    """Return what each table is called."""
    return _HEADINGS
