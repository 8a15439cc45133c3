"""Learning times of deep linear networks (Saxe, McClelland & Ganguli 2014, 1312.6120)."""

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._random import normals, uniforms
from initperf.initializers import INITIALIZERS
from initperf.theory import learning_time

_SIZE, _RATE = 6, 1e-3
_START, _PART = 1e-3, 0.99


def _basis(seed: int, stream: int) -> np.ndarray:
    rule = INITIALIZERS["orthogonal"]
    return np.asarray(rule((_SIZE, _SIZE), rng=seed, stream=stream, dtype="float64"))


def _descend(
    target: np.ndarray, first: np.ndarray, second: np.ndarray, modes: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return the step at which each mode has reached its part, by gradient descent."""
    strengths = np.diag(modes[0].T @ target @ modes[1])
    reached = np.zeros(_SIZE)
    for step in range(1, 100_000):
        error = target - second @ first
        first, second = first + _RATE * second.T @ error, second + _RATE * error @ first.T
        found = np.diag(modes[0].T @ second @ first @ modes[1])
        reached[(reached == 0.0) & (found >= _PART * strengths)] = step
        if reached.all():
            return reached
    return np.full(_SIZE, np.nan)


def _aligned(seed: int, quick: bool) -> float:
    left, right, middle = (_basis(seed, stream) for stream in range(3))
    strengths = 2.0 + np.sort(uniforms(seed, 9, (_SIZE,), 1.0).astype(np.float64))
    root = np.sqrt(_START) * np.eye(_SIZE)
    target = left @ np.diag(strengths) @ right.T
    steps = _descend(target, middle @ root @ right.T, left @ root @ middle.T, (left, right))
    predicted = learning_time(_START, _PART * strengths, strengths, time_constant=1.0 / _RATE)
    return float(np.mean(steps / predicted))


def _small(seed: int, quick: bool) -> float:
    """Start from small normal weights; compare the spread of times with that of the strengths."""
    left, right = (_basis(seed, stream) for stream in range(2))
    strengths = np.linspace(1.0, 4.0, _SIZE)
    first, second = (normals(seed, 5 + i, (_SIZE, _SIZE), 1e-3, "float64") for i in range(2))
    target = left @ np.diag(strengths) @ right.T
    steps = _descend(target, first, second, (left, right))
    return -float(np.polyfit(np.log(strengths), np.log(steps), 1)[0])


register(
    Claim(
        name="linear_learning_time",
        statement="A linear network of two layers learns a mode of strength s in the time "
        "τ/(2s) ln(u_f (s − u₀)/(u₀ (s − u_f))).",
        cite="Saxe, McClelland & Ganguli 2014 (1312.6120), equation 5",
        setting="six modes of strengths 1 to 3, aligned balanced weights, gradient descent with "
        "the rate 0.001 on whitened inputs, from 0.001 to 99 % of the strength.",
        quantity="measured steps / predicted steps",
        number=1.0,
        low=0.98,
        high=1.02,
        tolerance="2 %: steps of 0.001 follow the gradient flow that closely.",
        measure=_aligned,
        seeds=5,
        quick_seeds=3,
        source_read="derived again in initperf.theory.learning_time; not compared with the text",
    )
)
register(
    Claim(
        name="linear_learning_order",
        statement="From small random weights, too, the time to learn a mode is inversely "
        "proportional to its strength.",
        cite="Saxe, McClelland & Ganguli 2014 (1312.6120), section 1.2",
        setting="six modes of strengths 1 to 4, weights N(0, 0.001²), not aligned.",
        quantity="−slope of ln time against ln strength",
        number=1.0,
        low=0.9,
        high=1.1,
        tolerance="10 %: the start is not aligned, which changes ln(1/u₀) by as much.",
        measure=_small,
        seeds=40,
        quick_seeds=20,
    )
)
