"""Outcomes of claims as tidy tables: one of verdicts, one of the value of every seed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from initperf.claims._claim import CLAIMS
from initperf.claims._outcome import Outcome

if TYPE_CHECKING:
    import pandas


def claims_table(outcomes: Iterable[Outcome]) -> "pandas.DataFrame":
    """Return one row an outcome: the claim, its tolerance, the interval and the verdict.

    Parameters
    ----------
    outcomes : iterable of Outcome
        Of registered claims.
    """
    import pandas

    rows = [
        {
            "claim": outcome.claim,
            "statement": CLAIMS[outcome.claim].statement,
            "source": CLAIMS[outcome.claim].cite,
            "quantity": CLAIMS[outcome.claim].quantity,
            "claimed": CLAIMS[outcome.claim].number,
            "tolerance_low": CLAIMS[outcome.claim].low,
            "tolerance_high": CLAIMS[outcome.claim].high,
            "mean": outcome.mean,
            "interval_low": outcome.low,
            "interval_high": outcome.high,
            "verdict": outcome.verdict,
            "seeds": len(outcome.values),
            "sample": "quick" if outcome.quick else "whole",
            "remark": CLAIMS[outcome.claim].remark,
        }
        for outcome in outcomes
    ]
    return pandas.DataFrame(rows).astype({"claimed": "Float64"} if rows else {})


def claim_values_table(outcomes: Iterable[Outcome]) -> "pandas.DataFrame":
    """Return one row an outcome and seed, with the columns ``claim``, ``seed`` and ``value``.

    Parameters
    ----------
    outcomes : iterable of Outcome
    """
    import pandas

    rows = [
        (outcome.claim, seed, value)
        for outcome in outcomes
        for seed, value in enumerate(outcome.values)
    ]
    return pandas.DataFrame(rows, columns=["claim", "seed", "value"])
