"""The training runs of a report: every rule in every setup, and names of the setups."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from initperf._core.arguments import number
from initperf.errors import UnsuitableError, UsageError
from initperf.initializers import INITIALIZERS
from initperf.report.tables import distinct
from initperf.schemes import find
from initperf.training.experiment import Experiment, settings

EPOCHS, QUICK_EPOCHS = 5, 1

# Settings whose values make no setup of their own: what a report compares, and what gives the same
# results.
_COMPARED = {"initializer", "activation", "seed", "backend"}


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
        Settings of `Experiment` by their flat names; a list stands for all its values. Without
        initializers, one name of each rule that declares ``in_report``.

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
    given = {
        "initializer": distinct(),
        "activation": ["relu", "tanh"],
        "epochs": QUICK_EPOCHS if chosen.quick else EPOCHS,
    } | dict(chosen.given)
    if chosen.rates:
        given["learning_rate"] = chosen.rates[0]
    lists = [_listed(value) for value in given.values()]
    made: dict[Experiment, None] = {}
    unsuitable: list[dict[str, Any]] = []
    for values in itertools.product(*lists):
        combination = dict(zip(given, values, strict=True))
        try:
            first = Experiment(**combination)
        except UnsuitableError as error:
            unsuitable.append(combination | {"reason": str(error)})
            continue
        made |= dict.fromkeys(first.replace(seed=seed) for seed in range(chosen.seeds))
    _check_each_applies(made, unsuitable)
    setups = name_setups(made)
    varied = [name for name, values in zip(given, lists, strict=True) if len(values) > 1]
    return Plan(
        tuple(made),
        setups,
        tuple(
            {
                "initializer": str(left["initializer"]),
                "activation": str(left["activation"]),
                "setup": _words({name: left[name] for name in varied}),
                "reason": left["reason"],
            }
            for left in unsuitable
        ),
    )


def _check_each_applies(made: Iterable[Experiment], unsuitable: list[dict[str, Any]]) -> None:
    """Refuse an initializer that applies to none of the setups, with the reason of the first."""
    used = {one.initializer for one in made}
    for left in unsuitable:
        if find(left["initializer"]).name not in used:
            raise UnsuitableError(left["reason"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def name_setups(
    experiments: Iterable[Experiment], besides: Iterable[str] = ()
) -> dict[Experiment, str]:
    """Return what tells the setup of each experiment from those of the others, in words.

    Parameters
    ----------
    experiments : iterable of Experiment
    besides : iterable of str
        Settings that differ without making another setup, such as a searched learning rate.

    Returns
    -------
    dict of Experiment to str
        Such as ``"30 × 64, adam"``: the values of the settings, among those that runs must share
        to be compared, that differ; empty where none does.
    """
    wanted = list(experiments)
    declared = settings()
    left_out = _COMPARED | set(besides)
    flats = [one.flat() for one in wanted]
    names = [name for name, one in declared.items() if one.compared and name not in left_out]
    varied = [name for name in names if len({flat[name] for flat in flats if name in flat}) > 1]
    # schemes set their own biases: a difference that only they make is the rule's
    chosen = {flat["biases"] for flat in flats if flat["initializer"] in INITIALIZERS}
    if len(chosen) < 2:
        varied = [name for name in varied if name != "biases"]
    return {
        one: _words({name: flat[name] for name in varied if name in flat})
        for one, flat in zip(wanted, flats, strict=True)
    }


def _words(values: Mapping[str, Any]) -> str:
    declared = settings()
    found = []
    for name, value in values.items():
        if name in _COMPARED:
            continue
        if name == "hidden":
            found.append(widths(value))
        elif name == "residual":
            found.append(f"blocks of {value}" if value else "no blocks")
        elif declared[name].kind is str:
            found.append(str(value))
        else:
            found.append(f"{name.replace('_', ' ')} {declared[name].text(value)}")
    return ", ".join(found)


def widths(hidden: tuple[int, ...]) -> str:
    """Return the widths of hidden layers as text: ``"30 × 64"`` where all are equal."""
    if len(hidden) > 1 and len(set(hidden)) == 1:
        return f"{len(hidden)} × {hidden[0]}"
    return "-".join(map(str, hidden)) or "no hidden layer"
