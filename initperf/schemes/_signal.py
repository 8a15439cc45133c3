"""What a network does to a batch, layer by layer, in float64: for rules that look at it."""

from collections.abc import Iterator

import numpy as np

from initperf.schemes._scheme import Network


def output(network: Network, number: int, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return what layer `number`, counted from 0, hands on for inputs `x`, pre-activations `z`."""
    a = np.asarray(network.activation.value(z)) if number < network.depth - 1 else z
    return a + x if network.adds_input(number) else a


def signals(network: Network, batch: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give of each layer its inputs and its pre-activations for a batch, (count, features)."""
    x = np.asarray(batch, dtype=np.float64)
    for number, (weights, biases) in enumerate(network.layers()):
        z = x @ weights + biases
        yield x, z
        x = output(network, number, x, z)


def change_rates(network: Network, batch: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Return by how much of itself each layer's weights would change per unit of learning rate.

    Parameters
    ----------
    network : Network
    batch : numpy.ndarray
        Inputs, (count, features), float64.
    tangents : numpy.ndarray
        (count, outputs): of each input, the gradient of its loss by the logits.

    Returns
    -------
    numpy.ndarray
        (layers,): the root of the expectation, over the batch, of the squared norm of an input's
        gradient by the weights, divided by the norm of the weights.
    """
    rates = np.zeros(network.depth)
    states = list(zip(signals(network, batch), network.layers(), strict=True))
    above = tangents
    for number, ((x, z), (weights, _)) in reversed(list(enumerate(states))):
        hidden = number < network.depth - 1
        delta = above * network.activation.derivative(z) if hidden else above
        # an input's gradient is the outer product of x and delta, its squared norm their product
        squares = (x**2).sum(axis=1) * (delta**2).sum(axis=1)
        rates[number] = np.sqrt(squares.mean() / np.sum(weights.astype(np.float64) ** 2))
        below = delta @ weights.T
        above = below + above if network.adds_input(number) else below
    return rates
