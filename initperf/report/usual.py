"""Settings of the runs of reports, maps and studies, where no others are given.

They are data alone, so that the help of a verb can show them without importing what trains.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

RATES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "sgd": (0.003, 0.01, 0.03, 0.1, 0.3),
        "momentum": (0.0003, 0.001, 0.003, 0.01, 0.03),
        "nesterov": (0.0003, 0.001, 0.003, 0.01, 0.03),
        "adam": (0.0001, 0.0003, 0.001, 0.003, 0.01),
    }
)
"""Learning rates that reports and studies search for each optimizer."""

REPORT_ACTIVATIONS = "relu", "tanh"

REPORT_EPOCHS, QUICK_REPORT_EPOCHS = 5, 1

MAP_ACTIVATIONS = "tanh", "relu", "gelu"

MAP: Mapping[str, Any] = MappingProxyType(
    {
        "dataset": "mnist_5k",
        "optimizer": "sgd",
        "learning_rate": 0.02,
        "batch_size": 64,
        "epochs": 4,
        "record": "none",
    }
)
"""Settings of the runs of a map: 252 steps on 4,000 images."""

STUDY_INITIALIZERS = (
    "he_normal",
    "glorot_uniform",
    "lecun_normal",
    "fan_in_uniform",
    "orthogonal",
    "small_normal",
    "critical",
    "lsuv",
)
"""Rules that a study compares: the usual ones, and two for depth."""

STUDY_ACTIVATIONS = "relu", "tanh", "gelu"

STUDY: Mapping[str, Any] = MappingProxyType(
    {"dataset": "mnist_5k", "batch_size": 64, "epochs": 3, "record": "none"}
)
"""Settings of the runs of a study: 189 steps on 4,000 images."""
