"""Exponents of growth with the width, with intervals over seeds."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

LIMIT = 0.25
"""Exponents of infinite width are multiples of 1/2; this is halfway from 0 to the next."""

_ERROR = 0.05
"""Chance that any layer's interval misses its exponent."""


@dataclass(frozen=True)
class Exponent:
    """Growth of one layer's change with the width.

    Attributes
    ----------
    layer : str
        Name of the module.
    value : float
        Mean over seeds of the slope of ln(change) against ln(width).
    low, high : float
        Interval that holds for all layers together with 95 %.
    """

    layer: str
    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return ``"holds"``, ``"grows"``, ``"vanishes"`` or ``"undecided"``, by `LIMIT`."""
        if self.low > LIMIT:
            return "grows"
        if self.high < -LIMIT:
            return "vanishes"
        return "holds" if self.low > -LIMIT and self.high < LIMIT else "undecided"


def exponents(table: pd.DataFrame) -> tuple[Exponent, ...]:
    """Fit the change of each layer after the last step.

    Parameters
    ----------
    table : pandas.DataFrame
        As `initperf.torch.coordinates.CoordinateCheck` has it.

    Raises
    ------
    ValueError
        For a layer whose results do not change, or are not finite.
    """
    from scipy import stats

    last = table[table["step"] == table["step"].max()]
    layers = last.sort_values("order")["layer"].unique()
    seeds = int(last["seed"].nunique())
    reach = float(stats.t.ppf(1.0 - _ERROR / (2 * len(layers)), seeds - 1)) / math.sqrt(seeds)
    found = []
    for layer in layers:
        own = last[last["layer"] == layer]
        changes = own["change"].to_numpy()
        if not (np.isfinite(changes).all() and (changes > 0.0).all()):
            how = "do not change" if np.isfinite(changes).all() else "are not finite"
            raise ValueError(f"layer {layer}: its results {how} at some width")
        slopes = [
            np.polyfit(np.log(each["width"]), np.log(each["change"]), 1)[0]
            for _, each in own.groupby("seed")
        ]
        value, spread = float(np.mean(slopes)), float(np.std(slopes, ddof=1))
        found.append(Exponent(str(layer), value, value - reach * spread, value + reach * spread))
    return tuple(found)
