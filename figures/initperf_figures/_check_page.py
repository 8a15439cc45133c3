"""Page of a check of a PyTorch model: one file that loads no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from initperf_figures import _svg
from initperf_figures._signals import signal_figure
from initperf_figures._templates import environment, policy, script_of

_COLUMNS = {
    "name": "operation",
    "kind": "kind",
    "forward": "rms forward",
    "predicted": "theory",
    "agreement": "agreement",
    "backward": "rms backward",
    "zeros": "zeros",
    "dead": "dead units",
    "largest": "largest",
}


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
        With ``kind``, ``name``, ``text``, ``cause``, ``remedy``.
    facts : mapping of str to str
        Lines at the head of the page.
    table : pandas.DataFrame
        As `initperf_figures._signals.signal_figure` takes it.
    """

    title: str
    verdict: str
    healthy: bool
    findings: Sequence[Mapping[str, str]]
    notes: Sequence[Mapping[str, str]]
    facts: Mapping[str, str]
    table: pd.DataFrame


def check_page(**shown: Any) -> str:
    """Return the page's HTML; the keywords are the fields of `CheckPage`."""
    page = CheckPage(**shown)
    figure = signal_figure(page.table, page.findings)
    svg = _svg.files(figure).svg
    description = str(escape(f"Signal propagation. {page.verdict}"))
    script = script_of("theme.js", "sort.js")
    return (
        environment()
        .get_template("check.html")
        .render(
            page=page,
            picture=Markup(_svg.inline(svg, "signals", description)),
            columns=_COLUMNS,
            rows=operations(page.table).to_dict("records"),
            script=Markup(script),
            policy=policy(script),
        )
    )


def operations(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row an operation: medians over seeds, and the worst agreement with theory.

    Parameters
    ----------
    table : pandas.DataFrame
        As `initperf_figures._signals.signal_figure` takes it.
    """
    forward = table[table["direction"] == "forward"]
    backward = table[table["direction"].isin(("loss", "cotangent"))]
    if (backward["direction"] == "loss").any():
        backward = backward[backward["direction"] == "loss"]
    found = forward.groupby("name", sort=False).agg(
        kind=("kind", "first"),
        forward=("second_moment", "median"),
        predicted=("predicted", "median"),
        agreement=("agreement", _worst),
        zeros=("zeros", "median"),
        dead=("dead", "median"),
        largest=("largest", "max"),
    )
    found["backward"] = backward.groupby("name")["second_moment"].median()
    for column in ("forward", "predicted", "backward"):
        found[column] = found[column] ** 0.5
    return found.reset_index()


def _worst(found: pd.Series) -> str:
    order = ("wrong", "by chance of this seed", "as predicted", "not known")
    return min(map(str, found), key=lambda word: order.index(word) if word in order else 9)
