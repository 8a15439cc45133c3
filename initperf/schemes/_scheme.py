"""Base classes of schemes, rules that set a whole network, and their registry."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from initperf._core.arrays import as_numbers
from initperf._core.keys import RandomSource
from initperf._core.registry import Registry
from initperf._core.rule import Rule, built
from initperf._core.source import Source
from initperf.activations import Activation
from initperf.errors import UnsuitableError, UsageError
from initperf.initializers import INITIALIZERS, Initializer

BIAS_STREAMS = 1 << 32
"""Number of the first stream of biases: layer i draws weights from i and biases from this + i."""


class Network(Protocol):
    """A network as schemes see it; `initperf.training.network.Mlp` is one."""

    sizes: np.ndarray
    activation: Activation
    backend: str
    residual: int
    blocks: tuple[range, ...]
    parameters: np.ndarray

    @property
    def depth(self) -> int:
        """Return the number of layers that have weights."""

    def layers(self, flat: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give each layer's weights, (fan_in, fan_out), and biases, (fan_out,), to be written.

        They are views of `flat`, an array like `parameters`, which it is by default.
        """

    def is_linear(self, number: int) -> bool:
        """Return whether layer `number`, counted from 0, has no activation."""


@dataclass(frozen=True, kw_only=True)
class Scheme(Rule, ABC):
    """A rule that sets all weights and biases of a network; see `initperf._core.rule.Rule`.

    Attributes
    ----------
    images : int
        Of the class: number of training images in `batch`; 0 for a rule that uses no data.
    """

    images: ClassVar[int] = 0

    def check(  # most rules apply everywhere
        self, hidden: tuple[int, ...], activation: Activation, residual: int
    ) -> None:
        """Check that the rule applies to a network.

        Parameters
        ----------
        hidden : tuple of int
            Widths of the hidden layers.
        activation : Activation
            The activation of the hidden layers.
        residual : int
            Layers of a residual block, see `residual_blocks`; 0 for a network without.

        Raises
        ------
        UnsuitableError
            Where it does not; the message says what to use instead.
        """

    def learning_rates(self, network: Network, optimizer: str = "sgd") -> list[tuple[float, float]]:
        """Return the factors of the learning rates of each layer's weights and biases: 1.

        Parameters
        ----------
        network : Network
            The network.
        optimizer : str
            Name of the optimizer that trains it.
        """
        return [(1.0, 1.0)] * network.depth

    def __call__(
        self, network: Network, *, rng: RandomSource = None, batch: Any = None, labels: Any = None
    ) -> None:
        """Set the parameters of a network in place.

        Parameters
        ----------
        network : Network
            Its parameters are written.
        rng : None, int, SeedSequence, BitGenerator or Generator
            See `initperf._core.keys.as_key`.
        batch : array, optional
            Inputs, (count, features), for a rule that uses data; others do not read it.
        labels : array, optional
            Their labels, (count,), for a rule that uses them too; see `Supervised`.

        Raises
        ------
        UnsuitableError
            Where the rule does not apply to the network or the batch; the network is unchanged.
        initperf.errors.RuleError
            Where a user's own rule fails.
        """
        hidden = tuple(network.sizes[1:-1].tolist())
        self.guarded(self.check, hidden, network.activation, network.residual)
        inputs = as_batch(batch, int(network.sizes[0]), self.name) if self.images else np.empty(0)
        source = Source.checked(0, rng=rng, backend=network.backend)
        before = network.parameters.copy() if self.images else None
        try:
            self.guarded(self.set_from, network, source, inputs, labels)
        except UsageError:
            if before is not None:
                network.parameters[:] = before
            raise

    def set_from(self, network: Network, source: Source, batch: np.ndarray, labels: Any) -> None:
        """Set the parameters of a checked network; most rules use no labels.

        Parameters
        ----------
        network, source, batch
            As `set_parameters` takes them.
        labels : array or None
            As they were given, not checked.

        Raises
        ------
        UnsuitableError
            Where the rule does not apply.
        """
        self.set_parameters(network, source, batch)

    @abstractmethod
    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a network that has been checked.

        Parameters
        ----------
        network : Network
            Its layers' arrays are written.
        source : Source
            Source of the values: ``source.of(number)`` for layer `number`.
        batch : numpy.ndarray
            Inputs, (count, features), float64; empty for a rule that looks at no data.

        Raises
        ------
        UnsuitableError
            Where the rule does not apply to the network or the batch.
        """


class Supervised(Scheme):
    """A scheme that uses the labels of its inputs too, classes numbered from 0."""

    def set_from(self, network: Network, source: Source, batch: np.ndarray, labels: Any) -> None:
        """Check the labels and set the parameters; see `Scheme.set_from`.

        Parameters
        ----------
        network, source, batch, labels
            See `Scheme.set_from`.

        Raises
        ------
        UnsuitableError
            For no labels, another number of them than of inputs, or other than classes.
        """
        checked = as_labels(labels, len(batch), int(network.sizes[-1]), self.name)
        self.set_from_examples(network, source, batch, checked)

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Refuse to set parameters without labels."""
        raise UnsuitableError(f"{self.name} uses labels: labels must be given")

    @abstractmethod
    def set_from_examples(
        self, network: Network, source: Source, batch: np.ndarray, labels: np.ndarray
    ) -> None:
        """Set the parameters of a network that has been checked.

        Parameters
        ----------
        network, source, batch
            As `Scheme.set_parameters` takes them.
        labels : numpy.ndarray
            (count,) int64, numbers of outputs.

        Raises
        ------
        UnsuitableError
            Where the rule does not apply to the network or the examples.
        """


