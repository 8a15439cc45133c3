"""Trials in cells: one rule in one setup, its search of the learning rate, its runs that count.

A search has tried its seed at more rates than any other seed was tried at. The runs that count are
those of the other seeds, at the rate that most of them have; where there are no others, the best
run of the search.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from initperf._core.ranking import Ranked, ranked
from initperf.report.rate_search import LEARNED, GoodRange, good_range
from initperf.report.trainability.evidence import Trial


@dataclass(frozen=True, order=True)
class Setup:
    """What rules must share to be compared.

    Attributes
    ----------
    activation : str
    optimizer : str
    width, depth : int
        Units of each hidden layer, and their number.
    epochs, batch_size : int
    dataset, dataset_digest : str
    """

    activation: str
    optimizer: str
    width: int
    depth: int
    epochs: int
    batch_size: int
    dataset: str
    dataset_digest: str

    @classmethod
    def of(cls, trial: Trial) -> "Setup":
        """Return the setup of a trial."""
        return cls(
            activation=trial.activation,
            optimizer=trial.optimizer,
            width=trial.width,
            depth=trial.depth,
            epochs=trial.epochs,
            batch_size=trial.batch_size,
            dataset=trial.dataset,
            dataset_digest=trial.dataset_digest,
        )

    def family(self) -> tuple[str, str, int, int, int, str]:
        """Return what setups share whose depths make one curve."""
        return (
            self.activation,
            self.optimizer,
            self.width,
            self.epochs,
            self.batch_size,
            self.dataset_digest,
        )

    def words(self) -> str:
        """Return the setup without its activation and depth."""
        passes = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return (
            f"width {self.width}, {self.optimizer}, {passes} of {self.dataset}, "
            f"batch {self.batch_size}"
        )


def distinguishing_words(setups: Iterable[Setup]) -> dict[Setup, str]:
    """Return the words of setups; none where all have the same."""
    words = {one: one.words() for one in setups}
    return words if len(set(words.values())) > 1 else dict.fromkeys(words, "")


@dataclass(frozen=True)
class Cell:
    """Trials of one rule in one setup.

    Attributes
    ----------
    initializer : str
    search : tuple of Trial
        Seeds at several learning rates.
    counted : tuple of Trial
        Runs that count, of different seeds at one rate.
    """

    initializer: str
    search: tuple[Trial, ...]
    counted: tuple[Trial, ...] = field(default=())

    @property
    def learning_rate(self) -> float:
        """The rate of the runs that count."""
        return self.counted[0].learning_rate

    @property
    def diverged(self) -> int:
        """How many of the runs that count diverged."""
        return sum(one.status == "diverged" for one in self.counted)

    @property
    def at_edge(self) -> bool:
        """Whether the rate is the smallest or the largest of a search in which rates differ."""
        rates = [one.learning_rate for one in self.search]
        differ = len({one.score for one in self.search}) > 1
        return differ and self.learning_rate in (min(rates), max(rates))

    def good(self) -> GoodRange | None:
        """Return the range of good rates, or None without a search, and where no rate learns."""
        if len({one.learning_rate for one in self.search}) < 2:
            return None
        if max(one.score for one in self.search) < LEARNED:
            return None
        tried: dict[float, list[float]] = {}
        for one in self.search:
            tried.setdefault(one.learning_rate, []).append(one.score)
        return good_range({rate: sum(own) / len(own) for rate, own in tried.items()})


def cells_of(trials: Iterable[Trial]) -> dict[Setup, list[Cell]]:
    """Return the cells of each setup, sorted by setup and rule.

    Parameters
    ----------
    trials : iterable of Trial
        Equal runs count once.
    """
    groups: dict[tuple[Setup, str], dict[tuple[int, float], Trial]] = {}
    for trial in trials:
        own = groups.setdefault((Setup.of(trial), trial.initializer), {})
        own.setdefault((trial.seed, trial.learning_rate), trial)
    found: dict[Setup, list[Cell]] = {}
    for setup, name in sorted(groups):
        found.setdefault(setup, []).append(_cell(name, list(groups[setup, name].values())))
    return found


def _cell(name: str, trials: list[Trial]) -> Cell:
    by_seed: dict[int, list[Trial]] = {}
    for trial in trials:
        by_seed.setdefault(trial.seed, []).append(trial)
    most = max(map(len, by_seed.values()))
    searched = {seed for seed, own in by_seed.items() if most > 1 and len(own) == most}
    search = [one for seed in searched for one in by_seed[seed]]
    by_rate: dict[float, list[Trial]] = {}
    for one in trials:
        if one.seed not in searched:
            by_rate.setdefault(one.learning_rate, []).append(one)
    if not by_rate:
        best = max(search, key=lambda one: (one.score, -one.learning_rate))
        return Cell(name, tuple(search), (best,))

    def goodness(rate: float) -> tuple[int, float, float]:
        return len(by_rate[rate]), sum(one.score for one in by_rate[rate]), -rate

    counted = sorted(by_rate[max(by_rate, key=goodness)], key=lambda one: one.seed)
    return Cell(name, tuple(search), tuple(counted))


def rank_cells(cells: Sequence[Cell]) -> list[Ranked]:
    """Rank the rules of one setup by their runs, the best first.

    Parameters
    ----------
    cells : sequence of Cell
        Of one setup; a run that diverged counts with an accuracy of 0.
    """
    seeds = sorted({one.seed for cell in cells for one in cell.counted})
    scores = np.full((len(seeds), len(cells)), math.nan)
    for column, cell in enumerate(cells):
        for one in cell.counted:
            scores[seeds.index(one.seed), column] = one.score
    names = [cell.initializer for cell in cells]
    return ranked(names, scores, [cell.diverged for cell in cells])
