"""Experiments as nested dictionaries, which their JSON holds, of this schema and earlier ones."""

import dataclasses
from typing import TYPE_CHECKING, Any

from initperf._core.schema import Record, settings_of, values_of
from initperf.training import _spelling
from initperf.training.choices import CHOICES
from initperf.training.parts import PARTS

if TYPE_CHECKING:
    from initperf.training.experiment import Experiment

SCHEMA = 4
"""Latest version of the dictionaries.

1 had all settings in one flat object, 2 the name of the initializer without parameters, and 3 no
loss. An experiment with the loss of versions before is still written as 3: runs that are stored
keep their names, and earlier versions of initperf read it.
"""

_WITHOUT_LOSS = 3


def to_dict(experiment: "Experiment") -> dict[str, Any]:
    """Return an experiment as nested dictionaries with the version of the schema."""
    made: dict[str, Any] = {"schema": SCHEMA}
    for field in dataclasses.fields(experiment):
        value = getattr(experiment, field.name)
        if field.name in CHOICES:
            made[field.name] = {"name": value.name, **values_of(value)}
        else:
            made[field.name] = values_of(value) if isinstance(value, Record) else value
    made["initializer"] = _spelling.to_dict(experiment.rule)
    if made["loss"] == settings_of(type(experiment))["loss"].default:
        del made["loss"]
        made["schema"] = _WITHOUT_LOSS
    return made


def from_dict(kind: "type[Experiment]", made: dict[str, Any]) -> "Experiment":
    """Return the experiment of nested dictionaries, of an earlier schema too.

    Parameters
    ----------
    kind : type
        The class of experiments.
    made : dict
        What `to_dict` returned, perhaps by way of JSON.

    Raises
    ------
    ValueError
        For another schema, and for settings that are not known here or out of range.
    """
    given = dict(made)
    schema = given.pop("schema", 1)
    if schema not in range(1, SCHEMA + 1):
        raise ValueError(
            f"the experiment is of schema {schema}, and this initperf reads 1 to {SCHEMA}"
        )
    try:
        if schema > 2:
            given["initializer"] = _spelling.from_dict(given["initializer"])
        if schema > 1:
            for name, part in PARTS.items():
                given[name] = part(**given[name])
            for name, choice in CHOICES.items():
                own = dict(given[name])
                given[name] = choice.take(name, own.pop("name")).replace(**own)
        return kind(**given)
    except (TypeError, KeyError) as error:
        if isinstance(error, ValueError):  # an unknown name is both
            raise
        raise ValueError(f"not an experiment of schema {schema}: {error}") from None
