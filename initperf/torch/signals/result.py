"""Result of a check: what was measured, beside theory, and the verdict on it."""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from initperf.errors import UnsuitableError
from initperf.torch import showing
from initperf.torch.pictures import drawer
from initperf.torch.signals.additions import Addition
from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.initial_loss import InitialLoss
from initperf.torch.signals.statistics import Measurement, Statistics
from initperf.torch.signals.thresholds import agreement
from initperf.torch.signals.weights import ParameterState

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class CheckResult:
    """What the first weights of a model do to a batch and to gradients, and the verdict on it.

    Attributes
    ----------
    operations : tuple of Operation
        Graph of the first run; ``operations[i].index`` is ``i``.
    measurements : tuple of Measurement
        Run by run: results in the order of execution, then gradients in theirs.
    additions : tuple of Addition
        Residual additions, run by run.
    parameters : tuple of ParameterState
        One a parameter and seed.
    initial_loss : InitialLoss or None
        The loss of the first run and, of a classifier, what guessing gives.
    findings : tuple of Finding
        Why the model is not healthy, a cause before its consequences; empty for a healthy one.
    notes : tuple of Finding
        What may be meant so, such as closed gates.
    """

    operations: tuple[Operation, ...]
    measurements: tuple[Measurement, ...]
    additions: tuple[Addition, ...]
    parameters: tuple[ParameterState, ...]
    initial_loss: InitialLoss | None
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Return whether nothing was found."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """Return the findings as text, or ``"healthy"`` and the notes."""
        found = [str(each) for each in self.findings]
        return "; ".join(found or ["healthy", *map(str, self.notes)])

    @property
    def unreached(self) -> tuple[str, ...]:
        """Return the names of parameters that require a gradient and get none."""
        missing = [each.name for each in self.parameters if each.trained and not each.reached]
        return tuple(dict.fromkeys(missing))

    def records(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each measurement."""
        return [_record(each) for each in self.measurements]

    @property
    def table(self) -> pd.DataFrame:
        """Return the measurements: a row an operation, seed and direction."""
        return pd.DataFrame(self.records())

    @property
    def parameter_table(self) -> pd.DataFrame:
        """Return the parameters: a row a parameter and seed."""
        return pd.DataFrame([asdict(each) for each in self.parameters])

    @property
    def addition_table(self) -> pd.DataFrame:
        """Return the residual additions: a row an addition and seed."""
        return pd.DataFrame([{**asdict(each), "ratio": each.ratio} for each in self.additions])

    def to_json(self) -> str:
        """Return verdict, findings and all tables as JSON; what is not finite as null."""
        held = {
            "healthy": self.healthy,
            "verdict": self.verdict,
            "findings": [asdict(each) for each in self.findings],
            "notes": [asdict(each) for each in self.notes],
            "initial_loss": asdict(self.initial_loss) if self.initial_loss else None,
            "unreached": list(self.unreached),
            "measurements": self.records(),
            "additions": [{**asdict(each), "ratio": each.ratio} for each in self.additions],
            "parameters": [asdict(each) for each in self.parameters],
        }
        return json.dumps(_finite(held), indent=2, allow_nan=False)

    def require(self) -> None:
        """Raise an error with the findings unless the model is healthy; for tests.

        Raises
        ------
        UnsuitableError
            Naming each finding.
        """
        if not self.healthy:
            raise UnsuitableError(self.verdict)

    def figure(self) -> "Figure":
        """Draw signals and gradients by operation, with theory's curve and band.

        Returns
        -------
        matplotlib.figure.Figure
            It shows itself in notebooks; ``savefig`` writes it to a file.
        """
        found: Figure = drawer("signals")(self.table, [asdict(each) for each in self.findings])
        return found

    def to_html(self, path: str | Path, title: str = "a model") -> Path:
        """Write a page of one file, which loads no other, and return its path.

        Parameters
        ----------
        path : str or pathlib.Path
        title : str
            Name of the model.

        Raises
        ------
        OSError
            When the file cannot be written.
        """
        return showing.write_html(self, path, title)

    def _repr_html_(self) -> str:
        return showing.notebook(self)

    def __str__(self) -> str:
        return showing.text(self)


def _record(measurement: Measurement) -> dict[str, Any]:
    operation, prediction = measurement.operation, measurement.prediction
    statistics = {f.name: getattr(measurement.statistics, f.name) for f in fields(Statistics)}
    return {
        "name": operation.name,
        "module": operation.module,
        "operation": operation.operation,
        "kind": operation.kind,
        "seed": measurement.seed,
        "direction": measurement.direction,
        **statistics,
        "gain": measurement.gain,
        "predicted": prediction.value if prediction else math.nan,
        "predicted_low": prediction.low if prediction else math.nan,
        "predicted_high": prediction.high if prediction else math.nan,
        "predicted_deviation": prediction.deviation if prediction else math.nan,
        "agreement": agreement(measurement),
    }


def _finite(value: Any) -> Any:
    """Return nested data with None for each number that JSON has not."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value
