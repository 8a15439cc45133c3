"""Steps of a network that the report leaves out, and two runs side by side against one."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from initperf.parallel import side_by_side
from initperf.works import train_step
from initperf.works.train_step import DEEP, NARROW, WIDE

CALLS = 20


def _rows() -> Iterator[Any]:
    for activation in ("relu", "tanh"):
        work = train_step.work(activation)
        for entry in work.entries(NARROW, "float32"):
            if entry.method.role != "reference":
                yield pytest.param(work, entry, id=f"{activation}-{entry}")


@pytest.mark.parametrize(("work", "entry"), list(_rows()))
def test_narrow(ab, work, entry):
    baseline, candidate = (
        work.prepare(one, NARROW, "float32") for one in (work.baseline(NARROW, "float32"), entry)
    )
    ab(baseline, candidate)


def _run() -> Callable[[Any], None]:
    ours = next(one for one in train_step.methods("relu") if one.name == "numba_instrumented")
    steps = {size: ours.prepare(size.shape, "float32", 1) for size in (WIDE, DEEP)}

    def run(size: Any) -> None:
        for _ in range(CALLS):
            steps[size]()

    return run


@pytest.mark.parametrize("size", [WIDE, DEEP], ids=str)
def test_two_runs_side_by_side(ab, size):
    """A ratio of 1 says that two take the time of one."""
    first, second = _run(), _run()

    def both() -> None:
        list(side_by_side(lambda run: run(size), (first, second), 2))

    ab(partial(first, size), both)
