"""One reason why a model is not healthy, or a note on one that is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a model is not healthy, or a note on one that is.

    Attributes
    ----------
    kind : str
        A key of `initperf.torch.signals.thresholds.THRESHOLDS`.
    name : str
        The operation, layer or parameter that it concerns first.
    text : str
        What was found, in a clause or two.
    cause : str
        Why, if it is known; else ``""``.
    remedy : str
        What would mend it, if that is known; else ``""``.
    fix : str
        What `initperf.torch.fix_` does about it; ``""`` where no scale of weights mends it.
    layers : tuple of str
        All operations, layers or parameters that it concerns.
    severe : bool
        Whether the model is not healthy. Closed gates and heads of zeros, which many models start
        with on purpose, are notes.
    """

    kind: str
    name: str
    text: str
    cause: str = ""
    remedy: str = ""
    fix: str = ""
    layers: tuple[str, ...] = ()
    severe: bool = True

    def __str__(self) -> str:
        whole = f"{self.text}: {self.cause}" if self.cause else self.text
        return "; ".join(part for part in (whole, self.remedy, self.fix) if part)
