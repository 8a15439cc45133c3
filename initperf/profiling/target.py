"""Targets of a profile: a kernel, a draw or a training run, described and prepared."""

import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from initperf.profiling.spans import Recorder

Prepared = tuple[str, Callable[[], Any]]
"""The target in words, and a call of it without arguments."""


@dataclass(frozen=True)
class Target:
    """Description of what to profile, from which another process can prepare it.

    Attributes
    ----------
    kind : str
        ``"kernel"``, ``"draw"`` or ``"train"``.
    name : str
        Name of the kernel or the initializer; for a training run, the experiment as JSON.
    dtype : str
    shape : tuple of int
        Shape of a draw.
    seed : int
        Seed of a draw.
    data_directory : str, optional
        Directory with the data of a training run.
    """

    kind: Literal["kernel", "draw", "train"]
    name: str
    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    seed: int = 0
    data_directory: str | None = None

    def to_json(self) -> str:
        """Return the description as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Target":
        """Return the target that `to_json` described."""
        fields = json.loads(text)
        return cls(**fields | {"shape": tuple(fields["shape"])})

    def check(self) -> None:
        """Check that it can be prepared.

        Raises
        ------
        ValueError
            When the name is unknown, or shape or dtype are not valid.
        """
        from initperf._core.arrays import as_dtype, as_shape

        as_dtype(self.dtype)
        if self.kind == "kernel":
            _kernel_call(self.name, self.dtype)
        elif self.kind == "draw":
            from initperf.initializers import INITIALIZERS

            as_shape(self.shape)
            INITIALIZERS[self.name].std(self.shape)


def prepare(target: Target, recorder: Recorder, cache: str) -> Prepared:
    """Import what a target needs and make its arguments, recording both.

    Parameters
    ----------
    target : Target
    recorder : Recorder
        Takes the phases import, data and arguments.
    cache : str
        Directory for compiled code; it does not change where data are found.
    """
    if target.kind == "train":
        return _prepare_training(target, recorder, cache)
    os.environ["INITPERF_CACHE"] = cache
    if target.kind == "kernel":
        with recorder.span("import"):
            import initperf.benchmarks.workloads  # noqa: F401 - that is what is timed
        with recorder.span("arguments"):
            return _kernel_call(target.name, target.dtype)
    with recorder.span("import"):
        from initperf.initializers import draw
    shape = " x ".join(map(str, target.shape))
    call = partial(draw, target.name, target.shape, rng=target.seed, dtype=target.dtype)
    return f"draw {target.name}, {shape}, {target.dtype}", call


def _prepare_training(target: Target, recorder: Recorder, cache: str) -> Prepared:
    with recorder.span("import"):
        from initperf import data
    with recorder.span("data"):
        dataset = data.load(json.loads(target.name)["data"]["dataset"], target.data_directory)
    os.environ["INITPERF_CACHE"] = cache  # kernels look at it when they are imported
    with recorder.span("import"):
        from initperf.training.experiment import Experiment
        from initperf.training.train import train
    experiment = Experiment.from_json(target.name)
    title = (
        f"train {experiment.initializer}, {experiment.activation}, "
        f"{'-'.join(map(str, experiment.hidden))}, {experiment.epochs} epochs of "
        f"{dataset.name} ({dataset.size:,}), {experiment.dtype}"
    )
    return title, partial(train, experiment, dataset=dataset)


def _kernel_call(name: str, dtype: str) -> Prepared:
    """Take the size at which a kernel is benchmarked, else its largest test case."""
    from initperf.benchmarks.workloads import WORKLOADS
    from initperf.kernels import KERNELS

    name = KERNELS.canonical(name)
    for work in WORKLOADS.values():
        if name in work.kernels and dtype in work.dtypes:
            size = work.quick_sizes[-1]
            entry = next(one for one in work.entries(size, dtype) if one.method.role == "ours")
            title = f"{name} as in {work.name}, {size.label}, {dtype}, one thread"
            return title, entry.method.prepare(size.shape, dtype, 1)
    cases = list(KERNELS[name].cases())
    fitting = [case for case in cases if dtype in case.label] or cases
    case = max(fitting, key=lambda case: _bytes(case.arguments()))
    title = f"{name}, its largest test case {case.label}"
    return title, partial(KERNELS[name]["numba"], *case.arguments())


def _bytes(arguments: tuple[Any, ...]) -> int:
    from initperf.kernels import leaves

    return sum(getattr(value, "nbytes", 0) for value in leaves(arguments).values())
