"""Weights of initializers as tables, for figures and reports."""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from initperf.initializers._initializer import INITIALIZERS, Initializer

if TYPE_CHECKING:
    import pandas as pd

LAYER = (784, 256)

_BINS, _BEYOND = 72, 4  # bins of a histogram, and empty ones to either side
_FINE = 16
_BOUNDS_FAN_OUT = 10


def weights_tables(rules: Iterable[str | Initializer], seed: int = 0) -> "dict[str, pd.DataFrame]":
    """Draw a layer with each initializer and return its histogram and its statistics.

    Parameters
    ----------
    rules : iterable of str or Initializer
        Names, or rules with any parameters.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``"weights"``, a row for each initializer and bin, and ``"weight_statistics"``, a row for
        each initializer.
    """
    import pandas as pd

    histograms, statistics = [], []
    for rule in rules:
        name, initializer = _named(rule)
        w = initializer(LAYER, rng=seed).astype(np.float64).reshape(-1)
        low, high = _span(w, *initializer.guarded(initializer.support, LAYER))
        width = (high - low) / _BINS
        edges = low + width * np.arange(-_BEYOND, _BINS + _BEYOND + 1)
        measured, _ = np.histogram(w, edges, density=True)
        fine = edges[:-1, None] + width * (np.arange(_FINE) + 0.5) / _FINE
        declared = initializer.guarded(initializer.density, LAYER, fine)
        histograms.append(
            pd.DataFrame(
                {
                    "initializer": name,
                    "bin_left": edges[:-1],
                    "bin_right": edges[1:],
                    "density_measured": measured,
                    "density_declared": np.nan if declared is None else declared.mean(axis=1),
                }
            )
        )
        statistics.append(
            {
                "initializer": name,
                "rows": LAYER[0],
                "columns": LAYER[1],
                "mean": w.mean(),
                "variance": w.var(),
                "std": w.std(),
                "max_abs": np.abs(w).max(),
                "declared_mean": initializer.guarded(initializer.mean, LAYER),
                "declared_std": initializer.guarded(initializer.std, LAYER),
                "formula": initializer.formula,
                "cite": initializer.cite,
            }
        )
    return {
        "weights": pd.concat(histograms, ignore_index=True),
        "weight_statistics": pd.DataFrame(statistics),
    }


def _span(w: np.ndarray, least: float, most: float) -> tuple[float, float]:
    """Return where the bins begin and end: at the distribution's bounds, if weights come near."""
    low, high = float(w.min()), float(w.max())
    if high - low < 1e-3:
        return 0.5 * (low + high - 1e-3), 0.5 * (low + high + 1e-3)
    return (least, most) if most - least < 1.05 * (high - low) else (low, high)


def bounds_table(rules: Iterable[str | Initializer]) -> "pd.DataFrame":
    """Return support and standard deviation against fan-in for the rules that depend on it."""
    import pandas as pd

    rows = []
    for rule in rules:
        name, initializer = _named(rule)
        if initializer.family != "variance_scaling":
            continue
        for fan_in in range(1, 101):
            shape = (fan_in, _BOUNDS_FAN_OUT)
            low, high = initializer.support(shape)
            rows.append((name, *shape, low, high, initializer.std(shape)))
    return pd.DataFrame(rows, columns=["initializer", "fan_in", "fan_out", "low", "high", "std"])


def _named(rule: str | Initializer) -> tuple[str, Initializer]:
    """Return the name of a rule for tables, with the parameters that its name does not say."""
    if isinstance(rule, str):
        return INITIALIZERS.canonical(rule), INITIALIZERS[rule]
    known = INITIALIZERS.get(rule.name) if rule.name else None
    changed = [
        f"{field.name}={getattr(rule, field.name)}"
        for field in dataclasses.fields(rule)
        if field.compare and getattr(rule, field.name) != getattr(known, field.name, field.default)
    ]
    name = rule.name or type(rule).__name__
    return (f"{name}({', '.join(changed)})" if changed else name), rule
