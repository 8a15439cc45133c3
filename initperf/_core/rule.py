"""What rules for first weights have in common, whether they fill a weight or set a network."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, TypeVar

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
