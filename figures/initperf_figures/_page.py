"""HTML page of a report."""

import base64
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from initperf_figures import _svg
from initperf_figures._axes import activation_name, activation_of, activations_of, network_name
from initperf_figures._figure import SECTIONS, ReportFigure
from initperf_figures._panels import SETUP, panelled
from initperf_figures._sensitivity import depth_words, rate_words, sensitivity_sentences
from initperf_figures._style import strokes
from initperf_figures._templates import environment, policy, script_of
from initperf_figures._usage import usage_lines
from initperf_figures.recommendation import conclusions, percent

INLINE_LIMIT = 600_000
"""Characters of SVG; a figure with more is shown as its PNG."""

_HEADINGS = {
    "weights": ("The weights", "The weights that each initializer draws, before any training."),
    "signal": (
        "The signal, before training",
        "Activations of one batch of images, forward through a deep, untrained network, and "
        "gradients, backward. Neither should vanish or explode.",
    ),
    "training": (
        "Training",
        "The same network, data, batch order and seeds for every initializer; only the initial "
        "weights differ.",
    ),
    "symmetry": (
        "Symmetry",
        "Zeros and constants: what begins equal stays equal, so that a layer is one unit.",
    ),
    "maps": ("Maps", "Which depths and which scales of the weights can be trained at all."),
    "speed": ("Speed", "Time of draws and training steps on the machine described below."),
    "claims": (
        "Published claims",
        "Numbers from papers and tutorials, measured again by initperf reproduce.",
    ),
    "more": ("More", ""),
}

_MEASURED_BY = {
    "rates": "several --learning-rates",
    "histograms": "--histogram-steps 1,10,100",
    "trainability": "initperf map --out DIR",
    "depth_limits": "initperf depths --out DIR",
    "benchmark_history": "initperf history",
    "claims": "initperf reproduce",
    "descent": "initperf report --from STORE --data-dir DIR, with the data of its runs",
}
"""What measures tables that a report lacks by default, or with ``--quick``."""


@dataclass(frozen=True)
class Drawn:
    """A figure with its finding, its caption, its small table and its files."""

    figure: ReportFigure
    finding: str
    caption: str
    numbers: pd.DataFrame | None
    files: _svg.Files

    @property
    def markup(self) -> Markup:
        """Its SVG as markup, or its PNG where the SVG is longer than INLINE_LIMIT."""
        name = self.figure.name
        words = " ".join(filter(None, (f"{self.figure.title}.", self.finding, self.caption)))
        description = str(escape(words))
        if len(self.files.outlines) <= INLINE_LIMIT:
            return Markup(_svg.inline(self.files.outlines, name, description))
        data = base64.b64encode(self.files.png).decode()
        return Markup(f'<img alt="{description}" src="data:image/png;base64,{data}">')


def page(
    title: str,
    tables: Mapping[str, pd.DataFrame],
    drawn: Sequence[Drawn],
    left_out: Mapping[str, Sequence[str]],
    commands: Sequence[str],
    place: str = "report",
) -> str:
    """Return the page's HTML.

    Parameters
    ----------
    title : str
        Heading.
    tables : mapping of str to pandas.DataFrame
        All tables of the report, with `recommendation` if there were runs.
    drawn : sequence of Drawn
        Figures in the order of the page.
    left_out : mapping of str to sequence of str
        Titles of the figures that were not drawn, and what they lacked.
    commands : sequence of str
        Command lines that made the report.
    place : str
        Path of the report's directory, as one types it.
    """
    templates = environment()
    filters: dict[str, Callable[..., Any]] = {
        "percent": percent,
        "colour": lambda name: strokes(name).colour,
        "activation": activation_name,
        "depth": depth_words,
        "rates": rate_words,
    }
    templates.filters.update(filters)
    rankings = []
    if "recommendation" in tables:
        answers = panelled({"all": tables["recommendation"]})["all"]
        rankings = [answers[answers["activation"] == one] for one in activations_of(answers)]
    sections = [
        (name, *_HEADINGS[name], [item for item in drawn if item.figure.section == name])
        for name in SECTIONS
    ]
    script = script_of("theme.js", "sort.js")
    return templates.get_template("index.html").render(
        script=Markup(script),
        policy=policy(script),
        title=title,
        stamp=_stamp(tables),
        rankings=rankings,
        places=[_place(ranking.iloc[0]["activation"], tables["runs"]) for ranking in rankings],
        sensitivities=_sensitivities(tables),
        usages=_usages(rankings),
        winners=_winners(rankings),
        ranks=partial(_ranks, tables=tables),
        unsuitable=list(tables["unsuitable"].itertuples()) if "unsuitable" in tables else [],
        conclusions=conclusions(rankings),
        sections=[section for section in sections if section[3]],
        numbers={item.figure.name: index for index, item in enumerate(drawn, start=1)},
        left_out={left: [lacking(name) for name in names] for left, names in left_out.items()},
        commands=commands,
        redrawn=partial(_redrawn, place=place),
        tables=tables,
    )


