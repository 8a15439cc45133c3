"""Published claims about first weights, one topic a file, each measured again and judged.

A claim is a number from a paper or a tutorial with a tolerance that its file fixes before anything
is measured. `reproduce` measures it with several seeds, and `judge` compares the confidence
interval with the tolerance. A new claim needs no other import than this package.
"""

from initperf._core.registry import import_siblings
from initperf.claims._claim import CLAIMS, Claim, register
from initperf.claims._outcome import Outcome, OutcomeStore, definition
from initperf.claims._page import markdown
from initperf.claims._reproduce import reproduce
from initperf.claims._table import claim_values_table, claims_table
from initperf.claims._verdict import CONFIDENCE, Interval, interval, judge

__all__ = [
    "CLAIMS",
    "CONFIDENCE",
    "Claim",
    "Interval",
    "Outcome",
    "OutcomeStore",
    "claim_values_table",
    "claims_table",
    "definition",
    "interval",
    "judge",
    "markdown",
    "register",
    "reproduce",
]

import_siblings(__name__, __path__)
