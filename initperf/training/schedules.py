"""Learning rates by step: constant, triangular (1506.01186) and cosine."""

import numpy as np

from initperf.training.experiment import Experiment

_LOWEST = 0.01


def learning_rates(
    experiment: Experiment, first: int, count: int, total: int | None = None
) -> np.ndarray:
    """Return the learning rates of `count` steps from step `first`, counted from 0.

    Of `total` steps, at the end of which the cosine is at its lowest; by default those asked for.
    """
    total = first + count if total is None else total
    if experiment.schedule == "constant":
        return np.full(count, experiment.learning_rate)
    highest = experiment.learning_rate
    lowest = _LOWEST * highest if experiment.base_rate is None else experiment.base_rate
    steps = np.arange(first, first + count)
    if experiment.schedule == "triangular":
        position = np.abs((steps / experiment.half_cycle + 1.0) % 2.0 - 1.0)
    elif experiment.schedule == "cosine":
        rise = experiment.warm_up_steps
        after = np.clip((steps - rise) / max(1, total - rise), 0.0, 1.0)
        position = 0.5 + 0.5 * np.cos(np.pi * after)
        if rise:
            warm = (steps + 1) / rise * highest
            return np.where(steps < rise, warm, lowest + (highest - lowest) * position)
    rates: np.ndarray = lowest + (highest - lowest) * position
    return rates
