"""Derivation of the constants of `initperf.jit.tuning`: their measured optima, with spread.

Usage: ``python bench/derive_tuning.py [CONSTANT …] [--rounds N]``

Each candidate value of a constant is timed in processes of its own, which set the constant before
anything is compiled. Candidates take turns in rounds, in random order; a round's score is the
geometric mean of the seconds of a few workloads. A row of the table holds the constant, its value
today, the candidate with the smallest median score, the time of today's value relative to it, the
spread of that ratio over the rounds (median absolute deviation), and the candidates that no more
than the spread separates from the best: where today's value is among them, it is well chosen.
"""

import argparse
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from initperf import Experiment
    from initperf.data import Dataset

Seconds = Callable[[], float]


@dataclass(frozen=True)
class Trial:
    """How one constant is derived.

    Attributes
    ----------
    candidates : tuple of float
        Values to try; today's is added.
    workloads : callable
        Makes functions that each return the seconds of one workload.
    compiled : bool
        Whether compiled code contains the constant, so that each value needs a cache of its own.
    """

    candidates: tuple[float, ...]
    workloads: Callable[[], Iterator[Seconds]]
    compiled: bool = False


def _timed(call: Callable[[], object], least: float = 0.05) -> Seconds:
    """Return a function that gives the smallest seconds of a call, repeated for a while."""

    def seconds() -> float:
        end, best = time.perf_counter() + least, math.inf
        while time.perf_counter() < end or best == math.inf:
            begin = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - begin)
        return best

    return seconds


def _draws(
    name: str, *shapes: tuple[int, int], order: Literal["C", "F"] = "C", threads: int | None = None
) -> Callable[[], Iterator[Seconds]]:
    def workloads() -> Iterator[Seconds]:
        from initperf import INITIALIZERS

        for shape in shapes:
            out: np.ndarray = np.empty(shape, np.float32, order=order)
            yield _timed(partial(INITIALIZERS[name], shape, rng=0, out=out, threads=threads))

    return workloads


def _rested(name: str, *shapes: tuple[int, int]) -> Callable[[], Iterator[Seconds]]:
    """Return workloads of draws between which this thread computes, and helpers sleep."""

    def workloads() -> Iterator[Seconds]:
        from initperf import INITIALIZERS

        for shape in shapes:
            out = np.empty(shape, np.float32)
            yield partial(_after_work, partial(INITIALIZERS[name], shape, rng=0, out=out))

    return workloads


def _after_work(call: Callable[[], object], pause: float = 0.01, calls: int = 11) -> float:
    """Return the median seconds of calls, each after so many seconds of other work."""
    found = []
    for _ in range(calls):
        end = time.perf_counter() + pause
        while (begin := time.perf_counter()) < end:
            pass
        call()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def _repeated(pause: float, *shapes: tuple[int, int]) -> Callable[[], Iterator[Seconds]]:
    """Return workloads of loops of uniform draws with so many seconds of work in between."""

    def workloads() -> Iterator[Seconds]:
        from initperf import INITIALIZERS

        for shape in shapes:
            out = np.empty(shape, np.float32)
            draw = partial(INITIALIZERS["uniform"], shape, rng=0, out=out)
            yield partial(_after_work, draw, pause, 2001)

    return workloads


def _factors(*sizes: int) -> Callable[[], Iterator[Seconds]]:
    def workloads() -> Iterator[Seconds]:
        from initperf.kernels.orthogonalize import orthonormal_factor

        for size in sizes:
            a = np.random.default_rng(0).standard_normal((size, size), np.float32)
            yield _timed(partial(orthonormal_factor, a))

    return workloads


def _training(experiment: "Experiment", dataset: "Dataset") -> float:
    from initperf import train

    return min(train(experiment, dataset=dataset).train_seconds for _ in range(3))


