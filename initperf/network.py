"""The multilayer perceptron: its parameters in one flat array, forward and backward."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.activations import ACTIVATIONS, Activation
from initperf.experiment import BIASES
from initperf.filling import as_backend, as_dtype
from initperf.initializers import INITIALIZERS, Initializer
from initperf.kernels import KERNELS
from initperf.random import Key, RandomSource, as_key

_BIAS_STREAMS = 1 << 32


class Mlp:
    """Dense layers with one activation between them and logits at the end.

    Parameters
    ----------
    sizes : sequence of int
        Widths of all layers, input and output included.
    activation : str
        Name of the hidden layers' activation.
    dtype : str
        ``"float32"`` or ``"float64"``.
    backend : str
        ``"numba"`` or ``"numpy"``.
    residual : bool
        Whether a hidden layer whose input is as wide as its output adds it to it:
        ``x + f(x @ weights + bias)``.

    Attributes
    ----------
    sizes : numpy.ndarray
        int64.
    activation : Activation
    parameters : numpy.ndarray
        Flat: for each layer its weights (fan_in, fan_out) in C order, then its biases; all 0 at
        first.
    """

    def __init__(
        self,
        sizes: Any,
        activation: str = "relu",
        dtype: str = "float32",
        backend: str = "numba",
        residual: bool = False,
    ) -> None:
        self.sizes = np.array(sizes, dtype=np.int64)
        if self.sizes.ndim != 1 or len(self.sizes) < 2 or self.sizes.min() < 1:
            raise ValueError(f"sizes must be two or more positive widths, not {sizes!r}")
        self.activation: Activation = ACTIVATIONS[activation]
        self.backend = as_backend(backend)
        self.residual = residual
        count = int(np.sum((self.sizes[:-1] + 1) * self.sizes[1:]))
        self.parameters = np.zeros(count, as_dtype(dtype))

    @property
    def depth(self) -> int:
        """Return the number of layers that have weights."""
        return len(self.sizes) - 1

    def layers(self, flat: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give views of each layer's (weights, biases) in `flat`, by default the parameters."""
        flat = self.parameters if flat is None else flat
        at = 0
        for fan_in, fan_out in zip(self.sizes[:-1].tolist(), self.sizes[1:].tolist(), strict=True):
            end = at + fan_in * fan_out
            yield flat[at:end].reshape(fan_in, fan_out), flat[end : end + fan_out]
            at = end + fan_out

    def initialize(
        self, initializer: str | Initializer, rng: RandomSource = None, biases: str = "zeros"
    ) -> "Mlp":
        """Draw the weights, each layer from a stream of its own, and set the biases.

        Parameters
        ----------
        initializer : str or Initializer
        rng : optional
            See `initperf.random.as_key`.
        biases : str
            ``"zeros"``, ``"constant"``, which is 0.01, or ``"fan_in_uniform"``, U(±1/√fan_in) from
            streams of their own.

        Raises
        ------
        ValueError
            For another name.
        """
        if biases not in BIASES:
            raise ValueError(f"biases must be one of {', '.join(BIASES)}, not {biases!r}")
        chosen = INITIALIZERS[initializer] if isinstance(initializer, str) else initializer
        key = Key(as_key(rng))
        for number, (weights, values) in enumerate(self.layers()):
            chosen(weights.shape, rng=key, out=weights, stream=number, backend=self.backend)
            if biases == "fan_in_uniform":
                bound = len(weights) ** -0.5
                rule = INITIALIZERS["uniform"].replace(low=-bound, high=bound)
                shape = 1, len(values)
                stream = _BIAS_STREAMS + number
                values[:] = rule(
                    shape, rng=key, dtype=values.dtype, stream=stream, backend=self.backend
                )[0]
            else:
                values[:] = {"zeros": 0.0, "constant": 0.01}[biases]
        return self

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, (count, classes), of images (count, features)."""
        forward = KERNELS["dense_forward"][self.backend]
        x = np.ascontiguousarray(images, self.parameters.dtype)
        nothing, verdict = np.zeros(0), np.zeros(1)
        for number, (weights, biases) in enumerate(self.layers()):
            hidden = number < self.depth - 1
            code = self.activation.code if hidden else 0
            slopes = np.empty((len(x), len(biases)), x.dtype)
            a = np.empty_like(slopes)
            with np.errstate(over="ignore", invalid="ignore"):
                forward(code, x, weights, biases, slopes, a, nothing, verdict)
                if self.residual and hidden and a.shape == x.shape:
                    a += x
            x = a
        return x

    def evaluate(self, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """Return (mean loss, accuracy); images whose logits are not finite count as wrong."""
        logits = self.logits(images)
        finite = np.isfinite(logits).all(axis=1)
        if not finite.all():
            hits = logits[finite].argmax(axis=1) == labels[finite]
            return float("inf"), float(np.sum(hits) / len(labels))
        scores = np.zeros(2)
        KERNELS["softmax_cross_entropy"][self.backend](
            logits, labels, np.empty_like(logits), np.empty_like(logits[0]), scores
        )
        return float(scores[0]), float(scores[1]) / len(labels)
