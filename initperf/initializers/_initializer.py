"""What every initializer is and declares."""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initperf._core.arguments import as_backend, as_dtype, as_output, as_shape
from initperf._core.keys import RandomSource
from initperf._core.registry import Registry
from initperf._core.rule import Rule
from initperf.initializers._law import Law


@dataclass(frozen=True, kw_only=True)
class Initializer(Rule, ABC):
    """A rule that fills a weight; see `initperf._core.rule.Rule`.

    Attributes
    ----------
    in_report : bool
        Whether ``initperf report`` trains networks from it without being asked to: not what is
        no candidate for all layers of a perceptron, or repeats another in all but its scale.
    """

    in_report: bool = field(default=True, compare=False, repr=False)

    @property
    def family(self) -> str:
        """Return the name of the file that defines the rule."""
        return type(self).__module__.rpartition(".")[2]

    def __call__(
        self,
        shape: Any,
        *,
        rng: RandomSource = None,
        dtype: Any = None,
        out: Any = None,
        backend: str = "numba",
        stream: int = 0,
        offset: int = 0,
        threads: int | None = None,
    ) -> Any:
        """Draw weights.

        Parameters
        ----------
        shape : int or tuple of int
            Shape of the weight, (fan_in, fan_out) for a layer applied as ``x @ w``.
        rng : None, int, SeedSequence, BitGenerator or Generator
            See `initperf._core.keys.as_key`.
        dtype : str or numpy.dtype
            ``"float32"``, the default, or ``"float64"``; with `out`, the dtype of `out`.
        out : array, optional
            Filled and returned instead of a new array; see `initperf._core.arguments.as_output`.
        backend : str
            ``"numba"`` or ``"numpy"``.
        stream : int
            One of 2**64 streams of the same `rng`, none of which share a value: a layer's number.
        offset : int
            Index of the first value in its stream, so that parts drawn apart join into the whole.
        threads : int, optional
            The most threads to use; all that this process may, by default.

        Returns
        -------
        array
            `out`, or a new array in C order.

        Raises
        ------
        TypeError, ValueError
            For what cannot be drawn; nothing has been written then.
        """
        shape = as_shape(shape)
        if out is None:
            array = result = np.empty(shape, as_dtype("float32" if dtype is None else dtype))
        else:
            array, result = as_output(out, shape), out
            if dtype is not None and as_dtype(dtype) != array.dtype:
                raise ValueError(f"dtype is {dtype!r}, but out holds {array.dtype}")
        as_backend(backend)
        self._fill(array, rng=rng, backend=backend, stream=stream, offset=offset, threads=threads)
        return result

    @abstractmethod
    def _fill(
        self,
        out: np.ndarray,
        *,
        rng: RandomSource,
        backend: str,
        stream: int,
        offset: int,
        threads: int | None,
    ) -> None:
        """Fill a checked array."""

    @abstractmethod
    def mean(self, shape: Any) -> float:
        """Return the expected value of a weight of this shape."""

    @abstractmethod
    def std(self, shape: Any) -> float:
        """Return the standard deviation of a weight of this shape, over its entries and draws."""

    @abstractmethod
    def support(self, shape: Any) -> tuple[float, float]:
        """Return the smallest closed interval that holds every entry, possibly infinite."""

    def density(self, shape: Any, x: Any) -> np.ndarray | None:
        """Return the probability density of an entry at `x`, or None where there is none."""
        return None


class Independent(Initializer):
    """An initializer whose entries are independent draws from one law."""

    @abstractmethod
    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law of an entry of a weight of this shape."""

    def _fill(self, out: np.ndarray, **source: Any) -> None:
        self.law(out.shape).fill(out, **source)

    def mean(self, shape: Any) -> float:
        """Return the expected value of a weight of this shape."""
        return self.law(as_shape(shape)).mean

    def std(self, shape: Any) -> float:
        """Return the standard deviation of a weight of this shape."""
        return self.law(as_shape(shape)).std

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the smallest closed interval that holds every entry, possibly infinite."""
        return self.law(as_shape(shape)).support

    def density(self, shape: Any, x: Any) -> np.ndarray | None:
        """Return the probability density of an entry at `x`, or None where there is none."""
        return self.law(as_shape(shape)).density(np.asarray(x, dtype=np.float64))


INITIALIZERS: Registry[Initializer] = Registry("initializer", plugins="initperf.initializers")


def register(name: str, initializer: Initializer, aliases: tuple[str, ...] = ()) -> Initializer:
    """Add an initializer under its name and aliases; its file ends with these calls."""
    named = dataclasses.replace(initializer, name=name)
    return INITIALIZERS.register(name, named, aliases)
