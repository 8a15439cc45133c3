"""Files of a profile: the page with its flame graph, the trace, the tables, perf's samples."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from initperf._core.cells import cell
from initperf._core.storage import replacing
from initperf.profiling.samples import KINDS, flame
from initperf.profiling.session import Profile

_LONGEST = 25
HEADINGS = {
    "phases": "Where the time goes",
    "samples": "Samples by function",
    "code": "Loops of compiled code",
    "numba_passes": "Compilation: passes of Numba",
    "llvm_passes": "Compilation: passes of LLVM",
}


def write(profile: Profile, directory: Path) -> list[Path]:
    """Write a profile's files, each whole or not at all, and return their paths.

    Parameters
    ----------
    profile : Profile
    directory : pathlib.Path
        Made if it is missing.

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    texts = {
        "index.html": page(profile),
        "trace.json": json.dumps(profile.trace),
        "profile.json": json.dumps(as_json(profile), indent=2),
    }
    if profile.script:
        texts["perf.script"] = profile.script
    return write_texts(texts, directory)


def write_texts(texts: Mapping[str, str], directory: Path) -> list[Path]:
    """Write files to a directory, made if it is missing, each whole or not at all.

    Parameters
    ----------
    texts : mapping of str to str
        By the name of the file.
    directory : pathlib.Path

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with replacing(directory / name) as temporary:
            temporary.write_text(text, "utf-8")
    return [directory / name for name in texts]


def as_json(profile: Profile) -> dict[str, Any]:
    """Return the title, the tables and the notes, for `json.dumps`."""
    return {"title": profile.title, **profile.tables, "notes": profile.notes}


def environment() -> jinja2.Environment:
    """Return the environment of the templates, which escapes and refuses what is undefined."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "cell": partial(cell, grouped=True),
        "seconds": _with_unit,
    }
    found.filters.update(filters)
    return found


def _with_unit(seconds: float) -> str:
    """Return seconds as text in s, ms or µs."""
    unit, factor = next(
        (one for one in (("s", 1.0), ("ms", 1e3)) if seconds * one[1] >= 1.0), ("µs", 1e6)
    )
    return f"{cell(seconds * factor)} {unit}"


def page(profile: Profile) -> str:
    """Return one HTML page with tables and flame graph, which loads no other file."""
    boxes = flame(profile.samples)
    found = profile.tables
    return (
        environment()
        .get_template("profile.html")
        .render(
            profile=profile,
            tables={HEADINGS[n]: found[n][:_LONGEST] for n in HEADINGS if found.get(n)},
            flame=boxes,
            levels=1 + max((box.level for box in boxes), default=0),
            kinds=[kind for kind in KINDS if any(box.frame.kind == kind for box in boxes)],
        )
    )
