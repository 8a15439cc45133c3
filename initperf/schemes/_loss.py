"""Gradient of the softmax cross-entropy of a network, with derivatives along directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initperf.schemes._scheme import Network
from initperf.schemes._taylor import Taylor, derivatives, mapped, plus, product, through


@dataclass(frozen=True, eq=False)
class Loss:
    """Mean cross-entropy of examples, as a function of a network's parameters.

    Attributes
    ----------
    network : Network
        Gives layers, activation and blocks; its parameters are not read.
    inputs : numpy.ndarray
        (count, features) float64.
    labels : numpy.ndarray
        (count,) integers, numbers of outputs.
    """

    network: Network
    inputs: np.ndarray
    labels: np.ndarray

    def gradients(
        self, parameters: np.ndarray, *directions: np.ndarray | None
    ) -> tuple[np.ndarray, ...]:
        """Return the gradient and its derivatives.

        Parameters
        ----------
        parameters : numpy.ndarray
            (count,) float64, as ``network.parameters``.
        *directions : numpy.ndarray
            None, one or two, v and w, like `parameters`.

        Returns
        -------
        tuple of numpy.ndarray
            The gradient g; for a direction v the product H v with the Hessian too; for two g, H v,
            H w and the derivative of H v along w.
        """
        layers = self._layers(parameters, directions)
        entered: list[Taylor] = [[self.inputs] + [None] * (len(layers[0][0]) - 1)]
        slopes: list[Taylor | None] = []
        begins = {block[-1]: block[0] for block in self.network.blocks}
        for number, (weights, biases) in enumerate(layers):
            z = plus(product(entered[-1], weights, np.matmul), biases)
            a, slope = (z, None) if self.network.is_linear(number) else self._activated(z)
            entered.append(plus(a, entered[begins[number]]) if number in begins else a)
            slopes.append(slope)
        return self._backward(layers, entered, slopes)

    def value(self, parameters: np.ndarray) -> float:
        """Return the loss."""
        (weights, biases), *behind = self.network.layers(parameters)
        return self._value(self.inputs @ weights + biases, behind)

    def values_along(
        self, parameters: np.ndarray, direction: np.ndarray, lengths: Sequence[float]
    ) -> np.ndarray:
        """Return the loss along a straight line.

        Parameters
        ----------
        parameters, direction : numpy.ndarray
            Begin and direction of the line, each (count,) float64, as ``network.parameters``.
        lengths : sequence of float
            How far along the line, in units of `direction`.

        Returns
        -------
        numpy.ndarray
            (len(lengths),) float64.
        """
        start, change = (list(self.network.layers(one)) for one in (parameters, direction))
        # the first pre-activations move along a line as well
        first, moved = (self.inputs @ weights + biases for weights, biases in (start[0], change[0]))
        found = []
        for length in lengths:
            behind = [
                (weights + length * by, biases + length * shift)
                for (weights, biases), (by, shift) in zip(start[1:], change[1:], strict=True)
            ]
            found.append(self._value(first + length * moved, behind))
        return np.array(found)

    def _value(self, z: np.ndarray, behind: list[tuple[np.ndarray, np.ndarray]]) -> float:
        """Return the loss.

        Parameters
        ----------
        z : numpy.ndarray
            (count, units) pre-activations of the first layer.
        behind : list of tuple of numpy.ndarray
            Weights and biases of the other layers.
        """
        entered = [self.inputs]
        begins = {block[-1]: block[0] for block in self.network.blocks}
        for number in range(self.network.depth):
            if number:
                weights, biases = behind[number - 1]
                z = entered[-1] @ weights + biases
            a = z if self.network.is_linear(number) else self.network.activation.value(z)
            entered.append(a + entered[begins[number]] if number in begins else a)
        logits = entered[-1] - entered[-1].max(axis=1, keepdims=True)
        of_labels = logits[np.arange(len(logits)), self.labels]
        return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - of_labels))

    def _layers(
        self, parameters: np.ndarray, directions: Sequence[np.ndarray | None]
    ) -> list[tuple[Taylor, Taylor]]:
        """Return weights and biases of each layer as Taylor arrays."""
        flat: list[np.ndarray | None] = [parameters, *directions, None][: 2 ** len(directions)]
        parts = [None if one is None else list(self.network.layers(one)) for one in flat]
        return [
            (
                [None if part is None else part[number][0] for part in parts],
                [None if part is None else part[number][1] for part in parts],
            )
            for number in range(self.network.depth)
        ]

    def _activated(self, z: Taylor) -> tuple[Taylor, Taylor]:
        order = {1: 1, 2: 2, 4: 3}[len(z)]
        found = derivatives(self.network.activation, z[0], order)
        return through(found, z), through(found[1:], z)

    def _errors(self, logits: Taylor) -> Taylor:
        """Return the gradient by the logits: softmax less the labels' indicators, over the count.

        The softmax is the exponential times the inverse of its sum.
        """
        powers = np.exp(logits[0] - logits[0].max(axis=1, keepdims=True))
        raised = through([powers] * 3, logits)
        total = mapped(raised, lambda x: x.sum(axis=1, keepdims=True))
        inverse = 1.0 / total[0]
        shares = product(
            raised, through([inverse, -(inverse**2), 2.0 * inverse**3], total), np.multiply
        )
        shares[0][np.arange(len(self.labels)), self.labels] -= 1.0
        return mapped(shares, lambda x: x / len(self.labels))

    def _backward(
        self,
        layers: list[tuple[Taylor, Taylor]],
        entered: list[Taylor],
        slopes: list[Taylor | None],
    ) -> tuple[np.ndarray, ...]:
        above: list[Taylor] = [self._errors(entered[-1])] * (len(layers) + 1)
        ends = {block[0]: block.stop for block in self.network.blocks}
        size = sum(weights[0].size + biases[0].size for weights, biases in layers)
        found = np.zeros((len(entered[0]), size))
        views = [list(self.network.layers(one)) for one in found]
        for number, (weights, _) in reversed(list(enumerate(layers))):
            delta, slope = above[number + 1], slopes[number]
            if slope is not None:
                delta = product(delta, slope, np.multiply)
            by_weights = product(entered[number], delta, lambda x, d: x.T @ d)
            by_biases = mapped(delta, lambda d: d.sum(axis=0))
            for view, one, other in zip(views, by_weights, by_biases, strict=True):
                view[number][0][:] = 0.0 if one is None else one
                view[number][1][:] = 0.0 if other is None else other
            if number == 0:
                break  # nothing reads the gradient by the inputs
            below = product(delta, weights, lambda d, w: d @ w.T)
            above[number] = plus(below, above[ends[number]]) if number in ends else below
        return tuple(found)
