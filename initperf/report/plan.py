"""The training runs of a report: every rule in every setup, with every seed."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from initperf._core.arguments import number
from initperf.errors import UnsuitableError, UsageError
from initperf.optimizers import OPTIMIZERS
from initperf.report.tables import distinct
from initperf.report.usual import QUICK_REPORT_EPOCHS, RATES, REPORT_ACTIVATIONS, REPORT_EPOCHS
from initperf.training._spelling import rule_of, spelled
from initperf.training.axes import VARIANCES
from initperf.training.experiment import Experiment
from initperf.training.grids import choices
from initperf.training.setups import name_setups, setup_words


@dataclasses.dataclass(frozen=True)
class Settings:
    """Choice of what a report measures.

    Attributes
    ----------
    quick : bool
        Whether to time and train less.
    seeds : int
        Runs of each initializer in each setup.
    rates : tuple of float
        Learning rates among which each initializer's best in each setup is searched; none for
        the experiment's own rate.
    data_dir : str, optional
        Directory of IDX files.
    benchmarks : str, optional
        JSON file of pytest-benchmark from which the timings are read instead of measured.
    given : mapping of str to object
        Settings of `Experiment` by their flat names and the other axes of
        `initperf.training.grids.grid`; a list stands for all its values. Without initializers,
        one name of each rule that declares ``in_report``.

    Raises
    ------
    UsageError
        For fewer seeds than one, a learning rate below 0, seeds among `given`, and several data
        sets.
    """

    quick: bool = False
    seeds: int = 3
    rates: tuple[float, ...] = ()
    data_dir: str | None = None
    benchmarks: str | None = None
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(f"seeds must be at least 1, not {self.seeds}")
        try:
            for rate in self.rates:
                number("learning_rate", rate, least=0.0)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if "seed" in self.given:
            raise UsageError("seed is not given to a report; seeds is the number of runs")
        if len(set(_listed(self.given.get("dataset", "mnist")))) > 1:
            raise UsageError("a report is of one data set; make one report for each")


@dataclasses.dataclass(frozen=True)
class Plan:
    """Experiments of a report.

    Attributes
    ----------
    experiments : tuple of Experiment
        Each once; those of one initializer and setup differ in the seed alone.
    setups : dict of Experiment to str
        What tells an experiment's setup from the others, in words; empty where there is one.
    unsuitable : tuple of dict
        Rules that do not apply to a setup: ``initializer``, ``activation``, ``setup``, ``reason``.
    """

    experiments: tuple[Experiment, ...]
    setups: dict[Experiment, str]
    unsuitable: tuple[dict[str, str], ...] = ()

    @property
    def initializers(self) -> list[str]:
        """Return the names of the rules, sorted."""
        return sorted({one.initializer for one in self.experiments})


def plan(chosen: Settings) -> Plan:
    """Return the training runs of a report.

    Parameters
    ----------
    chosen : Settings

    Raises
    ------
    TypeError, ValueError
        For unknown names and values out of range, and where an initializer applies to none of
        the setups.
    """
    given: dict[str, Any] = {
        "activation": list(REPORT_ACTIVATIONS),
        "epochs": QUICK_REPORT_EPOCHS if chosen.quick else REPORT_EPOCHS,
    } | dict(chosen.given)
    if not {"initializer", *VARIANCES} & set(given):
        given["initializer"] = distinct()
    if chosen.rates:
        given["learning_rate"] = chosen.rates[0]
    made: dict[Experiment, None] = {}
    unsuitable: list[dict[str, Any]] = []
    combinations = list(choices(**given))
    for combination in combinations:
        try:
            first = Experiment(**combination)
        except UnsuitableError as error:
            unsuitable.append(combination | {"reason": str(error)})
            continue
        made |= dict.fromkeys(first.replace(seed=seed) for seed in range(chosen.seeds))
    _check_each_applies(made, unsuitable)
    setups = name_setups(made)
    varied = [
        name
        for name in combinations[0]
        if len({repr(combination[name]) for combination in combinations}) > 1
    ]
    return Plan(
        tuple(made),
        setups,
        tuple(
            {
                "initializer": str(left["initializer"]),
                "activation": str(left["activation"]),
                "setup": setup_words({name: left[name] for name in varied}),
                "reason": left["reason"],
            }
            for left in unsuitable
        ),
    )


def usual_rates(given: Mapping[str, Any], quick: bool = False) -> tuple[float, ...]:
    """Return the learning rates that are searched where none is given.

    Parameters
    ----------
    given : mapping of str to object
        As of `Settings`.
    quick : bool
        Whether to train less: then none is searched, and the experiment's own rate is kept.

    Returns
    -------
    tuple of float
        Those of `initperf.report.usual.RATES`; none where optimizers are several, or
        theirs are not known.
    """
    optimizers = {OPTIMIZERS.canonical(name) for name in _listed(given.get("optimizer", "sgd"))}
    if quick or "learning_rate" in given or len(optimizers) != 1:
        return ()
    return RATES.get(optimizers.pop(), ())


def _check_each_applies(made: Iterable[Experiment], unsuitable: list[dict[str, Any]]) -> None:
    """Refuse an initializer that applies to none of the setups, with the reason of the first."""
    used = {one.initializer for one in made}
    for left in unsuitable:
        if spelled(rule_of(left["initializer"])) not in used:
            raise UnsuitableError(left["reason"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