def _trainings(*widths: int) -> Callable[[], Iterator[Seconds]]:
    def workloads() -> Iterator[Seconds]:
        from initperf import Experiment
        from initperf.data import Dataset

        rng = np.random.default_rng(0)
        images, labels = rng.integers(0, 256, (2000, 784), np.uint8), np.arange(2000) % 10
        data = Dataset(images, labels, images[:10], labels[:10], "mnist", "noise")
        for width in widths:
            one = Experiment(hidden=(width,) * 3, epochs=2, dataset="mnist")
            yield partial(_training, one, data)

    return workloads


def _sums_of_squares() -> Iterator[Seconds]:
    from initperf import KERNELS

    total = np.zeros(1)
    for size in (1 << 12, 1 << 20):
        values = np.ones(size, np.float32)
        yield _timed(partial(KERNELS["squared_norm"]["numba"], values, total))


def _counts() -> Iterator[Seconds]:
    from initperf import KERNELS

    histogram = KERNELS["histogram"]
    load = next(iter(histogram.loads()))
    yield _timed(partial(histogram["numba"], *load.arguments("float32")))


def _fused_multiply_adds() -> Iterator[Seconds]:
    from initperf.benchmarks.limits import fma

    yield lambda: 1.0 / fma().value


def _brain_floats() -> Iterator[Seconds]:
    import torch

    import initperf.torch

    tensor = torch.empty(4096, 4096, dtype=torch.bfloat16)
    yield _timed(lambda: initperf.torch.init_(tensor, "normal", rng=0))


_FILLED = _draws("normal", (4096, 4096), (1024, 1024))
_SWEPT = _trainings(128, 512)
_NARROW = _trainings(16, 32, 48, 64, 96)
_SQUARES = tuple((size, size) for size in (96, 128, 160, 192, 256))
_LARGE = _draws("orthogonal", (512, 512), (1024, 1024), (2048, 1024))

TRIALS = {
    "PREFETCH_BLOCKS": Trial((0, 1, 2, 4, 8), _draws("normal", (4096, 4096), threads=1), True),
    "SERIAL_OPERATIONS": Trial(
        (1.3e7, 2.6e7, 5e7, 1e8, 2e8),
        _rested("normal", *((256, 256 * times) for times in (3, 6, 12, 24, 48))),
    ),
    "SHARE_OPERATIONS": Trial(
        (2e5, 5e5, 1e6, 2e6, 4e6),
        _draws("uniform", *((128, 128 * times) for times in (1, 2, 3, 4, 8))),
    ),
    "SPIN_SECONDS": Trial((1e-5, 2e-5, 5e-5, 1e-4), _repeated(3e-5, (784, 256))),
    "FILL_PIECE_LEAST": Trial(
        tuple(1 << power for power in range(10, 17)), _draws("uniform", (784, 256), (256, 256))
    ),
    "FILL_PIECE": Trial(tuple(1 << power for power in range(13, 20)), _FILLED),
    "FILL_BUFFER": Trial(
        tuple(1 << power for power in range(12, 21)), _draws("normal", (2048, 2048), order="F")
    ),
    "NARROW_BLOCK": Trial(tuple(1 << power for power in range(14, 21)), _brain_floats),
    "UNBLOCKED_ENTRIES": Trial(
        (5_000, 10_000, 20_000, 40_000, 80_000), _draws("orthogonal", *_SQUARES)
    ),
    "SLAB_COLUMNS": Trial((32, 64, 128, 256, 512), _LARGE),
    "OPERATIONS_A_THREAD": Trial((1e6, 1e7, 3e7, 1e8, 3e8, 1e9), _draws("orthogonal", *_SQUARES)),
    "FACTOR_STRIP": Trial((8, 16, 32, 64), _factors(512, 1024), True),
    "UPDATE_SLAB": Trial((64, 128, 256, 512), _factors(512, 1024)),
    "FACTOR_PANEL_LEAST": Trial((16, 32, 64), _factors(160, 256)),
    "FACTOR_PANEL_MOST": Trial((64, 128, 256), _factors(1024, 2048)),
    "HAAR_PANEL_LEAST": Trial((16, 32, 64), _draws("orthogonal", (160, 160), (256, 256))),
    "HAAR_PANEL_MOST": Trial((96, 128, 192, 256), _LARGE),
    "TRIANGLE_STRIP": Trial((48, 96, 192), _LARGE, True),
    "SMALL_PRODUCT_COLUMNS": Trial((0, 32, 48, 64, 96), _NARROW, True),
    "SMALL_PRODUCT_BYTES": Trial(tuple(side * side * 8 for side in (32, 48, 64)), _NARROW, True),
    "SWEEP_CHUNK": Trial((512, 1024, 2048, 4096, 8192), _SWEPT, True),
    "SWEEP_ROWS": Trial((4, 8, 16, 32), _SWEPT, True),
    "SUM_CHUNK": Trial((256, 512, 1024, 2048, 4096), _sums_of_squares, True),
    "HISTOGRAM_TALLIES": Trial((1, 2, 4, 8), _counts, True),
    "PRODUCT_SUMS": Trial((4, 8, 12), _NARROW, True),
    "FMA_CHAINS": Trial((6, 8, 10, 12, 14), _fused_multiply_adds, True),
}


