"""Targets of a profile: a kernel, a draw or a training run, described and prepared."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from initperf._core.text import hyphenated
from initperf.training.phases import phase

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
    shape : sequence of int
        Shape of a draw.
    seed : int
        Seed of a draw.
    data_directory : str, optional
        Directory with the data of a training run.
    """

    kind: Literal["kernel", "draw", "train"]
    name: str
    dtype: str = "float32"
    shape: Sequence[int] = ()
    seed: int = 0
    data_directory: str | None = None

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

            INITIALIZERS[self.name].std(as_shape(self.shape))


def prepare(target: Target, cache: str) -> Prepared:
    """Import what a target needs and make its arguments, as phases: import, data, arguments.

    Parameters
    ----------
    target : Target
    cache : str
        Directory for compiled code; it does not change where data are found.
    """
    if target.kind == "train":
        return _prepare_training(target, cache)
    os.environ["INITPERF_CACHE"] = cache
    if target.kind == "kernel":
        with phase("import"):
            import initperf.kernels  # noqa: F401 - that is what is timed
        with phase("arguments"):
            return _kernel_call(target.name, target.dtype)
    with phase("import"):
        from initperf.initializers import draw
    shape = " x ".join(map(str, target.shape))
    call = partial(draw, target.name, target.shape, rng=target.seed, dtype=target.dtype)
    return f"draw {target.name}, {shape}, {target.dtype}", call


def _prepare_training(target: Target, cache: str) -> Prepared:
    with phase("import"):
        from initperf import data
    with phase("data"):
        made = json.loads(target.name)
        # written for losses of values alone; to ask for the loss itself would import kernels
        values = "loss" in made
        dataset = data.load(made["data"]["dataset"], target.data_directory, values=values)
    os.environ["INITPERF_CACHE"] = cache  # kernels look at it when they are imported
    with phase("import"):
        from initperf.training.experiment import Experiment
        from initperf.training.train import train
    experiment = Experiment.from_json(target.name)
    epochs = "1 epoch" if experiment.epochs == 1 else f"{experiment.epochs} epochs"
    title = (
        f"train {experiment.initializer}, {experiment.activation}, "
        f"{hyphenated(experiment.hidden)}, {epochs} of "
        f"{dataset.name} ({dataset.size:,}), {experiment.dtype}"
    )
    return title, partial(train, experiment, dataset=dataset)


def _kernel_call(name: str, dtype: str) -> Prepared:
    """Take the first size at which the kernel is benchmarked."""
    from initperf.kernels import KERNELS

    name = KERNELS.canonical(name)
    load = next(iter(KERNELS[name].loads()))
    used = dtype if dtype in load.dtypes else load.dtypes[0]
    return f"{name}, {load.label}, {used}", partial(KERNELS[name]["numba"], *load.arguments(used))
