"""Movies of training: activations or gradients of every layer, a frame a recorded step."""

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from initperf._core.storage import replacing
from initperf._core.targets import target_of
from initperf.errors import UsageError
from initperf_figures._axes import activation_name
from initperf_figures._ridges import outline, reach_of, spaced
from initperf_figures._style import INK, MUTED, canvas, look, strokes

FRAMES_PER_SECOND = 15
_INCHES = (6.4, 4.2)
_DPI = 110
_OVERLAP = 1.7


def movie(
    run: Any,
    path: str | os.PathLike[str],
    *,
    quantity: Literal["activation", "gradient"] = "activation",
    frames_per_second: int = FRAMES_PER_SECOND,
) -> Path:
    """Write a movie of the histograms that a run recorded.

    Parameters
    ----------
    run : initperf.Run
        Trained with ``histogram_steps``; each of them becomes a frame.
    path : path-like
        A ``.gif``, or an ``.mp4`` where ffmpeg is installed.
    quantity : str
        ``"activation"`` or ``"gradient"``.
    frames_per_second : int
        From 1 to 60.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    UsageError
        When the run has no histograms, or the file cannot be written as this format.
    ValueError
        For an unknown quantity or rate.
    """
    path = Path(path)
    if quantity not in ("activation", "gradient"):
        raise ValueError(f"quantity must be activation or gradient, not {quantity!r}")
    if not 1 <= frames_per_second <= 60:
        raise ValueError(f"frames_per_second must be from 1 to 60, not {frames_per_second!r}")
    table = run.histograms
    if table.empty:
        raise UsageError("a movie needs histograms: train with histogram_steps")
    table = table[table["quantity"] == quantity]
    losses = dict(zip(run.steps["step"], run.steps["loss"], strict=True)) if len(run.steps) else {}
    with look(_INCHES[0]):
        figure = canvas(_INCHES[1])
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        layers = sorted(table["layer"].unique())
        shown = [layers[place] for place in spaced(len(layers))]
        kept = table[table["layer"].isin(shown)]
        reach = max(reach_of(own) for _, own in kept.groupby("layer"))
        colour = strokes(run.experiment.initializer).colour
        title = f"{run.experiment.initializer}, {activation_name(run.experiment.activation)}"
        writer = _writer(path, frames_per_second)
        try:
            with replacing(path) as fresh, writer.saving(figure, str(fresh), _DPI):
                for step, own in kept.groupby("step"):
                    axes.clear()
                    _frame(axes, own, shown, reach, colour)
                    loss = losses.get(step, np.nan)
                    axes.set_title(f"{title}: step {step}, loss {loss:.3g}")
                    axes.set_xlabel(quantity)
                    axes.set_ylabel("layer")
                    writer.grab_frame()
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def check_movie(path: str | os.PathLike[str]) -> None:
    """Check that a movie can be written, before a run is trained for it.

    Parameters
    ----------
    path : path-like
        As of `movie`.

    Raises
    ------
    UsageError
        When the file cannot be written as this format, or not in this directory.
    OSError
        When a directory, a device or a pipe stands there.
    """
    path = Path(path)
    _writer(path, FRAMES_PER_SECOND)
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"cannot write {path}: {path.parent} is not writable")
    target_of(path)


def _writer(path: Path, rate: int) -> Any:
    if path.suffix.lower() == ".gif":
        return PillowWriter(fps=rate)
    if path.suffix.lower() != ".mp4":
        raise UsageError(f"a movie is a .gif or an .mp4, not {path.name!r}")
    if not FFMpegWriter.isAvailable():
        raise UsageError("an .mp4 needs ffmpeg, which is not installed; a .gif needs nothing")
    return FFMpegWriter(fps=rate)


def _frame(axes: Axes, own: pd.DataFrame, shown: list[int], reach: float, colour: str) -> None:
    """Draw the ridges of one step, the last layer at the top.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    own : pandas.DataFrame
        Histograms of the step.
    shown : list of int
        Layers.
    reach : float
        Half width of the x axis, the same in every frame.
    colour : str
    """
    for height, layer in reversed(list(enumerate(shown))):
        x, y = outline(own[own["layer"] == layer], reach)
        order = len(shown) - height
        axes.fill_between(
            x, height, height + y, color=colour, alpha=0.5, linewidth=0, step="mid", zorder=order
        )
        axes.plot(x, height + y, color=INK, linewidth=0.7, drawstyle="steps-mid", zorder=order)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-0.15, len(shown) - 1 + _OVERLAP)
    axes.set_yticks(range(len(shown)), [str(layer) for layer in shown])
    axes.tick_params(colors=MUTED)
