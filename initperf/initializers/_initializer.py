"""Base classes of initializers, and their registry."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np

from initperf._core.arguments import as_index, shown
from initperf._core.arrays import as_dtype, as_numbers, as_output, as_shape, too_large
from initperf._core.dtypes import as_rounded_dtype, narrowed
from initperf._core.keys import RandomSource
from initperf._core.registry import Registry
from initperf._core.rule import Rule
from initperf._core.source import Source
from initperf.initializers._distributions import Distribution
from initperf.initializers._rounding import Caps, caps, check_narrow

Filler: TypeAlias = Callable[[np.ndarray, Source], None]
"""``filler(out, source)`` fills an array that has been checked from a source."""


@dataclass(frozen=True, kw_only=True)
class Initializer(Rule, ABC):
    """A rule that fills a weight; see `initperf._core.rule.Rule`.

    Attributes
    ----------
    in_report : bool
        Whether ``initperf report`` trains networks from it without being asked to: False for a
        rule that is no candidate for all layers of a perceptron, or that equals another up to
        its scale.
    divisible : bool
        Of the class: whether a part of a weight can be drawn alone, from an `offset`.
    """

    in_report: bool = field(default=True, compare=False, repr=False)
    divisible: ClassVar[bool] = True

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
            ``"float32"``, the default, or ``"float64"``; with `out`, the dtype of `out`. Without
            `out` also ``"float16"`` or ``"bfloat16"`` (of the package ml_dtypes): drawn as float32
            and rounded to nearest, but not past a bound of independent entries.
        out : array, optional
            Filled and returned instead of a new array; see `initperf._core.arrays.as_output`.
        backend : str
            ``"numba"`` or ``"numpy"``: the same values, at different speeds; to rounding where
            matrices are multiplied, as for ``"orthogonal"``.
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
            For what cannot be drawn; nothing has been written then, and a generator has not been
            advanced. A user's own rule that fails while it draws raises a
            `initperf.errors.RuleError`, a ValueError too.
        """
        shape = as_shape(shape)
        rounded = None
        try:
            if out is None:
                if dtype is not None:
                    rounded = as_rounded_dtype(dtype)
                drawn = "float32" if dtype is None or rounded is not None else dtype
                array = result = np.empty(shape, as_dtype(drawn))
            else:
                array, result = as_output(out, shape), out
                if dtype is not None and as_dtype(dtype) != array.dtype:
                    raise ValueError(f"dtype is {dtype!r}, but out holds {array.dtype}")
            if not self.divisible and as_index("offset", offset):
                raise ValueError(
                    f"{self.family} weights cannot be drawn in parts; offset must be 0"
                )
            size = array.size
            try:
                filler = self.filler(array) if size else self._filler_of_nothing(array)
                limits = self._caps(shape, rounded) if size and rounded is not None else None
            except Exception as error:
                self.blame(error)
                raise
            source = Source.checked(
                size, rng=rng, stream=stream, offset=offset, backend=backend, threads=threads
            )
            try:
                filler(array, source)
            except Exception as error:
                self.blame(error)
                raise
            if limits is not None:
                np.clip(array, *limits, out=array)
            return result if rounded is None else narrowed(array, rounded)
        except MemoryError:
            raise too_large("shape", shape) from None

    def _filler_of_nothing(self, out: np.ndarray) -> Filler:
        """Check an array without elements as one of lengths 1 instead of 0; fill nothing."""
        lengths = tuple(max(1, length) for length in out.shape)
        self.filler(np.broadcast_to(np.zeros((), out.dtype), lengths))
        return lambda out, source: None

    def _caps(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Caps | None:
        """Return bounds of float32 values that rounding to a dtype keeps within the support."""
        return None

    def draw_into(self, out: np.ndarray, source: Source) -> None:
        """Draw weights into an array from a source, both of which have been checked.

        Parameters
        ----------
        out : numpy.ndarray
            Float32 or float64, writable, its elements apart from each other.
        source : Source
            Source of the values.

        Raises
        ------
        ValueError
            Where the array cannot hold the weights; nothing has been written then.
        """
        try:
            self.filler(out)(out, source)
        except Exception as error:
            self.blame(error)
            raise

    @abstractmethod
    def filler(self, out: np.ndarray) -> Filler:
        """Check that an array can hold the weight, and return what fills it.

        Parameters
        ----------
        out : numpy.ndarray
            Float32 or float64, writable, of any layout; only its shape, dtype and layout may be
            read here.

        Raises
        ------
        ValueError
            When its shape or dtype does not do.
        """

    @abstractmethod
    def mean(self, shape: Any) -> float:
        """Return the expectation of an entry of a weight of this shape."""

    @abstractmethod
    def std(self, shape: Any) -> float:
        """Return the standard deviation of an entry, over the entries of a weight and draws."""

    @abstractmethod
    def support(self, shape: Any) -> tuple[float, float]:
        """Return the smallest closed interval that holds every entry, possibly infinite."""

    def density(self, shape: Any, x: Any) -> np.ndarray | None:
        """Return the probability density of an entry, or None where there is none.

        Parameters
        ----------
        shape : int or tuple of int
            Shape of the weight.
        x : array_like
            Values of the entry.
        """
        return None


class Independent(Initializer):
    """An initializer whose entries are independent draws from one distribution."""

    @abstractmethod
    def distribution_of(self, shape: tuple[int, ...]) -> Distribution:
        """Return the distribution of an entry of a weight of this shape."""

    def filler(self, out: np.ndarray) -> Filler:
        """Return the fill of the distribution, checked to fit into the dtype of `out`."""
        distribution = self.distribution_of(out.shape)
        distribution.check(out.dtype)
        return distribution.fill

    def _caps(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Caps | None:
        """Return bounds of float32 values that rounding to a dtype keeps within the support."""
        distribution = self.distribution_of(shape)
        check_narrow(distribution, dtype.name)
        return caps(distribution.support, dtype.name)

    def mean(self, shape: Any) -> float:
        """Return the expectation of an entry of a weight of this shape."""
        return self.distribution_of(as_shape(shape)).mean

    def std(self, shape: Any) -> float:
        """Return the standard deviation of an entry of a weight of this shape."""
        return self.distribution_of(as_shape(shape)).std

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the smallest closed interval that holds every entry, possibly infinite."""
        return self.distribution_of(as_shape(shape)).support

    def density(self, shape: Any, x: Any) -> np.ndarray | None:
        """Return the probability density of an entry, or None where there is none.

        Parameters
        ----------
        shape : int or tuple of int
            Shape of the weight.
        x : array_like
            Values of the entry.
        """
        return self.distribution_of(as_shape(shape)).density(as_numbers("x", x))


INITIALIZERS: Registry[Initializer] = Registry("initializer", plugins="initperf.initializers")


def as_initializer(rule: Any) -> Initializer:
    """Return the initializer of a name; an initializer is returned unchanged.

    Parameters
    ----------
    rule : str or Initializer
        A name of ``INITIALIZERS``, an alias, or an initializer.

    Raises
    ------
    TypeError
        For anything else, such as a function or a mapping.
    initperf._core.registry.UnknownNameError
        For an unknown name; the message names the nearest.
    """
    if isinstance(rule, str):
        return INITIALIZERS[rule]
    if isinstance(rule, Initializer):
        return rule
    raise TypeError(f"an initializer must be a name or an Initializer, not {shown(rule)}")


def register(
    name: str, initializer: Initializer, aliases: tuple[str, ...] = (), *, replace: bool = False
) -> Initializer:
    """Add an initializer to INITIALIZERS; the file that defines it ends with such calls.

    Parameters
    ----------
    name : str
        Its canonical name.
    initializer : Initializer
        The rule.
    aliases : tuple of str
        Other names of it.
    replace : bool
        Whether it takes the place of one of the same canonical name.

    Returns
    -------
    Initializer
        The rule, which knows its name.

    Raises
    ------
    ValueError
        When a name or an alias is taken already.
    """
    named = dataclasses.replace(initializer, name=name)
    return INITIALIZERS.register(name, named, aliases, replace=replace)
