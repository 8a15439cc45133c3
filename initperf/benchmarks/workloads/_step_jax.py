"""Training steps of JAX: compiled, scanned over the steps, with donated parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np

from initperf.benchmarks.workloads._step import RATE, STEPS, Shape, problem
from initperf.benchmarks.workloads._workload import Call


def _forward(activation: str, layers: Any, x: Any) -> tuple[Any, list[Any]]:
    """Return the logits, and pre-activations and activations of the hidden layers."""
    import jax.numpy as jnp

    function = {"relu": lambda z: jnp.maximum(z, 0), "tanh": jnp.tanh}[activation]
    hidden = []
    for weights, biases in layers[:-1]:
        z = x @ weights + biases
        x = function(z)
        hidden.append((z, x))
    weights, biases = layers[-1]
    return x @ weights + biases, hidden


def _statistics(layers: Any, gradients: Any, hidden: Any) -> Any:
    """Return what our instruments measure of every layer."""
    import jax.numpy as jnp

    found = []
    for (weights, _), (gradient, _) in zip(layers, gradients, strict=True):
        norm = jnp.linalg.norm(gradient)
        ratio = RATE * norm / jnp.linalg.norm(weights)
        largest = jnp.abs(weights).max()
        found.append(
            [weights.mean(), weights.std(), largest, norm, jnp.abs(gradient).mean(), ratio]
        )
    for z, a in hidden:
        zero = a == 0
        found.append([z.mean(), z.var(), a.mean(), a.var(), zero.mean(), zero.all(0).mean()])
    return jnp.array(found)


def _step(activation: str, instrumented: bool, x: Any, y: Any) -> Callable[[Any, Any], Any]:
    """Return a step for ``jax.lax.scan``: (layers, rows) to layers, loss and statistics."""
    import jax
    import jax.numpy as jnp

    def loss_of(layers: Any, rows: Any) -> Any:
        logits, hidden = _forward(activation, layers, x[rows])
        chosen = jnp.take_along_axis(logits, y[rows][:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(logits, axis=1) - chosen).mean(), hidden

    def step(layers: Any, rows: Any) -> Any:
        (loss, hidden), gradients = jax.value_and_grad(loss_of, has_aux=True)(layers, rows)
        taken = _statistics(layers, gradients, hidden) if instrumented else ()
        return jax.tree.map(lambda p, g: p - RATE * g, layers, gradients), (loss, taken)

    return step


def _layers(network: Any) -> list[tuple[Any, Any]]:
    import jax.numpy as jnp

    return [(jnp.array(weights), jnp.array(biases)) for weights, biases in network.layers()]


def scanned(activation: str, instrumented: bool, shape: Shape, dtype: str, threads: int) -> Call:
    """Prepare steps; JAX takes all threads.

    Parameters
    ----------
    activation : str
        Of the hidden layers.
    instrumented : bool
        Whether statistics of weights, gradients and activations are taken.
    shape, dtype, threads
        As of `Method.prepare`.
    """
    import jax
    import jax.numpy as jnp

    network, images, labels = problem(shape, dtype, activation)
    step = _step(activation, instrumented, jnp.asarray(images), jnp.asarray(labels))
    rows = jnp.tile(jnp.arange(len(images)), (STEPS, 1))
    steps = jax.jit(lambda layers: jax.lax.scan(step, layers, rows), donate_argnums=0)
    return _repeated(steps, _layers(network))


def over_seeds(runs: int, shape: Shape, dtype: str, threads: int) -> Call:
    """Prepare instrumented steps of several runs, which ``jax.vmap`` makes one computation.

    Parameters
    ----------
    runs : int
        How many; their parameters are stacked.
    shape, dtype, threads
        As of `Method.prepare`.
    """
    import jax
    import jax.numpy as jnp

    network, images, labels = problem(shape, dtype, "relu")
    step = _step("relu", True, jnp.asarray(images), jnp.asarray(labels))
    rows = jnp.tile(jnp.arange(len(images)), (STEPS, 1))
    many = jax.vmap(lambda layers: jax.lax.scan(step, layers, rows))
    stacked = jax.tree.map(lambda one: jnp.stack([one] * runs), _layers(network))
    return _repeated(jax.jit(many, donate_argnums=0), stacked)


def _repeated(steps: Callable[[Any], Any], layers: Any) -> Call:
    """Return a call that goes on from the parameters of the last, and returns the losses."""

    def call() -> Any:
        nonlocal layers
        layers, (losses, taken) = steps(layers)
        for one in taken if isinstance(taken, tuple) else (taken,):
            one.block_until_ready()
        return np.asarray(losses)

    return call
