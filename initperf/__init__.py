"""Weight initializers: what they cost to draw, what they do to training, and the fastest draws.

Names load what they need when they are first used, so that ``import initperf`` is cheap.
"""

from typing import TYPE_CHECKING

from initperf._core.lazy import lazy_exports

if TYPE_CHECKING:
    from initperf._core.display import progress
    from initperf.activations import ACTIVATIONS
    from initperf.initializers import INITIALIZERS, draw
    from initperf.initializers.from_function import initializer
    from initperf.kernels import KERNELS
    from initperf.kernels.philox import STREAM_VERSION
    from initperf.losses import LOSSES
    from initperf.optimizers import OPTIMIZERS
    from initperf.schemes import SCHEMES
    from initperf.theory.gains import calculate_gain
    from initperf.training.experiment import Experiment
    from initperf.training.network import draw_network
    from initperf.training.run import Run
    from initperf.training.schedules import SCHEDULES
    from initperf.training.train import train

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "KERNELS",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "SCHEMES",
    "STREAM_VERSION",
    "Experiment",
    "Run",
    "calculate_gain",
    "draw",
    "draw_network",
    "initializer",
    "progress",
    "train",
]

__version__ = "0.1.0"

_HOMES = {
    "ACTIVATIONS": "initperf.activations",
    "Experiment": "initperf.training.experiment",
    "INITIALIZERS": "initperf.initializers",
    "KERNELS": "initperf.kernels",
    "LOSSES": "initperf.losses",
    "OPTIMIZERS": "initperf.optimizers",
    "Run": "initperf.training.run",
    "SCHEDULES": "initperf.training.schedules",
    "SCHEMES": "initperf.schemes",
    "STREAM_VERSION": "initperf.kernels.philox",
    "calculate_gain": "initperf.theory.gains",
    "draw": "initperf.initializers",
    "draw_network": "initperf.training.network",
    "initializer": "initperf.initializers.from_function",
    "progress": "initperf._core.display",
    "train": "initperf.training.train",
}


__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
