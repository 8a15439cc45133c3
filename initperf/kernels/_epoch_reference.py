"""Reference of `initperf.kernels.train_epoch`: mini-batch gradient descent in plain NumPy.

The specification, written to be read: lists of matrices, ``@``, and none of the compiled twin's
layout, loops and kernels. Back-propagation is that of Rumelhart, Hinton & Williams 1986, residual
blocks are those of He et al. 2016, clipping is that of Pascanu, Mikolov & Bengio 2013.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from initperf.activations import ACTIVATIONS, Activation
from initperf.jit.magnitudes import LIMITS
from initperf.kernels._epoch_arguments import Batches, Descent, Network, Records
from initperf.losses import Loss, PointwiseLoss

Pairs = list[tuple[np.ndarray, np.ndarray]]
"""Weights and biases of each layer, or their gradients."""


def _views(sizes: np.ndarray, flat: np.ndarray) -> Pairs:
    """Return views of each layer's weights and biases in a flat array."""
    views, rest = [], flat
    for fan_in, fan_out in pairwise(sizes.tolist()):
        weights, biases, rest = np.split(rest, (fan_in * fan_out, (fan_in + 1) * fan_out))
        views.append((weights.reshape(fan_in, fan_out), biases))
    return views


def _norm(*arrays: np.ndarray) -> Any:
    """Return the L2 norm of arrays taken together."""
    return np.sqrt(sum(np.sum(array.astype(np.float64) ** 2) for array in arrays))


def _begins(network: Network) -> dict[int, int]:
    """Return the first layer of each residual block, by its last."""
    return {block[-1]: block[0] for block in network.blocks}


def _activations(network: Network) -> list[Activation]:
    """Return the activation of each layer."""
    last = len(network.sizes) - 2
    linear = {last} | {block[-1] for block in network.blocks if len(block) > 1}
    identity = ACTIVATIONS["linear"]
    return [identity if i in linear else network.activation for i in range(last + 1)]


def _forward(network: Network, parameters: Pairs, x: np.ndarray) -> tuple[list[Any], ...]:
    """Return, of each layer, inputs (and then the logits), z, f(z) and f'(z)."""
    inputs, z, a, slopes, begins = [x], [], [], [], _begins(network)
    for i, (weights, biases) in enumerate(parameters):
        z.append(inputs[i] @ weights + biases)
        value, slope = _activations(network)[i].value_and_slope(z[i])
        a.append(value)
        slopes.append(slope)
        inputs.append(value + inputs[begins[i]] if i in begins else value)
    return inputs, z, a, slopes


def _loss(loss: Loss, outputs: Any, targets: Any) -> tuple[Any, Any, Any]:
    """Return the mean loss, the score beside it, and the gradient by the outputs."""
    if not isinstance(loss, PointwiseLoss):
        return _cross_entropy(outputs, targets)
    values, slopes = loss.value_and_slope(outputs, targets)
    squares = np.sum((outputs.astype(np.float64) - targets) ** 2)
    return values.mean(dtype=np.float64), squares, slopes / outputs.dtype.type(outputs.size)


def _cross_entropy(logits: Any, labels: Any) -> tuple[Any, Any, Any]:
    """Return mean cross-entropy, count of correct predictions, and gradient by the logits."""
    shifted, rows = logits - logits.max(axis=1, keepdims=True), np.arange(len(labels))
    sums = np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(sums[:, 0]) - shifted[rows, labels]
    delta = np.exp(shifted) / sums
    delta[rows, labels] -= 1
    correct = np.sum(logits.argmax(axis=1) == labels)
    return losses.mean(dtype=np.float64), correct, delta / logits.dtype.type(len(labels))


def _backward(
    network: Network, parameters: Pairs, inputs: list[Any], slopes: list[Any], gradient: Any
) -> Pairs:
    """Return the gradients by weights and biases, given that by the logits."""
    found: Pairs = []
    begins, past = _begins(network), {}  # past: gradients that pass by the layers of a block
    for i in reversed(range(len(parameters))):
        if i in begins:
            past[begins[i]] = gradient
        delta = gradient * slopes[i]
        found.insert(0, (inputs[i].T @ delta, delta.sum(axis=0)))
        gradient = delta @ parameters[i][0].T
        if i in past:
            gradient = gradient + past[i]
    return found


def _scales(gradients: Pairs, clip_norm: float, globally: bool) -> list[Any]:
    """Return what clipping multiplies each layer's gradient by."""
    if not clip_norm > 0:
        return [1.0] * len(gradients)
    norms = [_norm(*pair) for pair in gradients]
    if globally:
        norms = [np.sqrt(sum(norm**2 for norm in norms))] * len(norms)
    return [clip_norm / norm if norm > clip_norm else 1.0 for norm in norms]


