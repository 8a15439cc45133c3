"""Forward and backward passes of a batch through a network, in float64, for schemes."""

from collections.abc import Iterator, Sequence

import numpy as np

from initperf.schemes._scheme import Network


def output(network: Network, inputs: Sequence[np.ndarray], z: np.ndarray) -> np.ndarray:
    """Return the output of a layer, the input of the next.

    Parameters
    ----------
    network : Network
        The network.
    inputs : sequence of numpy.ndarray
        Inputs of all layers up to and including this one, each (count, features).
    z : numpy.ndarray
        Its pre-activations, (count, units).
    """
    number = len(inputs) - 1
    a = z if network.is_linear(number) else np.asarray(network.activation.value(z))
    added = [inputs[block[0]] for block in network.blocks if block[-1] == number]
    return a + added[0] if added else a


def signals(network: Network, batch: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the inputs and the pre-activations of each layer.

    Parameters
    ----------
    network : Network
        The network.
    batch : numpy.ndarray
        Inputs, (count, features).

    Yields
    ------
    tuple of numpy.ndarray
        (inputs, pre-activations) of a layer, float64.
    """
    inputs = [np.asarray(batch, dtype=np.float64)]
    for weights, biases in network.layers():
        z = inputs[-1] @ weights + biases
        yield inputs[-1], z
        inputs.append(output(network, inputs, z))


def change_rates(network: Network, batch: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Return the relative change of each layer's weights per unit of learning rate.

    Parameters
    ----------
    network : Network
        The network.
    batch : numpy.ndarray
        Inputs, (count, features), float64.
    tangents : numpy.ndarray
        (count, outputs): the gradient of each input's loss with respect to the logits.

    Returns
    -------
    numpy.ndarray
        (layers,): the root of the mean, over the batch, of the squared norm of an input's
        gradient with respect to the weights, divided by the norm of the weights.
    """
    rates = np.zeros(network.depth)
    states = list(zip(signals(network, batch), network.layers(), strict=True))
    above = [tangents] * (network.depth + 1)  # gradients with respect to the inputs of layers
    after = {block[0]: block.stop for block in network.blocks}
    for number, ((x, z), (weights, _)) in reversed(list(enumerate(states))):
        slope = 1.0 if network.is_linear(number) else network.activation.derivative(z)
        delta = above[number + 1] * slope
        # the gradient of an input is the outer product of x and delta
        squares = (x**2).sum(axis=1) * (delta**2).sum(axis=1)
        rates[number] = np.sqrt(squares.mean() / np.sum(weights.astype(np.float64) ** 2))
        past = above[after[number]] if number in after else 0.0
        above[number] = delta @ weights.T + past
    return rates
