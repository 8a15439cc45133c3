"""Training steps as one writes them by hand in NumPy, and those of scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np

from initperf.benchmarks.workloads._step import RATE, STEPS, Shape, problem
from initperf.benchmarks.workloads._workload import Call
from initperf.jit.blas import blas_threads

_BY_HAND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a * a),
}
"""Activations, and their slopes as functions of their values."""


def by_hand(activation: str, shape: Shape, dtype: str, threads: int) -> Call:
    """Prepare steps in plain NumPy; parameters as of `Method.prepare`, after the activation."""
    network, images, labels = problem(shape, dtype, activation)
    value, slope_of_value = _BY_HAND[activation]
    layers = [(weights.copy(), biases.copy()) for weights, biases in network.layers()]
    rows, rate = np.arange(len(images)), np.dtype(dtype).type(RATE)

    def step() -> Any:
        inputs = [images[rows]]
        for weights, biases in layers[:-1]:
            inputs.append(value(inputs[-1] @ weights + biases))
        weights, biases = layers[-1]
        logits = inputs[-1] @ weights + biases
        logits -= logits.max(axis=1, keepdims=True)
        delta = np.exp(logits)
        delta /= delta.sum(axis=1, keepdims=True)
        loss = -np.log(delta[rows, labels]).mean()
        delta[rows, labels] -= 1
        delta /= len(rows)
        for x, (weights, biases) in zip(inputs[::-1], layers[::-1], strict=True):
            slope, shift = x.T @ delta, delta.sum(axis=0)
            if x is not inputs[0]:
                delta = (delta @ weights.T) * slope_of_value(x)
            weights -= rate * slope
            biases -= rate * shift
        return loss

    def call() -> Any:
        with blas_threads(threads):
            return np.array([step() for _ in range(STEPS)])

    return call


def scikit_learn(activation: str, shape: Shape, dtype: str, threads: int) -> Call:
    """Prepare steps of ``partial_fit``; parameters as of `Method.prepare`."""
    from sklearn.neural_network import MLPClassifier

    network, images, labels = problem(shape, dtype, activation)
    classifier = MLPClassifier(
        network.sizes[1:-1].tolist(),
        activation,
        solver="sgd",
        alpha=0.0,
        momentum=0.0,
        nesterovs_momentum=False,
        learning_rate_init=RATE,
        batch_size=len(images),
        shuffle=False,
    )
    rows = np.arange(len(images))
    classifier.partial_fit(images, labels, classes=np.arange(network.sizes[-1]))
    for (weights, biases), coefficients, intercepts in zip(
        network.layers(), classifier.coefs_, classifier.intercepts_, strict=True
    ):
        coefficients[:], intercepts[:] = weights, biases

    def call() -> Any:
        losses = []
        with blas_threads(threads):
            for _ in range(STEPS):
                classifier.partial_fit(images[rows], labels[rows])
                losses.append(classifier.loss_)
        return np.array(losses)

    return call
