"""Signals of a model at its first weights: recorder, statistics, theory beside them, verdict.

`check` runs a model under a `recorder.Recorder`, which makes the `graph.Operation` and the
`statistics.Statistics` of each result and gradient; `prediction` puts theory beside them, `judges`
compare all with `thresholds.THRESHOLDS`, and a `CheckResult` holds what was found.
"""

from initperf.torch.signals.checking import check, observe
from initperf.torch.signals.finding import Finding
from initperf.torch.signals.result import CheckResult

__all__ = ["CheckResult", "Finding", "check", "observe"]
