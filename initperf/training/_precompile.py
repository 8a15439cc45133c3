"""Compilation of what trainings need in several processes, side by side.

Numba compiles under the interpreter's lock, so that a second processor helps only another
process. A training needs some ten functions, none of which needs another: every process takes the
next that none has taken. Machine code comes back through the cache on disk; what another process
has not compiled is compiled here when it is first used.
"""

import hashlib
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from initperf._core.parallel import default_threads
from initperf._core.sharing import claimed, claims_directory, helpers, tell, words_told
from initperf._core.storage import COMPILED
from initperf.training._warm_up import compilations
from initperf.training.experiment import Experiment

FUNCTIONS_A_PROCESS = 4
"""Functions that repay a further process, which starts for about as long as one is compiled."""


@contextmanager
def compiling(
    experiments: Iterable[Experiment],
    *,
    joining: bool,
    waiting: Sequence["subprocess.Popen[bytes]"] = (),
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
    waiting : sequence of subprocess.Popen
        Processes of `initperf.training.early.waiting_compilers`, which take part before others are
        started.

    Yields
    ------
    callable
        Waits until all is compiled; returns the exit codes of the other processes. Leaving the
        block ends them.
    """
    needed = _needed(experiments)
    names = _pending(compilations_by_name(needed))
    useful = -(-len(names) // FUNCTIONS_A_PROCESS)
    count = min(useful - joining, default_threads() - 1) if names else 0
    with claims_directory() as claims:
        words = [str(claims), *(one.to_json() for one in needed)]
        told = waiting[: max(count, 0)]
        for process in told:
            tell(process, words)
        with helpers(__name__, words, count - len(told)) as begun:
            started = [*told, *begun]

            def finish() -> list[int]:
                if joining:
                    _compile(claims, needed)
                return [process.wait() for process in started]

            yield finish


def _needed(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Return an experiment for each different set of compiled functions."""
    import numba

    from initperf.jit.code_cache import refusal
    from initperf.jit.internals import compiles
    from initperf.jit.policy import CODE_CACHE

    if not compiles() or refusal(CODE_CACHE):  # this process could not load what others compile
        return []
    if numba.config.LLVM_PASS_TIMINGS:  # a profile: only who compiles knows passes and code
        return []
    needed = {
        Experiment(
            "zeros",
            one.activation,
            hidden=(2,),
            dtype=one.dtype,
            optimizer=one.optimizer.name,
            loss=one.loss,
            clip_norm=one.clip_norm and 1.0,
            record=one.record,
            histogram_steps=one.histogram_steps and (1,),
            epochs=1,
        )
        for one in experiments
        if one.backend == "numba"
    }
    return sorted(needed, key=lambda one: (one.dtype, one.to_json()))


def compilations_by_name(needed: Iterable[Experiment]) -> dict[str, Callable[[], Any]]:
    """Return what experiments need, each function once, the largest first."""
    found: dict[str, Callable[[], Any]] = {}
    for one in needed:
        of = {"hidden": one.activation, "update": one.optimizer.name, "loss": one.loss}
        for (name, measured), call in compilations(one).items():
            words = (name, of.get(name, ""), "with statistics" if measured else "", one.dtype)
            found.setdefault(" ".join(filter(None, words)), call)
    return dict(sorted(found.items(), key=lambda named: not named[0].startswith("loop")))


def marker(name: str) -> Path:
    """Return the file whose presence says that a function is in the cache."""
    from initperf.jit.policy import CODE_CACHE

    return CODE_CACHE / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}{COMPILED}"


def _pending(names: Iterable[str]) -> list[str]:
    """Return the functions that have not been compiled before."""
    return [name for name in names if not marker(name).exists()]


def _compile(claims: Path, needed: Iterable[Experiment]) -> None:
    """Compile every function that is not in the cache and that no other process has taken."""
    calls = compilations_by_name(needed)
    for name in claimed(claims, _pending(calls)):
        calls[name]()
        with suppress(OSError):  # it only saves starting processes for what is there
            marker(name).touch()


if __name__ == "__main__":
    words = words_told()
    if words:
        _compile(Path(words[0]), [Experiment.from_json(text) for text in words[1:]])
