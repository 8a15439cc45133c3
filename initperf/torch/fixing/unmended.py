"""Findings that are left after weights were scaled, and why no scale mends them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from initperf.torch.signals.finding import Finding

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "unwritten": "no multiple of arbitrary numbers is a weight; draw it, by init_",
        "constant": "entries that are equal stay so at any scale; draw it, by init_",
        "copied": "a copy keeps its directions at any scale; draw it, by init_",
        "duplicate": "units that are equal stay so at any scale; draw them, by init_",
        "gate": "gates are the model's choice, and any multiple of 0 is 0; set it",
        "overflow": "the batch is not finite, at any scale of the weights",
        "scores": "queries and keys of unit variance need the division, which the model lacks",
        "unreached": "gradients stop in the model's code, at any scale of its weights",
        "loss_sum": "the loss adds up its terms at any scale of the weights",
    }
)
"""Why no scale of weights mends a finding, by its kind; of kinds that scales do mend, none."""


@dataclass(frozen=True)
class Unmended:
    """A finding that is left.

    Attributes
    ----------
    finding : Finding
    reason : str
        Why it was not mended.
    """

    finding: Finding
    reason: str


def unmended(findings: Iterable[Finding], left: Mapping[str, str]) -> Iterator[Unmended]:
    """Visit findings with the reasons why they are left.

    Parameters
    ----------
    findings : iterable of Finding
        Of the check after weights were scaled.
    left : mapping of str to str
        Why weights could not be scaled, by their names.
    """
    for each in findings:
        if not each.fix:
            yield Unmended(each, REASONS[each.kind])
            continue
        own = [
            f"{name} is left as it is: {reason}"
            for name, reason in left.items()
            if {name, name.rpartition(".")[0]} & set(each.layers)
        ]
        yield Unmended(each, "; ".join(own) or "every weight that can be moved is at its target")
