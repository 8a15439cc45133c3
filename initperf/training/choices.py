"""Parts of an experiment that are chosen from a registry: the optimizer and the schedule."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from initperf._core.arguments import shown
from initperf._core.registry import Registry
from initperf._core.schema import Setting, settings_of
from initperf.optimizers import OPTIMIZERS
from initperf.training.schedules import SCHEDULES


@dataclass(frozen=True)
class Choice:
    """Part of an experiment that is an entry of a registry, chosen by its name.

    Attributes
    ----------
    registry : Registry
        Its entries are records with default settings.
    address : str
        Where the registry is, as ``"module:NAME"``.
    default : str
        Name of the entry of experiments that name none.
    help : str
        What is chosen, in one clause.
    """

    registry: Registry[Any]
    address: str
    default: str
    help: str

    def take(self, name: str, value: Any) -> Any:
        """Return the record of a name.

        Parameters
        ----------
        name : str
            Name of the part, for messages.
        value : str or Record
            Name of an entry, or a record of its class.

        Raises
        ------
        ValueError
            For a name that no entry has, and a record of no entry's class.
        """
        if isinstance(value, str):
            return self.registry[value]
        entry = self.registry.get(str(getattr(value, "name", "")))
        if entry is None or type(value) is not type(entry):
            known = ", ".join(self.registry)
            raise ValueError(f"{name} must be one of {known}, not {shown(value)}")
        return value

    def settings(self, name: str) -> Iterator[Setting]:
        """Declare the choice, then the settings of all entries, each once."""
        entries = {key: settings_of(type(entry)) for key, entry in self.registry.items()}
        words = f"{self.help}: {', '.join(entries)}"
        yield Setting(name, str, 1, False, self.default, words, registries=(self.address,))
        first: dict[str, Setting] = {}
        for own in entries.values():
            first = own | first
        for key, declared in first.items():
            users = [entry for entry, own in entries.items() if key in own]
            those = "" if len(users) == len(entries) else f"of {', '.join(users)}: "
            yield dataclasses.replace(declared, help=f"{those}{declared.help}")


CHOICES = {
    "optimizer": Choice(
        OPTIMIZERS, "initperf.optimizers:OPTIMIZERS", "sgd", "how weights follow their gradients"
    ),
    "schedule": Choice(
        SCHEDULES,
        "initperf.training.schedules:SCHEDULES",
        "constant",
        "how the learning rate changes by step",
    ),
}
