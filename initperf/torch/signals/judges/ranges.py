"""Numbers that leave the range of their dtype."""

import math
from collections.abc import Iterator

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.running import Run
from initperf.torch.signals.statistics import Measurement
from initperf.torch.signals.thresholds import THRESHOLDS


def overflow(run: Run) -> Iterator[Finding]:
    """Find where the first number is not finite; masks of −∞ are meant."""
    for each in run.measurements:
        share, operation = each.statistics.nonfinite, each.operation
        mask = each.statistics.mean == -math.inf and not operation.weighted
        if share > THRESHOLDS["overflow"].limit and not mask:
            where = "result" if each.direction == "forward" else "gradient"
            given = operation.kind == "input"
            yield Finding(
                "overflow",
                operation.name,
                f"{100.0 * share:.3g} % of the elements of {operation.described} are not finite "
                f"({where} in {each.statistics.dtype})",
                cause="the batch holds them" if given else _cause(run, each),
                remedy="a finite batch" if given else "smaller weights before it, or bfloat16",
                fix="" if given else "fix_ scales weights",
                layers=(operation.name,),
            )
            return


def _cause(run: Run, found: Measurement) -> str:
    read = [run.forward[parent].statistics.largest for parent in found.operation.parents]
    if found.statistics.dtype != "float16" or not read:
        return ""
    return f"it reads magnitudes of up to {max(read):.3g}, and float16 ends at 65504"