def _update(descent: Descent, factors: Any, values: Any, gradient: Any, memories: Any) -> None:
    """Update weights or biases, and the optimizer's memories of them, by its rule."""
    zero = values.dtype.type(0)
    first, second = (*memories, zero, zero)[:2]
    new, *remembered = descent.rule(values, gradient, first, second, factors)
    values[:] = new
    for memory, value in zip(memories, remembered, strict=False):
        memory[:] = value


def _activation_statistics(z: Any, a: Any, slopes: Any, saturation: float) -> tuple[Any, ...]:
    """Return ACTIVATION_STATISTICS."""
    zeros, saturated = a == 0, np.abs(slopes) < slopes.dtype.type(saturation)
    z, a, dead = z.astype(np.float64), a.astype(np.float64), zeros.all(axis=0)
    return z.mean(), z.var(), a.mean(), a.var(), zeros.mean(), saturated.mean(), dead.mean()


def _update_statistics(before: Any, after: Any, gradient: Any) -> tuple[Any, ...]:
    """Return UPDATE_STATISTICS of weights before and after an update, and of their gradient."""
    ratio = _norm(after - before) / _norm(before) if before.any() else 0.0
    w, g = before.astype(np.float64), gradient.astype(np.float64)
    return w.mean(), w.std(), np.abs(w).max(), _norm(g), np.abs(g).mean(), ratio


def _take_histograms(records: Records, step: int, i: int, quantities: tuple[Any, Any]) -> None:
    """Take the histograms of activations and gradients of layer i, where they are wanted."""
    histograms = records.histograms
    if histograms is not None and histograms.rows[step] >= 0:
        for quantity, values in enumerate(quantities):
            at = histograms.rows[step], i, quantity
            counts, edges = np.histogram(values.astype(np.float64), histograms.counts.shape[-1])
            histograms.counts[at], histograms.bounds[at] = counts, edges[[0, -1]]


def train_epoch_reference(
    network: Network, batches: Batches, descent: Descent, records: Records
) -> tuple[int, int]:
    """Train for one epoch, of as many steps as there are losses.

    Parameters
    ----------
    network : Network
        Parameters are updated, gradients written; the work space is not used.
    batches : Batches
    descent : Descent
        The memories are updated.
    records : Records
        Written.

    Returns
    -------
    tuple of int
        (steps done, layer). The layer is 0 when all steps are done. A step ends the epoch when, in
        a layer numbered from 0, a magnitude of z, the norm of the gradient or a magnitude of an
        updated parameter reaches `initperf.jit.magnitudes.LIMITS`, is infinite or is NaN. The
        forward pass reports the first such layer, clipping and then the update the last. Of that
        step statistics and histograms mean nothing, nor do parameters, gradients and memories.
    """
    parameters = _views(network.sizes, network.parameters)
    gradients = _views(network.sizes, network.gradients)
    memories = [_views(network.sizes, memory) for memory in descent.memories]
    dtype, limit = network.parameters.dtype.type, LIMITS[network.parameters.dtype.name]
    layers, steps = range(len(parameters)), len(records.losses)
    rates = np.ones((len(layers), 2)) if descent.layer_rates is None else descent.layer_rates
    saturations = [activation.saturation for activation in _activations(network)]
    with np.errstate(all="ignore"):  # divergence is a result
        for step in range(steps):
            chosen = batches.order[step * batches.batch_size :][: batches.batch_size]
            inputs, z, a, slopes = _forward(network, parameters, batches.images[chosen])
            for i in layers:
                if not np.all(np.abs(z[i]) < limit):
                    return step, i
            loss, score, gradient = _loss(descent.loss, inputs[-1], batches.targets[chosen])
            records.losses[step], records.scores[step] = loss, score
            found = _backward(network, parameters, inputs, slopes, gradient)
            for i in layers:
                gradients[i][0][:], gradients[i][1][:] = found[i]

            for i in reversed(layers):
                if descent.clip_norm > 0 and not _norm(*gradients[i]) < limit:
                    return step, i
            scales = _scales(gradients, descent.clip_norm, descent.clip_globally)
            for i in reversed(layers):
                before = parameters[i][0].copy()
                for group in (0, 1):  # weights, biases
                    factors = descent.factors[step].copy()
                    factors[0] *= dtype(rates[i][group])
                    clipped = dtype(scales[i]) * gradients[i][group]
                    kept = [memory[i][group] for memory in memories]
                    _update(descent, factors, parameters[i][group], clipped, kept)
                bounded = all(np.all(np.abs(values) < limit) for values in parameters[i])
                if not (bounded and _norm(*gradients[i]) < limit):
                    return step, i
                _take_histograms(records, step, i, (a[i], gradients[i][0]))
                row = step - (steps - len(records.statistics))
                if row >= 0:
                    records.statistics[row, i] = (
                        *_update_statistics(before, parameters[i][0], gradients[i][0]),
                        *_activation_statistics(z[i], a[i], slopes[i], saturations[i]),
                    )
    return steps, 0
