"""Page of a check of a PyTorch model: one file that loads no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from initperf_figures import _svg
from initperf_figures._signals import signal_figure
from initperf_figures._templates import environment, policy, script_of


@dataclass(frozen=True)
class CheckPage:
    """What the page shows.

    Attributes
    ----------
    title : str
        The model.
    verdict : str
        One sentence.
    healthy : bool
        Whether nothing was found.
    findings, notes : sequence of mapping
        With ``kind``, ``name``, ``text``, ``cause``, ``remedy``, ``fix``, ``layers``.
    facts : mapping of str to str
        Lines at the head of the page.
    rows : sequence of mapping
        Values of the table of operations, by its headings.
    table : pandas.DataFrame
        As `initperf_figures._signals.signal_figure` takes it.
    """

    title: str
    verdict: str
    healthy: bool
    findings: Sequence[Mapping[str, str]]
    notes: Sequence[Mapping[str, str]]
    facts: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    table: pd.DataFrame


def check_page(**shown: Any) -> str:
    """Return the page's HTML; the keywords are the fields of `CheckPage`."""
    page = CheckPage(**shown)
    figure = signal_figure(page.table, page.findings)
    svg = _svg.files(figure).outlines
    description = str(escape(f"Signal propagation. {page.verdict}"))
    script = script_of("theme.js", "sort.js")
    return (
        environment()
        .get_template("check.html")
        .render(
            page=page,
            picture=Markup(_svg.inline(svg, "signals", description)),
            script=Markup(script),
            policy=policy(script),
        )
    )
