"""What a scheme is: a rule that sets the weights and the biases of a whole network."""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from initperf._core.keys import Key, RandomSource, as_key
from initperf._core.registry import Registry
from initperf._core.rule import Rule
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS, Initializer

BIAS_STREAMS = 1 << 32
"""The biases of layer i are drawn from the stream of this number plus i, its weights from i."""


class Network(Protocol):
    """What a scheme must know of a network; `initperf.training.network.Mlp` is one."""

    sizes: np.ndarray
    activation: Activation
    backend: str
    residual: int
    blocks: tuple[range, ...]
    parameters: np.ndarray

    @property
    def depth(self) -> int:
        """Return the number of layers that have weights."""

    def layers(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give each layer's weights, (fan_in, fan_out), and biases, (fan_out,), to be written."""

    def is_linear(self, number: int) -> bool:
        """Return whether layer `number`, counted from 0, has no activation."""


@dataclass(frozen=True, kw_only=True)
class Scheme(Rule, ABC):
    """A rule that sets all weights and biases of a network; see `initperf._core.rule.Rule`.

    Attributes
    ----------
    images : int
        Of the class: how many images training shows it; 0 for a rule that looks at none.
    """

    images: ClassVar[int] = 0

    def check(  # most rules apply everywhere
        self, hidden: tuple[int, ...], activation: Activation, residual: int
    ) -> None:
        """Refuse a network that the rule does not apply to.

        Parameters
        ----------
        hidden : tuple of int
            Widths of the hidden layers.
        activation : Activation
        residual : int
            Layers of a residual block, see `residual_blocks`; 0 for a network without.

        Raises
        ------
        UnsuitableError
            Saying what would be right.
        """

    def learning_rates(self, network: Network, optimizer: str = "sgd") -> list[tuple[float, float]]:
        """Return what multiplies the learning rate of each layer's weights and of its biases: 1.

        Parameters
        ----------
        network : Network
        optimizer : str
            The name of the one that trains the network.
        """
        return [(1.0, 1.0)] * network.depth

    def __call__(self, network: Network, *, rng: RandomSource = None, batch: Any = None) -> None:
        """Set the parameters of a network in place.

        Parameters
        ----------
        network : Network
        rng : None, int, SeedSequence, BitGenerator or Generator
            See `initperf._core.keys.as_key`.
        batch : array, optional
            Inputs, (count, features), for a rule that looks at data; others do not read it.

        Raises
        ------
        UnsuitableError
            Where the rule does not apply to the network or the batch; it is as it was then.
        """
        self.check(tuple(network.sizes[1:-1].tolist()), network.activation, network.residual)
        inputs = as_batch(batch, int(network.sizes[0]), self.name) if self.images else np.empty(0)
        before = network.parameters.copy() if self.images else None
        try:
            self._set(network, Key(as_key(rng)), inputs)
        except UnsuitableError:
            if before is not None:
                network.parameters[:] = before
            raise

    @abstractmethod
    def _set(self, network: Network, key: Key, batch: np.ndarray) -> None:
        """Set the parameters of a network that has been checked; `batch` is float64."""


class PerLayer(Scheme):
    """A scheme that draws each layer's weights, and its biases, by an initializer."""

    @abstractmethod
    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the initializers of the weights and of the biases of a layer, counted from 0."""

    def _set(self, network: Network, key: Key, batch: np.ndarray) -> None:
        for number, (weights, biases) in enumerate(network.layers()):
            rules = self.initializers(network, number)
            for rule, out, first in zip(rules, (weights, biases), (0, BIAS_STREAMS), strict=True):
                rule(out.shape, rng=key, out=out, stream=first + number, backend=network.backend)


def as_batch(batch: Any, features: int, name: str) -> np.ndarray:
    """Return a batch as a float64 array, checked.

    Raises
    ------
    UnsuitableError
        For none, a wrong shape, values that are not finite, or inputs that are all the same.
    """
    if batch is None:
        raise UnsuitableError(f"{name} looks at data: batch must be given, (count, {features})")
    array = np.asarray(batch, dtype=np.float64)
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


def varies(z: np.ndarray) -> np.ndarray:
    """Return which units, columns of float64, vary over a batch by more than rounding makes."""
    rounding = math.sqrt(len(z)) * np.finfo(np.float64).eps
    wide: np.ndarray = z.std(axis=0) > rounding * np.abs(z).max(axis=0)
    return wide


SCHEMES: Registry[Scheme] = Registry("initializer", beside=INITIALIZERS, plugins="initperf.schemes")


def register(name: str, scheme: Scheme, aliases: tuple[str, ...] = ()) -> Scheme:
    """Add a scheme under its name and aliases; its file ends with these calls."""
    return SCHEMES.register(name, dataclasses.replace(scheme, name=name), aliases)
