"""What a network does to a batch, layer by layer, in float64: for rules that look at it."""

from collections.abc import Iterator, Sequence

import numpy as np

from initperf.schemes._scheme import Network


def output(network: Network, inputs: Sequence[np.ndarray], z: np.ndarray) -> np.ndarray:
    """Return what a layer hands on.

    Parameters
    ----------
    network : Network
    inputs : sequence of numpy.ndarray
        Of all layers up to this.
    z : numpy.ndarray
        Its pre-activations.
    """
    number = len(inputs) - 1
    a = z if network.is_linear(number) else np.asarray(network.activation.value(z))
    added = [inputs[block[0]] for block in network.blocks if block[-1] == number]
    return a + added[0] if added else a


def signals(network: Network, batch: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give of each layer its inputs and its pre-activations for a batch, (count, features)."""
    inputs = [np.asarray(batch, dtype=np.float64)]
    for weights, biases in network.layers():
        z = inputs[-1] @ weights + biases
        yield inputs[-1], z
        inputs.append(output(network, inputs, z))


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
    above = [tangents] * (network.depth + 1)  # the gradients by what layers are given
    after = {block[0]: block.stop for block in network.blocks}
    for number, ((x, z), (weights, _)) in reversed(list(enumerate(states))):
        slope = 1.0 if network.is_linear(number) else network.activation.derivative(z)
        delta = above[number + 1] * slope
        # an input's gradient is the outer product of x and delta, its squared norm their product
        squares = (x**2).sum(axis=1) * (delta**2).sum(axis=1)
        rates[number] = np.sqrt(squares.mean() / np.sum(weights.astype(np.float64) ** 2))
        past = above[after[number]] if number in after else 0.0
        above[number] = delta @ weights.T + past
    return rates
