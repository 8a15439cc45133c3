"""Measurement of claims, several seeds side by side, each outcome stored when it is whole."""

import threading
import time
from collections.abc import Iterable

from initperf._core.parallel import default_threads
from initperf._core.progress import Progress, silent
from initperf.claims._claim import CLAIMS, Claim
from initperf.claims._outcome import Outcome, OutcomeStore
from initperf.jit.blas import blas_threads
from initperf.training._workers import Stop, on_threads

_GRACE_SECONDS = 0.1
"""Time that seeds, which do not look for a request to stop, have to end after Ctrl-C."""


def reproduce(
    names: Iterable[str] = (),
    *,
    quick: bool = False,
    store: OutcomeStore | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> list[Outcome]:
    """Measure claims and judge them.

    Parameters
    ----------
    names : iterable of str
        Names of claims; all by default.
    quick : bool
        Whether to use fewer seeds and smaller samples.
    store : OutcomeStore, optional
        Outcomes in it are read instead of measured, the others written as soon as they are whole;
        one that is not quick answers a quick request too.
    workers : int, optional
        Seeds at a time; as many as processors, by default.
    progress : callable
        Called as each claim is done, with its name.

    Returns
    -------
    list of Outcome
        In the order of the names.

    Raises
    ------
    initperf._core.registry.UnknownNameError
        For an unknown name, before anything is measured.

    Notes
    -----
    After Ctrl-C, seeds that are being measured, or compiled for, go on. The process waits for them
    when it ends, until a second Ctrl-C; that of the command ``initperf reproduce`` does not wait.
    """
    claims = [CLAIMS[name] for name in names] or list(CLAIMS.values())
    done: dict[str, Outcome] = {}

    def ended(outcome: Outcome) -> None:
        done[outcome.claim] = outcome
        progress(len(done), len({claim.name for claim in claims}), outcome.claim)

    waiting: dict[str, Claim] = {}
    for claim in claims:
        stored = None if store is None else store.load(claim, quick)
        if stored is None:
            waiting[claim.name] = claim
        elif claim.name not in done:
            ended(stored)
    tasks = [(claim, seed) for claim in waiting.values() for seed in range(claim.count(quick))]
    found: dict[str, dict[int, tuple[float, float]]] = {name: {} for name in waiting}
    lock = threading.Lock()

    def run_one(task: tuple[Claim, int]) -> Outcome | None:
        """Measure one seed; return the outcome, stored, when it was the claim's last."""
        claim, seed = task
        begin = time.perf_counter()
        with blas_threads(1):  # here and not outside, as Ctrl-C may leave the seed behind
            value = float(claim.measure(seed, quick))
        with lock:
            own = found[claim.name]
            own[seed] = value, time.perf_counter() - begin
            whole = len(own) == claim.count(quick)
        if not whole:
            return None
        values = [own[number][0] for number in range(len(own))]
        outcome = Outcome.of(claim, quick, values, sum(seconds for _, seconds in own.values()))
        if store is not None:
            store.save(outcome)
        return outcome

    for outcome in on_threads(run_one, tasks, workers or default_threads(), Stop(), _GRACE_SECONDS):
        if outcome is not None:
            ended(outcome)
    return [done[claim.name] for claim in claims]
