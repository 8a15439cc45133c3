"""Outcomes of claims, and the directory that keeps them."""

import ast
import dataclasses
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initperf._core.storage import cache_directory, replacing
from initperf.claims._claim import CLAIMS, Claim
from initperf.claims._verdict import interval, judge
from initperf.kernels.philox import STREAM_VERSION
from initperf.training.train import TRAINING_VERSION

MEASURING = ("_jacobian", "_random", "_stack", "_training", "_verdict")
"""Files that measurements share."""


@dataclass(frozen=True)
class Outcome:
    """Measurement of a claim.

    Attributes
    ----------
    claim : str
        Name of the claim.
    definition : str
        See `definition`.
    quick : bool
        Whether the sample was the smaller one.
    values : tuple of float
        The number for each seed, from seed 0.
    mean, low, high : float
        See `initperf.claims.interval`.
    verdict : str
        See `initperf.claims.judge`.
    seconds : float
        Sum of the seconds of all seeds, on one processor each.
    """

    claim: str
    definition: str
    quick: bool
    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    verdict: str
    seconds: float

    @classmethod
    def of(cls, claim: Claim, quick: bool, values: list[float], seconds: float) -> "Outcome":
        """Return the outcome of a measurement.

        Parameters
        ----------
        claim : Claim
        quick : bool
        values : list of float
            One a seed, in the order of the seeds.
        seconds : float
        """
        found = interval(values, exact=claim.exact)
        return cls(
            claim=claim.name,
            definition=definition(claim),
            quick=quick,
            values=tuple(values),
            mean=found.mean,
            low=found.low,
            high=found.high,
            verdict=judge(found, claim.low, claim.high),
            seconds=seconds,
        )


def definition(claim: Claim) -> str:
    """Return a hash of what determines a claim's outcome, twelve hexadecimal digits.

    Its number and tolerance, the code of its file and of the files that measurements share, and the
    versions of the random stream and the training. Words, comments and calls of `register` do not
    count, so that a remark on an outcome does not ask for it anew.
    """
    fields = (claim.name, claim.number, claim.low, claim.high, claim.exact)
    counts = (claim.seeds, claim.quick_seeds)
    own = sys.modules[claim.measure.__module__].__file__
    shared = [Path(__file__).with_name(f"{name}.py") for name in MEASURING]
    parts = [repr((fields, counts, STREAM_VERSION, TRAINING_VERSION))]
    parts += [_code_of(path) for path in (*shared, Path(str(own)))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@functools.cache
def _code_of(path: Path) -> str:
    """Return the code of a file as it was at first sight, near to when it was imported."""
    return _code(path.read_text(encoding="utf-8"))


def _code(source: str) -> str:
    """Return a module's syntax tree as text, without the expressions at its top level."""
    module = ast.parse(source)
    return "\n".join(ast.dump(part) for part in module.body if not isinstance(part, ast.Expr))


class OutcomeStore:
    """Directory of outcomes, one JSON file a claim, definition and amount, each whole.

    Parameters
    ----------
    directory : path, optional
        By default in the cache of initperf; made where it does not exist.
    """

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        self.directory = cache_directory("claims") if directory is None else Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)

    def save(self, outcome: Outcome) -> Path:
        """Write an outcome and return its file."""
        path = self._path(outcome.claim, outcome.definition, outcome.quick)
        with replacing(path) as fresh:
            fresh.write_text(json.dumps(dataclasses.asdict(outcome), indent=2), encoding="utf-8")
        return path

    def load(self, claim: Claim, quick: bool) -> Outcome | None:
        """Return the stored outcome of a claim as it is defined now, or None.

        Parameters
        ----------
        claim : Claim
        quick : bool
            Whether a quick measurement is enough; a whole one is preferred then too.
        """
        for amount in (False, True) if quick else (False,):
            path = self._path(claim.name, definition(claim), amount)
            try:
                stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return Outcome(**stored | {"values": tuple(stored["values"])})
            except (OSError, ValueError, TypeError, KeyError, RecursionError):
                continue  # absent or damaged: measured again
        return None

    def best(self) -> Iterator[Outcome]:
        """Give the stored outcome of every claim that has one, the whole one first."""
        for claim in CLAIMS.values():
            found = self.load(claim, quick=True)
            if found is not None:
                yield found

    def _path(self, name: str, digest: str, quick: bool) -> Path:
        return self.directory / f"{name}-{'quick' if quick else 'whole'}-{digest}.json"
