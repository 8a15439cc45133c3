"""Final test accuracy of every initializer, by seed."""

from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initperf_figures._axes import accuracy_axis, activation_name, activations_of
from initperf_figures._figure import Tables, lacks_accuracy, register
from initperf_figures._numbers import accuracies
from initperf_figures._style import INK, MUTED, canvas, strokes
from initperf_figures.recommendation import rank

_FEW = 4  # activations and setups whose best rules a sentence can name


def draw(tables: Tables) -> Figure:
    """Draw a ranking for each activation: a dot a seed, and an interval."""
    runs = tables["runs"].fillna({"test_accuracy": 0.0})
    ranking = rank(runs, tables["epochs"])
    activations = activations_of(runs)
    rows = -(-len(activations) // 2)
    longest = ranking.groupby("activation").size().max()
    figure = canvas((0.2 * longest + 0.95) * rows)
    panels = figure.subplots(rows, 2, squeeze=False, sharex=True).flat
    low = float(runs["test_accuracy"].min()) - 0.03
    most = float(runs["test_accuracy"].max())
    high = min(
        max(ranking["accuracy_high"].fillna(0.0).max(), 1 - 0.8 * (1 - most)), 1 - 0.5 * (1 - most)
    )
    for axes, activation in zip(panels, activations, strict=False):
        accuracy_axis(axes, "x", max(low, 0.0), high)
        axes.set_title(activation_name(activation))
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel("test accuracy (%)")
        _strip(
            axes,
            ranking[ranking["activation"] == activation],
            runs[runs["activation"] == activation],
        )
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _strip(axes: Axes, ranking: pd.DataFrame, runs: pd.DataFrame) -> None:
    leading = ranking["verdict"].isin(["best", "tied"])
    axes.grid(visible=True, axis="x")
    for place, row in enumerate(ranking.itertuples()):
        stroke = strokes(row.initializer)
        own = runs[runs["initializer"] == row.initializer]
        finished = own["status"] == "finished"
        if not row.diverged:
            low, high = row.accuracy_low, row.accuracy_high
            axes.hlines(place, low, high, color=stroke.colour, alpha=0.35, linewidth=4)
        axes.plot(
            own.loc[finished, "test_accuracy"],
            [place] * int(finished.sum()),
            "o",
            color=stroke.colour,
            markersize=3.6,
            markeredgewidth=0,
        )
        axes.plot(
            own.loc[~finished, "test_accuracy"],
            [place] * int((~finished).sum()),
            "x",
            color=stroke.colour,
            markersize=5,
            markeredgewidth=1.3,
        )
        if row.diverged:
            axes.annotate(
                f"{row.diverged} of {row.seeds} diverged",
                (1.0, place),
                (5, 0),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                va="center_baseline",
                fontsize=7,
                color=MUTED,
                annotation_clip=False,
            )
    axes.set_yticks(range(len(ranking)), ranking["initializer"])
    axes.tick_params(axis="y", colors=INK, pad=6)
    for label, bold in zip(axes.get_yticklabels(), leading, strict=True):
        label.set_fontweight("bold" if bold else "normal")
    axes.set_ylim(len(ranking) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def caption(tables: Tables) -> str:
    """Return the caption."""
    seeds = tables["runs"]["seed"].nunique()
    return (
        "A dot is a seed; a cross is a seed whose training diverged, at its last accuracy, ranked "
        "as 0. A bar is the 95 % interval of the expected accuracy, corrected for the choice of "
        f"the best. Bold: the best initializer, and those that {seeds} seeds show to be within one "
        "point of it. The axis is logarithmic in the error, 1 − accuracy."
    )


def finding(tables: Tables) -> str:
    """Return the best initializer of each activation."""
    ranking = rank(tables["runs"])
    best = ranking[ranking["rank"] == 1].sort_values("accuracy", ascending=False)
    words = [
        f"{row.initializer} with {activation_name(row.activation)} ({100 * row.accuracy:.1f} %)"
        for row in best.itertuples()
    ]
    if len(words) <= _FEW:
        return f"The highest mean accuracy is that of {', '.join(words)}."
    counts = best["initializer"].value_counts()
    which = ", ".join(f"{name} of {count}" for name, count in counts.items())
    return (
        f"Of {len(words)} activations and setups, the highest mean accuracy is that of {which}; "
        f"from {words[0]} down to {words[-1]}."
    )


register(
    "final_accuracy",
    title="Final test accuracy",
    caption=caption,
    needs=("runs", "epochs"),
    draw=draw,
    numbers=accuracies,
    wants=partial(lacks_accuracy, "runs"),
    finding=finding,
    section="training",
    order=10,
)
