"""Coordinate check: how the change of each layer's results grows with the width."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import nn

from initperf._core.arguments import whole
from initperf._core.cells import cell
from initperf._core.markup import record
from initperf.errors import UnsuitableError
from initperf.torch.exponents import LIMIT, Exponent, exponents
from initperf.torch.pictures import drawer
from initperf.torch.steps import Optimizer, train_steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Loss = Callable[[Any], torch.Tensor]


@dataclass(frozen=True)
class CoordinateCheck:
    """Changes of layers at several widths, and whether they depend on the width.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a layer, width, seed and step: ``layer``, ``order`` (place of the layer), ``width``,
        ``seed``, ``step``; ``size`` and ``change``, root mean squares of the layer's result and of
        its difference from the result before training.
    exponents : tuple of Exponent
        One a layer, in the order of execution, of the change after the last step.
    """

    table: pd.DataFrame
    exponents: tuple[Exponent, ...]

    @property
    def holds(self) -> bool | None:
        """Return whether no layer's change depends on the width; None where it is undecided."""
        verdicts = {each.verdict for each in self.exponents}
        if verdicts & {"grows", "vanishes"}:
            return False
        return None if "undecided" in verdicts else True

    @property
    def verdict(self) -> str:
        """Return what was found in one sentence, which names the first layer that fails."""
        failing = [each for each in self.exponents if each.verdict in ("grows", "vanishes")]
        if failing:
            first = failing[0]
            return (
                f"maximal update fails at layer {first.layer}: its change {first.verdict} as "
                f"width^{first.value:.2f} (95 %: {first.low:.2f} to {first.high:.2f})"
                + (f", and at {len(failing) - 1} more" if failing[1:] else "")
            )
        unsure = [each for each in self.exponents if each.verdict == "undecided"]
        if unsure:
            first = unsure[0]
            return (
                f"undecided at layer {first.layer}: its change goes as width^{first.value:.2f} "
                f"(95 %: {first.low:.2f} to {first.high:.2f}); give more seeds or a wider range"
            )
        reach = max(max(abs(each.low), abs(each.high)) for each in self.exponents)
        return (
            f"maximal update holds: the changes of all {len(self.exponents)} layers go as "
            f"width^0 within ±{reach:.2f} (95 %)"
        )

    def require(self) -> None:
        """Raise an error with the verdict unless maximal update holds; for tests.

        Raises
        ------
        UnsuitableError
        """
        if not self.holds:
            raise UnsuitableError(self.verdict)

    def records(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each layer's exponent."""
        return [{**asdict(each), "verdict": each.verdict} for each in self.exponents]

    def figure(self) -> "Figure":
        """Draw the changes by width, and the exponents with their intervals.

        Returns
        -------
        matplotlib.figure.Figure
        """
        slopes = pd.DataFrame(self.records())
        figure: Figure = drawer("coordinates")(self.table, slopes, LIMIT)
        return figure

    def __str__(self) -> str:
        columns = ("layer", "value", "low", "high", "verdict")
        lines = [columns, *([cell(each[c]) for c in columns] for each in self.records())]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(part.ljust(wide) for part, wide in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.verdict, "", *text])

    def _repr_html_(self) -> str:
        return record(
            self.verdict,
            {
                each.layer: f"width^{each.value:.2f} ({each.low:.2f} to {each.high:.2f})"
                for each in self.exponents
            },
        )


def coordinate_check(
    make_model: Callable[[int], nn.Module],
    widths: Sequence[int],
    batch: Any,
    steps: int = 4,
    *,
    optimizer: Optimizer | None = None,
    loss: Loss | None = None,
    seeds: int = 8,
) -> CoordinateCheck:
    """Train a model at several widths for a few steps, and see whether each layer changes alike.

    In the maximal update parametrization (Yang & Hu 2021; Yang et al. 2022, appendix D.1) the
    results of every layer change by an amount that does not depend on the width. The exponent of
    its growth is the slope of ln(change) against ln(width), one for each seed; its interval is
    Student's over seeds and holds for all layers together with 95 %. Layers are the modules that
    hold weights of their own, normalizations excepted.

    Parameters
    ----------
    make_model : callable
        From a width to a module, initialized; it is called under ``torch.manual_seed``.
    widths : sequence of int
        Three or more, such as 64, 128, 256 and 512; a factor of 8 from first to last is good.
    batch : torch.Tensor, tuple, list or dict
        As `initperf.torch.check` takes it; of the same shape for all widths, so that the model's
        inputs must not depend on the width.
    steps : int
        Steps of training, all on the batch.
    optimizer : callable, optional
        From a model to its optimizer; by default Adam with a rate of 0.001.
    loss : callable, optional
        From what the model returns to a scalar tensor. By default, the mean square of the
        difference from fixed normal targets.
    seeds : int
        Two or more.

    Returns
    -------
    CoordinateCheck
        Its ``str`` is the verdict and a table.

    Raises
    ------
    ValueError
        For fewer than three widths or two seeds, and a layer that does not change at all.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> from torch import nn
    >>> def standard(width):
    ...     return nn.Sequential(
    ...         nn.Linear(8, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
    ...         nn.Linear(width, 1)
    ...     )
    >>> x = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    >>> initperf.torch.coordinate_check(standard, (32, 64, 128, 256), x, steps=2).holds
    False
    """
    whole("steps", steps, 1)
    chosen = [whole("widths", width, 1) for width in widths]
    if len(set(chosen)) < 3:
        raise ValueError(f"widths must be three or more, not {tuple(widths)}")
    if whole("seeds", seeds, 1) < 2:
        raise ValueError("seeds must be 2 or more: the interval is over seeds")
    rows: list[dict[str, Any]] = []
    for width in sorted(set(chosen)):
        for seed in range(seeds):
            with torch.random.fork_rng(), torch.enable_grad():
                torch.manual_seed(seed)
                model = make_model(width)
                if not isinstance(model, nn.Module):
                    raise TypeError(f"make_model must give a module, not {type(model).__name__}")
                found = train_steps(model, batch, steps, optimizer or _adam, loss)
            rows += [{**asdict(each), "width": width, "seed": seed} for each in found]
    table = pd.DataFrame(rows)
    return CoordinateCheck(table, exponents(table))


def _adam(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=1e-3)