def _score(constant: str, value: float) -> float:
    """Set a constant, in this process, and return the geometric mean of the workloads' seconds."""
    from initperf.jit import tuning

    setattr(tuning, constant, type(getattr(tuning, constant))(value))
    logarithms = []
    for seconds in TRIALS[constant].workloads():
        seconds()  # compiles
        logarithms.append(math.log(seconds()))
    return math.exp(statistics.fmean(logarithms))


def _measured(constant: str, value: float, caches: str) -> float:
    """Return the score of a value, measured in a process of its own."""
    environment = dict(os.environ)
    if TRIALS[constant].compiled:
        environment["INITPERF_CACHE"] = str(Path(caches, f"{constant}-{value:g}"))
    command = [sys.executable, __file__, "--score", constant, repr(value)]
    return float(subprocess.run(command, env=environment, stdout=-1, check=True).stdout)


def _derived(constant: str, today: float, rounds: int, caches: str) -> str:
    candidates = sorted({*TRIALS[constant].candidates, today})
    scores: dict[float, list[float]] = {value: [] for value in candidates}
    for _ in range(rounds):
        for value in random.sample(candidates, len(candidates)):
            scores[value].append(_measured(constant, value, caches))
    best = min(candidates, key=lambda value: statistics.median(scores[value]))
    ratios = {
        value: [one / other for one, other in zip(scores[value], scores[best], strict=True)]
        for value in candidates
    }
    middle = statistics.median(ratios[today])
    spread = statistics.median(abs(ratio - middle) for ratio in ratios[today])
    as_good = [
        f"{value:g}"
        for value in candidates
        if statistics.median(ratios[value]) <= 1.0 + max(spread, 0.01)
    ]
    return (
        f"{constant:22} {today:>9g} {best:>9g} {middle:>12.3f} ± {spread:.3f}  {', '.join(as_good)}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Derive the constants that are named, or all, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("constants", nargs="*", metavar="CONSTANT", help=", ".join(TRIALS))
    parser.add_argument("--rounds", type=int, default=5, help="processes for each value")
    parser.add_argument("--score", nargs=2, metavar=("CONSTANT", "VALUE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.score:
        print(_score(chosen.score[0], float(chosen.score[1])))
        return
    from initperf.jit import tuning

    print(
        f"{'constant':22} {'today':>9} {'best':>9} {'today / best':>12}   spread  as good as best"
    )
    with tempfile.TemporaryDirectory(prefix="initperf-tuning-") as caches:
        for constant in chosen.constants or TRIALS:
            today = getattr(tuning, constant)
            print(_derived(constant, today, chosen.rounds, caches), flush=True)


if __name__ == "__main__":
    main()
