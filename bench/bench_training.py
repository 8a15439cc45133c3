"""Two runs of training side by side against one, and sweeps against PyTorch run after run.

A run is as long as over the 5,000 images that come with initperf: two threads take a few
milliseconds until each has a processor of its own, as long as a few steps of a narrow network.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from initperf._core.parallel import default_threads, side_by_side
from initperf.benchmarks.workloads import is_installed, train_step
from initperf.benchmarks.workloads.train_step import DEEP, STEPS, WIDE

IMAGES, EPOCHS = 5000, 10


def _calls(size: Any, epochs: int) -> int:
    """Return how many calls, of a few steps each, are so many epochs."""
    return math.ceil(epochs * IMAGES / (STEPS * size.shape[0]))


def _named(name: str) -> Any:
    return next(method for method in train_step.methods("relu") if method.name == name)


def _run() -> Callable[[Any], None]:
    ours = _named("numba_instrumented")
    steps = {size: ours.prepare(size.shape, "float32", 1) for size in (WIDE, DEEP)}

    def run(size: Any) -> None:
        for _ in range(_calls(size, EPOCHS)):
            steps[size]()

    return run


@pytest.mark.parametrize("size", [WIDE, DEEP], ids=str)
def test_two_runs_side_by_side(ab, size):
    """A ratio of 1 says that two take the time of one."""
    first, second = _run(), _run()

    def both() -> None:
        list(side_by_side(lambda run: run(size), (first, second), 2))

    ab(partial(first, size), both)


def _sweeps() -> Iterator[Any]:
    for size in (WIDE, DEEP):
        for threads in sorted({1, default_threads()} if is_installed("torch") else ()):
            yield pytest.param(size, threads, id=f"{size}-torch_{threads}")


@pytest.mark.parametrize(("size", "threads"), list(_sweeps()))
def test_a_sweep_against_torch_run_after_run(ab, size, threads):
    """As many instrumented runs as processors: ours side by side, PyTorch's one after another."""
    workers = default_threads()
    rival, ours = (
        [_named(name).prepare(size.shape, "float32", count) for _ in range(workers)]
        for name, count in (("torch_instrumented", threads), ("numba_instrumented", 1))
    )

    def several(run: Callable[[], Any]) -> None:
        for _ in range(_calls(size, 1)):
            run()

    def one_after_another() -> None:
        for run in rival:
            several(run)

    def sweep() -> None:
        list(side_by_side(several, ours, workers))

    ab(one_after_another, sweep)
