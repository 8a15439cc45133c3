"""Check of what a model's first weights do to signals and gradients."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import torch
from torch import nn

from initperf._core.arguments import whole
from initperf._core.cells import cell
from initperf.errors import UnsuitableError
from initperf.torch.recording import Recorder, Row, measure, tensors
from initperf.torch.signals.preserving import preserved
from initperf.torch.verdict import Finding, findings

Loss = Callable[[Any], torch.Tensor]

_COLUMNS = ("name", "direction", "mean", "second_moment", "zeros", "largest", "range_share")


@dataclass(frozen=True)
class Check:
    """Measurements of a model's operations, and the verdict on them.

    Attributes
    ----------
    rows : tuple of Row
        Results in the order of execution, then gradients in theirs, a run after the other.
    unreached : tuple of str
        Parameters that require a gradient and get none.
    findings : tuple of Finding
        What is wrong or worth a note, by `initperf.torch.verdict.THRESHOLDS`.
    """

    rows: tuple[Row, ...]
    unreached: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Return whether no severe finding was made."""
        return not any(finding.severe for finding in self.findings)

    @property
    def verdict(self) -> str:
        """Return the findings as text, after ``"healthy"`` where none is severe."""
        texts = [finding.text for finding in self.findings]
        return "; ".join(["healthy", *texts] if self.healthy else texts)

    def records(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each row."""
        return [
            {
                "name": row.name,
                "operation": row.operation,
                "seed": row.seed,
                "direction": row.direction,
                **asdict(row.measured),
                "gain": row.gain,
            }
            for row in self.rows
        ]

    @property
    def table(self) -> pd.DataFrame:
        """Return the measurements: a row an operation, seed and direction."""
        return pd.DataFrame(self.records())

    def to_json(self) -> str:
        """Return verdict, findings and measurements as JSON; what is not finite as null."""
        measurements = json.loads(self.table.to_json(orient="records", double_precision=15))
        found = [asdict(finding) for finding in self.findings]
        return json.dumps(
            {
                "healthy": self.healthy,
                "findings": found,
                "unreached": self.unreached,
                "measurements": measurements,
            },
            indent=2,
        )

    def require(self) -> None:
        """Raise an error with the findings unless the model is healthy; for tests.

        Raises
        ------
        UnsuitableError
            Naming each finding.
        """
        if not self.healthy:
            raise UnsuitableError(self.verdict)

    def __str__(self) -> str:
        records = self.records()
        lines = [_COLUMNS, *([cell(each[c]) for c in _COLUMNS] for each in records)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.verdict, "", *text])


def check(model: nn.Module, batch: Any, loss: Loss | None = None, seeds: int = 1) -> Check:
    """Measure what a model's weights do to a batch and to the gradients, and judge it.

    Nothing of the model is changed: buffers, gradients, flags and random states are afterwards
    what they were. Operations inside a reentrant checkpoint, or a compiled graph, give no
    gradients of their own.

    Parameters
    ----------
    model : torch.nn.Module
        On the CPU; its flags of training stay as they are.
    batch : torch.Tensor, tuple, list or dict
        Arguments of the model: a tuple or list is unpacked, a dict gives keywords.
    loss : callable, optional
        From what the model returns to a scalar tensor. By default, gradients begin as normal
        tensors of norm 1 at the model's floating-point results.
    seeds : int
        Number of runs, with dropout and gradients of seeds 0, 1, ....

    Returns
    -------
    Check
        Its ``str`` is the verdict and the table.

    Raises
    ------
    TypeError, ValueError
        For arguments of other kinds, or a model that returns no floating-point tensor. Errors of
        the model itself come through as they are.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> layers = [torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8)]
    >>> model = initperf.torch.init_(torch.nn.Sequential(*layers), "he_normal", rng=0)
    >>> initperf.torch.check(model, torch.ones(16, 64)).verdict
    'healthy'
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a module, not {type(model).__name__}")
    rows: list[Row] = []
    unreached: dict[str, None] = {}
    for seed in range(whole("seeds", seeds, 1)):
        with preserved(model), torch.inference_mode(mode=False), torch.enable_grad():
            found, missing = _run(model, batch, loss, seed)
        rows += found
        unreached.update(dict.fromkeys(missing))
    return Check(tuple(rows), tuple(unreached), findings(rows, tuple(unreached)))


def _run(model: nn.Module, batch: Any, loss: Loss | None, seed: int) -> tuple[list[Row], list[str]]:
    torch.manual_seed(seed)
    given = _copied(batch)
    with Recorder(model, seed) as recorder:
        if isinstance(given, dict):
            result = model(**given)
        else:
            result = model(*given) if isinstance(given, (tuple, list)) else model(given)
        ends = [x for x in tensors(result) if x.is_floating_point()]
        if not ends:
            raise ValueError("the model returns no floating-point tensor")
        if loss is not None:
            ends = [loss(result)]
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    ends = [x for x in ends if x.requires_grad]
    if not ends:
        return recorder.rows, list(named)
    starts = None
    if loss is None:
        drawn = [torch.randn_like(x) for x in ends]
        starts = [x / torch.linalg.vector_norm(x) for x in drawn]
    elif ends[0].numel() != 1:
        raise ValueError(f"loss must give a scalar, not shape {tuple(ends[0].shape)}")
    recorder.follow(ends)
    gradients = torch.autograd.grad(ends, list(named.values()), starts, allow_unused=True)
    missing = []
    for name, gradient in zip(named, gradients, strict=True):
        if gradient is None:
            missing.append(name)
        elif gradient.numel() and gradient.layout == torch.strided:
            recorder.rows.append(Row(name, "parameter", seed, "parameter", measure(gradient)))
    return recorder.rows, missing


def _copied(batch: Any) -> Any:
    """Return the batch with its tensors copied, as a model may write to its input."""
    if isinstance(batch, torch.Tensor):
        return batch.detach().clone()
    if isinstance(batch, dict):
        return {name: _copied(each) for name, each in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(map(_copied, batch))
    return batch
