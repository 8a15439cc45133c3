"""Compiling side by side: the training loops in a process of their own, while this one goes on.

Numba compiles under the interpreter's lock, so that a second processor helps only another
process. Machine code comes back through the cache on disk; what the other process did not
compile is compiled here when it is first used.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from initperf._core.parallel import default_threads
from initperf.training.experiment import Experiment


@contextmanager
def compiling(experiments: Iterable[Experiment]) -> Iterator[Callable[[], object]]:
    """Compile what experiments need in another process, for the length of the block.

    Parameters
    ----------
    experiments : iterable of Experiment
        What will be trained. Nothing is started for the NumPy backend, on a single processor, or
        where the training loop has been compiled before.

    Yields
    ------
    callable
        Waits until the other process is done. Leaving the block ends it.
    """
    needed = dict.fromkeys(
        one.replace(initializer="zeros", biases="zeros", hidden=(2,), seed=0, epochs=1)
        for one in experiments
        if one.backend == "numba"
    )
    if not needed or default_threads() == 1 or _compiled_before():
        yield lambda: None
        return
    texts = [one.to_json() for one in needed]
    command = [sys.executable, "-m", __name__, *texts]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        try:
            yield child.wait
        finally:
            child.kill()


def _compiled_before() -> bool:
    import numba

    from initperf.jit.policy import CODE_CACHE

    return bool(numba.config.DISABLE_JIT) or any(CODE_CACHE.rglob("train_epoch*.nbc"))


def _main(texts: Iterable[str]) -> None:
    from initperf.training.train import warm_up

    for text in texts:
        warm_up(Experiment(**json.loads(text)))


if __name__ == "__main__":
    _main(sys.argv[1:])
