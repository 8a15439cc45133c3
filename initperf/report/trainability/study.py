"""Study of rules at several depths, each in each setup at the best rate of a small search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from initperf._core.arguments import number, whole
from initperf.errors import UnsuitableError
from initperf.optimizers import OPTIMIZERS
from initperf.report.usual import RATES, STUDY, STUDY_ACTIVATIONS, STUDY_INITIALIZERS
from initperf.training.experiment import Experiment
from initperf.training.grids import choices


@dataclass(frozen=True)
class Study:
    """What a study trains.

    Attributes
    ----------
    initializers, activations, optimizers : tuple of str
    depths : tuple of int
        Numbers of hidden layers.
    widths : tuple of int
        Units of each.
    rates : tuple of float
        Learning rates of the search; by default `initperf.report.usual.RATES` of each optimizer.
    seeds : int
        Runs of each rule in each setup at its best rate; the search has one seed more.
    given : mapping of str to object
        Other settings of `Experiment`, by their flat names.

    Raises
    ------
    ValueError
        For unknown names, values out of range, an optimizer without rates, and where no rule
        applies.
    """

    initializers: tuple[str, ...] = STUDY_INITIALIZERS
    activations: tuple[str, ...] = STUDY_ACTIVATIONS
    depths: tuple[int, ...] = (2, 5, 10, 20, 40)
    widths: tuple[int, ...] = (100,)
    optimizers: tuple[str, ...] = ("sgd",)
    rates: tuple[float, ...] = ()
    seeds: int = 3
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole("seeds", self.seeds, 1)
        canonical = tuple(OPTIMIZERS.canonical(name) for name in self.optimizers)
        object.__setattr__(self, "optimizers", canonical)
        for rate in self.rates:
            number("learning_rate", rate, positive=True)
        for optimizer in self.optimizers:
            if not self.rates and optimizer not in RATES:
                raise ValueError(
                    f"learning_rate must be given for {optimizer}: rates are known for "
                    f"{', '.join(RATES)}"
                )
        if not self.experiments():
            raise UnsuitableError("none of these rules applies to these networks")

    def rates_of(self, optimizer: str) -> tuple[float, ...]:
        """Return the learning rates that are searched for an optimizer."""
        return self.rates or RATES[optimizer]

    def experiments(self) -> dict[str, list[Experiment]]:
        """Return the runs of each optimizer, at the first of its rates, one a seed.

        Rules that do not apply to a network are left out.
        """
        found: dict[str, list[Experiment]] = {}
        for optimizer in self.optimizers:
            axes = {
                "initializer": list(self.initializers),
                "activation": list(self.activations),
                "depth": list(self.depths),
                "width": list(self.widths),
                "optimizer": optimizer,
                "learning_rate": self.rates_of(optimizer)[0],
                **STUDY,
                **self.given,
            }
            for chosen in choices(**axes):
                try:
                    first = Experiment(**chosen)
                except UnsuitableError:
                    continue
                own = [first.replace(seed=seed) for seed in range(self.seeds)]
                found.setdefault(optimizer, []).extend(own)
        return found

    def count(self) -> int:
        """Return the number of runs, those of the searches included."""
        return sum(
            len(own) // self.seeds * (len(self.rates_of(optimizer)) + self.seeds)
            for optimizer, own in self.experiments().items()
        )