class PerLayer(Scheme):
    """A scheme that draws each layer's weights, and its biases, by an initializer."""

    @abstractmethod
    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the initializers of the weights and of the biases of a layer.

        Parameters
        ----------
        network : Network
            The network.
        number : int
            Number of the layer, from 0.
        """

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Draw the parameters of each layer; see `Scheme.set_parameters`."""
        for number, (weights, biases) in enumerate(network.layers()):
            for_weights, for_biases = self.initializers(network, number)
            for_weights.draw_into(weights, source.of(number))
            for_biases.draw_into(biases, source.of(BIAS_STREAMS + number))


def as_batch(batch: Any, features: int, name: str) -> np.ndarray:
    """Return a batch as a float64 array, checked.

    Parameters
    ----------
    batch : array_like or None
        The inputs.
    features : int
        Number of features that the network takes.
    name : str
        Name of the scheme, for the error message.

    Raises
    ------
    UnsuitableError
        For none, a wrong shape, values that are not finite, or inputs that are all the same.
    """
    if batch is None:
        raise UnsuitableError(f"{name} uses data: batch must be given, (count, {features})")
    array = as_numbers("batch", batch)
    if array.ndim != 2 or array.shape[1] != features:
        raise UnsuitableError(f"batch must have the shape (count, {features}), not {array.shape}")
    if not np.isfinite(array).all():
        raise UnsuitableError("batch must hold finite numbers only")
    if len(array) < 2 or (array == array[0]).all():
        raise UnsuitableError(
            f"batch must hold at least two inputs that differ; all {len(array)} are the same, "
            "and a layer's output has no variance over them"
        )
    return array


def as_labels(labels: Any, count: int, classes: int, name: str) -> np.ndarray:
    """Return labels as an int64 array, checked.

    Parameters
    ----------
    labels : array_like or None
    count : int
        Number of inputs.
    classes : int
        Number of outputs.
    name : str
        Name of the scheme, for the error message.

    Raises
    ------
    UnsuitableError
        For none, a wrong shape, or other than integers in [0, classes).
    """
    if labels is None:
        raise UnsuitableError(f"{name} uses labels: labels must be given, ({count},)")
    array = np.asarray(labels)
    if array.shape != (count,):
        raise UnsuitableError(f"labels must have the shape ({count},), not {array.shape}")
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= classes:
        raise UnsuitableError(f"labels must be integers from 0 to {classes - 1}, of the outputs")
    return array.astype(np.int64)


def varies(z: np.ndarray) -> np.ndarray:
    """Return whether each unit varies over a batch by more than rounding errors.

    Parameters
    ----------
    z : numpy.ndarray
        Float64, (count, units).

    Returns
    -------
    numpy.ndarray
        Bool, (units,).
    """
    rounding = math.sqrt(len(z)) * np.finfo(np.float64).eps
    wide: np.ndarray = z.std(axis=0) > rounding * np.abs(z).max(axis=0)
    return wide


def adopted(name: str, found: Any) -> Scheme | None:
    """Return what an object of a module is as a scheme, or None where it is none.

    Parameters
    ----------
    name : str
        Its name, ``module:object``.
    found : object
        A scheme, or a class of them that needs no parameters.
    """
    if isinstance(found, type) and issubclass(found, Scheme):
        found = built(name, found)
    return dataclasses.replace(found, name=name) if isinstance(found, Scheme) else None


SCHEMES: Registry[Scheme] = Registry("initializer", beside=INITIALIZERS, plugins="initperf.schemes")
SCHEMES.adopt = adopted


def register(
    name: str, scheme: Scheme, aliases: tuple[str, ...] = (), *, replace: bool = False
) -> Scheme:
    """Add a scheme to SCHEMES; the file that defines it ends with such calls.

    Parameters
    ----------
    name : str
        Its canonical name.
    scheme : Scheme
        The rule.
    aliases : tuple of str
        Other names of it.
    replace : bool
        Whether it takes the place of one of the same canonical name.

    Returns
    -------
    Scheme
        The rule, which knows its name.

    Raises
    ------
    ValueError
        When a name or an alias is taken already, by an initializer too.
    """
    named = dataclasses.replace(scheme, name=name)
    return SCHEMES.register(name, named, aliases, replace=replace)
