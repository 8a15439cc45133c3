"""Times of benchmarks by commit, and the commits at which their level changed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from initperf_figures._figure import Tables, register
from initperf_figures._style import ACCENT, INK, MUTED, across, canvas

_MOST = 12
_PANEL = 1.75  # inches
_AROUND = 0.3
_SHORT = 8  # characters of a commit


def _steps(levels: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.diff(levels)) + 1


def _largest_change(own: pd.DataFrame) -> float:
    logs = np.log(own["level_s"].to_numpy(float))
    return float(np.abs(np.diff(logs)).max(initial=0.0))


def chosen(history: pd.DataFrame) -> list[tuple[str, str]]:
    """Return benchmark and processor of the series to draw, those that changed most first."""
    series = history.groupby(["benchmark", "processor"], sort=False)
    ranked = sorted(series, key=lambda one: -_largest_change(one[1]))
    changed = [key for key, own in ranked if _largest_change(own) > 0.0]
    return (changed or [key for key, _ in ranked])[:_MOST]


def draw(tables: Tables) -> Figure:
    """Draw one panel a benchmark: a dot a session, a line a level."""
    history = tables["benchmark_history"]
    keys = chosen(history)
    columns = min(across(), len(keys))
    rows = -(-len(keys) // columns)
    figure = canvas(_PANEL * rows + _AROUND)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, processor) in zip(grid.flat, keys, strict=False):
        own = history[(history["benchmark"] == name) & (history["processor"] == processor)]
        places = own["place"].to_numpy(float)
        levels = own["level_s"].to_numpy(float)
        axes.scatter(places, own["time_s"], s=9, color=MUTED, linewidth=0)
        axes.step(places, levels, where="mid", color=ACCENT, linewidth=1.4)
        for place in _steps(levels):
            axes.annotate(
                f"{own['commit'].iloc[place][:_SHORT]}  ×{levels[place] / levels[place - 1]:.2f}",
                (places[place] - 0.5, levels[place]),
                (3, 4),
                textcoords="offset points",
                fontsize=7,
                color=INK,
            )
        axes.set_title(_label(name), loc="left")
        axes.set_ylim(0.0, 1.15 * float(own["time_s"].max()))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{1e3 * value:g} ms"))
        axes.set_xlabel("session")
    for axes in grid.flat[len(keys) :]:
        axes.remove()
    return figure


def _label(name: str) -> str:
    """Return the parameters of a benchmark's name, which tell it from others, without mathtext."""
    short = name.partition("[")[2].rstrip("]") or name.rpartition("::")[2]
    return short.replace("$", r"\$")


def finding(tables: Tables) -> str:
    """Return how many levels changed, and the largest change."""
    history = tables["benchmark_history"]
    series = history.groupby(["benchmark", "processor"], sort=False)
    number = sum(len(_steps(own["level_s"].to_numpy(float))) for _, own in series)
    if not number:
        return f"No level of {series.ngroups} series of benchmarks changed."
    name, processor = chosen(history)[0]
    own = history[(history["benchmark"] == name) & (history["processor"] == processor)]
    levels = own["level_s"].to_numpy(float)
    place = max(_steps(levels), key=lambda at: abs(np.log(levels[at] / levels[at - 1])))
    return (
        f"Levels of {series.ngroups} series of benchmarks changed {number} times; the largest "
        f"change is that of {_label(name)}, ×{levels[place] / levels[place - 1]:.2f} from commit "
        f"{own['commit'].iloc[place][:_SHORT]} on."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the first and the last level of each series."""
    history = tables["benchmark_history"].sort_values("place", kind="stable")
    series = history.groupby(["benchmark", "processor"], sort=False)
    found = series.agg(sessions=("time_s", "size"), first_s=("level_s", "first"))
    found["last_s"] = series["level_s"].last()
    found["ratio"] = found["last_s"] / found["first_s"]
    return found.reset_index()


register(
    "benchmark_history",
    title="Benchmarks by commit",
    caption=(
        "Each dot is the time of a session, corrected by the controls' drift, and each line a "
        "level between two changes; a change carries the first commit of the new level and the "
        "ratio of times, above 1 slower."
    ),
    finding=finding,
    needs=("benchmark_history",),
    draw=draw,
    numbers=numbers,
    section="speed",
    order=90,
)
