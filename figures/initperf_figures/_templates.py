"""Templates of pages: their environment, scripts and content-security policy."""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from initperf._core.cells import cell

_DIRECTORY = Path(__file__).parent / "templates"


def environment() -> jinja2.Environment:
    """Return an environment that escapes, refuses what is undefined, and writes cells."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_DIRECTORY),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Callable[..., Any]] = {
        "cell": partial(cell, missing="–", typographic=True),
        "unbroken": unbroken,
    }
    found.filters.update(filters)
    return found


def unbroken(words: str) -> str:
    """Return a text whose lines do not end within products, factors and percentages."""
    words = re.sub(r"(?<=\d) (?=×|%)", "\u00a0", words)
    return re.sub(r"(?<=×) (?=\d)", "\u00a0", words)


def script_of(*names: str) -> str:
    """Return the text of scripts of the templates, one after another."""
    return "\n".join((_DIRECTORY / name).read_text(encoding="utf-8") for name in names)


def policy(script: str) -> str:
    """Return a content-security policy: no request of any kind, and no script but the page's.

    Parameters
    ----------
    script : str
        Text of the page's one script element.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
