"""Multilayer perceptron with its parameters in one flat array."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf._core.arguments import as_backend, whole
from initperf._core.arrays import as_dtype, as_widths, too_large
from initperf._core.keys import RandomSource
from initperf.activations import ACTIVATIONS, Activation
from initperf.errors import UnsuitableError
from initperf.initializers import Initializer
from initperf.jit.cache_lines import aligned_zeros
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import Network, evaluate_loss, work_size
from initperf.losses import CLASSIFICATION, Loss, PointwiseLoss
from initperf.schemes import Scheme, as_scheme, find, residual_blocks

_LINEAR = ACTIVATIONS["linear"]


class Mlp:
    """Dense layers with an activation between them; the outputs are logits.

    Schemes initialize it, evaluations use it; `arrays` gives the same network, on the same
    parameters, as the training kernel takes it.

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
    residual : int
        Layers of a residual block, see `initperf.schemes.residual_blocks`; 0 for a network without.

    Attributes
    ----------
    sizes : numpy.ndarray
        int64.
    activation : Activation
    blocks : tuple of range
        The numbers, from 0, of each residual block's layers.
    parameters : numpy.ndarray
        (count,): of each layer the weights, (fan_in, fan_out) in C order, then the biases;
        initially 0.
    """

    def __init__(
        self,
        sizes: Any,
        activation: str = "relu",
        dtype: str = "float32",
        backend: str = "numba",
        residual: int = 0,
    ) -> None:
        self.sizes = np.array(as_widths("sizes", sizes, fewest=2), dtype=np.int64)
        self.activation: Activation = ACTIVATIONS[activation]
        self.backend = as_backend(backend)
        switch = isinstance(residual, bool)  # True is a block of one layer, as of experiments
        self.residual = whole("residual", int(residual) if switch else residual, 0)
        self.blocks = residual_blocks(self.sizes.tolist(), self.residual)
        count = int(np.sum((self.sizes[:-1] + 1) * self.sizes[1:]))
        try:
            self.parameters = aligned_zeros(count, as_dtype(dtype))
        except (MemoryError, ValueError):  # NumPy refuses what exceeds the address space
            as_dtype(dtype)
            raise UnsuitableError(str(too_large("sizes", sizes))) from None

    @property
    def depth(self) -> int:
        """Number of layers with weights."""
        return len(self.sizes) - 1

    def layers(self, flat: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield views of each layer's (weights, biases) in `flat`, by default the parameters."""
        flat = self.parameters if flat is None else flat
        at = 0
        for fan_in, fan_out in zip(self.sizes[:-1].tolist(), self.sizes[1:].tolist(), strict=True):
            end = at + fan_in * fan_out
            yield flat[at:end].reshape(fan_in, fan_out), flat[end : end + fan_out]
            at = end + fan_out

    def arrays(self, batch_size: int) -> Network:
        """Return what `initperf.kernels.train_epoch` takes of a network, with new work space.

        Parameters
        ----------
        batch_size : int
            Images of the largest batch.
        """
        dtype = self.parameters.dtype
        return Network(
            sizes=self.sizes,
            activation=self.activation,
            blocks=self.blocks,
            parameters=self.parameters,
            gradients=aligned_zeros(len(self.parameters), dtype),
            work=aligned_zeros(work_size(self.sizes, batch_size), dtype),
        )

    def is_linear(self, number: int) -> bool:
        """Return whether layer `number`, counted from 0, has no activation."""
        ends_branch = any(len(block) > 1 and number == block[-1] for block in self.blocks)
        return ends_branch or number == self.depth - 1

    def initialize(
        self,
        initializer: str | Initializer | Scheme,
        rng: RandomSource = None,
        biases: str = "zeros",
        batch: Any = None,
        labels: Any = None,
    ) -> "Mlp":
        """Set the weights, each layer's from a stream of its own, and the biases.

        Parameters
        ----------
        initializer : str, Initializer or Scheme
        rng : optional
            See `initperf._core.keys.as_key`.
        biases : str
            For an initializer, ``"zeros"``, ``"constant"``, which is 0.01, or
            ``"fan_in_uniform"``, U(±1/√fan_in) from streams of their own; a scheme sets its own.
        batch : array, optional
            Inputs, (count, features), for a scheme that looks at data.
        labels : array, optional
            Their classes, (count,), for a scheme that looks at labels.

        Raises
        ------
        ValueError
            For another name, or where a scheme does not apply.
        """
        as_scheme(initializer, biases)(self, rng=rng, batch=batch, labels=labels)
        return self

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits, (count, classes), of images (count, features)."""
        forward = KERNELS["dense_forward"][self.backend]
        x = np.ascontiguousarray(images, self.parameters.dtype)
        nothing, verdict = np.zeros(0), np.zeros(1)  # no statistics, and no check for divergence
        begun = x  # input of the current residual block
        begins, ends = ({block[i] for block in self.blocks} for i in (0, -1))
        for number, (weights, biases) in enumerate(self.layers()):
            begun = x if number in begins else begun
            activation = _LINEAR if self.is_linear(number) else self.activation
            slopes = np.empty((len(x), len(biases)), x.dtype)
            a = np.empty_like(slopes)
            with np.errstate(over="ignore", invalid="ignore"):
                forward(activation, x, weights, biases, slopes, a, nothing, verdict)
                if number in ends:
                    a += begun
            x = a
        return x

    def evaluate(
        self, images: np.ndarray, targets: np.ndarray, loss: Loss = CLASSIFICATION
    ) -> tuple[float, float]:
        """Return the mean loss and the score: accuracy of classes, R² of values.

        Images whose logits are not finite count as wrong; the loss is then infinite, and R² is
        NaN, as it is for values that do not differ.

        Parameters
        ----------
        images : numpy.ndarray
            (count, features).
        targets : numpy.ndarray
            (count,) int64, or (count, outputs) of the network's dtype for a loss of values.
        loss : Loss
            The softmax cross-entropy by default.
        """
        outputs = self.logits(images)
        finite = np.isfinite(outputs).all(axis=1)
        of_values = isinstance(loss, PointwiseLoss)
        if finite.all():
            mean, score = evaluate_loss(loss, outputs, targets, self.backend)
            return mean, r_squared(score, targets) if of_values else score / len(targets)
        if of_values:
            return float("inf"), float("nan")
        hits = outputs[finite].argmax(axis=1) == targets[finite]
        return float("inf"), float(np.sum(hits) / len(targets))


def r_squared(squared_errors: float, targets: np.ndarray) -> float:
    """Return the share of the targets' variance that predictions explain, R².

    Parameters
    ----------
    squared_errors : float
        Their sum, over all outputs.
    targets : numpy.ndarray
        (count, outputs).

    Returns
    -------
    float
        1 for predictions without an error, 0 for those of the means of the targets; NaN where the
        targets do not vary.
    """
    about_means = np.sum((targets - targets.mean(axis=0, dtype=np.float64)) ** 2)
    return 1.0 - squared_errors / float(about_means) if about_means > 0.0 else float("nan")


def draw_network(
    name: str | Initializer | Scheme,
    sizes: Any,
    activation: str = "relu",
    *,
    rng: RandomSource = None,
    batch: Any = None,
    labels: Any = None,
    residual: int = 0,
    dtype: str = "float32",
    backend: str = "numba",
    **parameters: Any,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw the weights and biases of a network by the name of a scheme or an initializer.

    Parameters
    ----------
    name : str, Initializer or Scheme
        One of ``SCHEMES`` or ``INITIALIZERS``, or an alias; an initializer draws every layer's
        weights and leaves the biases 0.
    sizes : sequence of int
        Widths of all layers, input and output included.
    activation : str
        Activation of the hidden layers.
    rng : None, int, SeedSequence, BitGenerator or Generator
        See `initperf._core.keys.as_key`.
    batch : array, optional
        Inputs, (count, sizes[0]), for a scheme that looks at data, such as ``"lsuv"``.
    labels : array, optional
        Their classes, (count,), for a scheme that looks at labels, as ``"gradinit"`` does.
    residual : int
        Layers of a residual block, see `initperf.schemes.residual_blocks`; 0 for a network without.
    dtype : str
        ``"float32"`` or ``"float64"``.
    backend : str
        ``"numba"`` or ``"numpy"``.
    **parameters
        Parameters of the rule, such as ``bias_variance=0.1`` of ``"critical"``.

    Returns
    -------
    list of tuple of numpy.ndarray
        Weights, (fan_in, fan_out), and biases, (fan_out,), of each layer.

    Raises
    ------
    TypeError, ValueError
        For an unknown name or parameter, or where the scheme does not apply.

    Notes
    -----
    There are nine parameters and those of the rule, because this is the call for people who have
    neither a network nor an experiment: it takes all that describes either, flat.

    Examples
    --------
    >>> import initperf
    >>> layers = initperf.draw_network("torch.Linear", (784, 256, 10), rng=0)
    >>> [weights.shape for weights, _ in layers]
    [(784, 256), (256, 10)]
    """
    rule = find(name)
    if parameters:
        rule = rule.replace(**parameters)
    network = Mlp(sizes, activation, dtype, backend, residual)
    try:
        network.initialize(rule, rng, batch=batch, labels=labels)
    except MemoryError:
        raise too_large("sizes", sizes) from None
    return list(network.layers())
