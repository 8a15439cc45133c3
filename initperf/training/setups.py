"""Names of setups: what tells the settings of experiments apart, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from initperf.initializers import Initializer
from initperf.training.experiment import Experiment, settings

# Settings whose values make no setup of their own: what is compared, and what gives the same
# results.
_COMPARED = {"initializer", "activation", "seed", "backend"}


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
    chosen = {one.biases for one in wanted if isinstance(one.rule, Initializer)}
    if len(chosen) < 2:
        varied = [name for name in varied if name != "biases"]
    return {
        one: setup_words({name: flat[name] for name in varied if name in flat})
        for one, flat in zip(wanted, flats, strict=True)
    }


def setup_words(values: Mapping[str, Any]) -> str:
    """Return values of settings, by their flat names, in words; see `name_setups`."""
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
