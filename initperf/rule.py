"""What rules for first weights have in common, whether they fill a weight or set a network."""

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Self = TypeVar("Self", bound="Rule")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule with parameters; frozen, checked when built.

    Attributes
    ----------
    name : str
        The name it is registered under; empty for one built by hand.
    formula : str
        The rule in one line: n is the fan-in, m the fan-out, L the number of residual layers.
    cite : str
        The paper or source.
    suits : tuple of str
        The activations it is recommended for.
    """

    name: str = field(default="", compare=False, repr=False)
    formula: str = field(default="", compare=False, repr=False)
    cite: str = field(default="", compare=False, repr=False)
    suits: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def replace(self: Self, **parameters: Any) -> Self:
        """Return one with some parameters changed; unknown ones raise TypeError."""
        allowed = [f.name for f in dataclasses.fields(self) if f.compare]
        for name in parameters:
            if name not in allowed:
                raise TypeError(
                    f"{self.name or type(self).__name__} has no parameter {name!r}; "
                    f"it has {', '.join(allowed) or 'none'}"
                )
        return dataclasses.replace(self, **parameters)


def finite(**values: float) -> None:
    """Check that parameters are finite numbers; raise ValueError naming the one that is not."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise ValueError(f"{name} must be a number, not {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, not {value!r}")


def not_negative(**values: float) -> None:
    """Check that parameters are finite and at least 0; raise ValueError naming the one."""
    finite(**values)
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} must be at least 0, not {value!r}")


def one_of(allowed: tuple[str, ...], **values: str) -> None:
    """Check that parameters are among some words; raise ValueError suggesting the nearest."""
    for name, value in values.items():
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}{hint}")


def integral(**values: int) -> None:
    """Check that parameters are integers; raise ValueError naming the one that is not."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise ValueError(f"{name} must be an integer, not {value!r}")
