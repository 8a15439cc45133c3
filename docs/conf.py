"""Sphinx configuration of the documentation: ``tox run -e docs`` builds it, warnings are errors."""

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # for _gallery, _mathml, _reference, _speeds

from _gallery import write_gallery
from _reference import write_reference
from _speeds import write_speeds

project = "initperf"
author = "The initperf developers"
project_copyright = f"2026, {author}"
release = version = importlib.metadata.version("initperf")

extensions = [
    "_mathml",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "jupyter_execute"]
# notebooks are executed at each build; an exception ends it
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # numpydoc's sections state them
numpydoc_show_class_members = False

html_theme = "furo"
html_math_renderer = "mathml"
html_title = "initperf"
html_static_path: list[str] = []

linkcheck_ignore = [r"https://github\.com/initperf/.*"]


_REPOSITORY = "https://github.com/initperf/initperf/blob/main/"


def _for_the_site(app: Any, name: str, source: list[str]) -> None:
    """Link to files outside docs/ in the repository, and show drawings for GitHub as text."""
    source[0] = source[0].replace("](../", f"]({_REPOSITORY}") if "/" not in name else source[0]
    source[0] = source[0].replace("```mermaid", "```text")


def setup(app: Any) -> None:
    """Write the pages that are made by programs before any page is read."""
    app.connect("source-read", _for_the_site)
    source = Path(app.srcdir)
    write_reference(source)
    write_gallery(source)
    write_speeds(source)