def _place(panel: str, runs: pd.DataFrame) -> tuple[str, str]:
    """Return the activation of a ranking, and its network and settings in words.

    Parameters
    ----------
    panel : str
        The activation, followed by the setup where there are several.
    runs : pandas.DataFrame
    """
    activation, _, setup = panel.partition(", ")
    name = activation_name(activation)
    if setup or "network" not in runs or runs["network"].nunique() > 1:
        return name, setup
    hidden = len(str(runs["network"].iloc[0]).split("-")) - 2
    return name, _counted(hidden, "hidden layer")


def _sensitivities(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return sentences, rows and sources of depth and learning rate; nothing where none is known.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    """
    table = tables.get("sensitivity")
    if table is None or table.empty:
        return {}
    return {
        "sentences": sensitivity_sentences(table),
        "rows": list(table.itertuples()),
        "sources": list(dict.fromkeys(table["source"])),
    }


def _usages(rankings: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Return the lines of code that use the best initializers, by name, each once."""
    found = {}
    for ranking in rankings:
        name = ranking.iloc[0]["initializer"]
        found[name] = usage_lines(name, activation_of(ranking.iloc[0]["activation"]))
    return {name: lines for name, lines in found.items() if lines}


def _winners(rankings: Sequence[pd.DataFrame]) -> list[tuple[str, str]]:
    """Return the best initializers that have lines of code, each with its activations in words."""
    found: dict[str, list[str]] = {}
    for ranking in rankings:
        best = ranking.iloc[0]
        if usage_lines(best["initializer"], activation_of(best["activation"])):
            found.setdefault(best["initializer"], []).append(activation_name(best["activation"]))
    return [(name, ", ".join(words)) for name, words in found.items()]


def _ranks(figure: ReportFigure, tables: Mapping[str, pd.DataFrame]) -> bool:
    """Return whether a figure compares initializers."""
    return any("initializer" in tables[name] for name in figure.needs)


def lacking(name: str) -> str:
    """Return the name of a table, with what measures it where a report does not always."""
    return f"{name} ({_MEASURED_BY[name]})" if name in _MEASURED_BY else name


def _redrawn(name: str, place: str) -> str:
    """Return the command, and the lines of Python, that draw a figure again.

    Parameters
    ----------
    name : str
        The figure's name.
    place : str
        The report's directory.
    """
    return (
        f"initperf report --from {shlex.quote(place)} --only {name} --out {name}\n\n"
        "import initperf_figures\n"
        f"figure = initperf_figures.draw({name!r}, {place!r}, size='two_columns')\n"
        f"figure.savefig('{name}.pdf')"
    )


def _counted(number: int, word: str) -> str:
    """Return a number and what it counts, in the plural unless there is one."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _stamp(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the facts at the head of the page: numbers of runs, data, network, training."""
    if "runs" not in tables or tables["runs"].empty:
        return []
    runs = tables["runs"]
    counts = runs[["initializer", "activation", "seed"]].nunique()
    setups = runs[SETUP].nunique() if SETUP in runs else 1
    across = [_counted(counts[name], name) for name in counts.index]
    if setups > 1:
        across.insert(2, f"{setups} setups")
    first = runs.iloc[0]
    found = [
        f"{' × '.join(across)}, {_counted(len(runs), 'run')}",
        f"{first['dataset']}, {_counted(first['dataset_size'], 'image')}",
    ]
    words = {
        "network": "network {}",
        "epochs": "{} epochs",
        "optimizer": "{}",
        "batch_size": "batch {}",
        "learning_rate": "learning rate {:g}",
    }
    shared = [
        text.format(network_name(first[name]) if name == "network" else first[name])
        for name, text in words.items()
        if name in runs and runs[name].nunique() == 1
    ]
    shared = ["1 epoch" if words == "1 epochs" else words for words in shared]
    if "best_learning_rate" in runs:
        shared.append("each rule at its best learning rate of a search")
    return [*found, ", ".join(shared)] if shared else found
