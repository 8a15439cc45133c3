"""Compilation of the training loops in other processes, side by side.

Numba compiles under the interpreter's lock, so that a second processor helps only another
process. Machine code comes back through the cache on disk; what another process has not compiled
is compiled here when it is first used.
"""

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from initperf._core.parallel import default_threads
from initperf.training.experiment import Experiment


@contextmanager
def compiling(
    experiments: Iterable[Experiment], *, joining: bool
) -> Iterator[Callable[[], list[int]]]:
    """Compile what experiments need in other processes, for the length of the block.

    Parameters
    ----------
    experiments : iterable of Experiment
        What will be trained. Nothing is started for the NumPy backend, nor for what has been
        compiled before.
    joining : bool
        Whether this process takes a share when it waits. Without it, it has something else to do
        meanwhile, and the others take all.

    Yields
    ------
    callable
        Waits until all is compiled; returns the exit codes of the other processes. Leaving the
        block ends them.
    """
    count = default_threads() - (not joining)
    shares = _shares(_needed(experiments), count)
    own = shares.pop(0) if joining and shares else []
    with ExitStack() as children:
        started = [children.enter_context(_child(share)) for share in shares]

        def finish() -> list[int]:
            _compile(own)
            return [child.wait() for child in started]

        yield finish


def _needed(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Return an experiment for each different set of compiled loops, by dtype."""
    import numba

    if numba.config.DISABLE_JIT:
        return []
    needed = {
        Experiment(
            "zeros",
            one.activation,
            hidden=(2,),
            dtype=one.dtype,
            optimizer=one.optimizer.name,
            clip_norm=one.clip_norm and 1.0,
            record=one.record,
            histogram_steps=one.histogram_steps and (1,),
            epochs=1,
        )
        for one in experiments
        if one.backend == "numba"
    }
    waiting = [one for one in needed if not _marker(one).exists()]
    return sorted(waiting, key=lambda one: (one.dtype, one.to_json()))


def _shares(needed: list[Experiment], count: int) -> list[list[Experiment]]:
    """Split by dtype: of one dtype most of the code is common, and would be compiled twice."""
    groups = [list(group) for _, group in itertools.groupby(needed, lambda one: one.dtype)]
    parts = [groups[part::count] for part in range(min(count, len(groups)))]
    return [list(itertools.chain.from_iterable(part)) for part in parts]


def _marker(one: Experiment) -> Path:
    """Return the file whose presence says that the loops of an experiment are in the cache."""
    from initperf.jit.policy import CODE_CACHE

    return CODE_CACHE / f"{hashlib.sha256(one.to_json().encode()).hexdigest()[:16]}.compiled"


def _compile(needed: Iterable[Experiment]) -> None:
    from initperf.training.train import warm_up

    for one in needed:
        warm_up(one)
        _marker(one).touch()


@contextmanager
def _child(needed: list[Experiment]) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", __name__, *(one.to_json() for one in needed)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.kill()


if __name__ == "__main__":
    _compile(map(Experiment.from_json, sys.argv[1:]))
