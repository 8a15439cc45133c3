"""Initializers that are functions of a shape and a NumPy generator, and their decorator."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.rule import built
from initperf._core.source import Source
from initperf.errors import RuleError
from initperf.initializers._initializer import INITIALIZERS, Filler, Initializer, register

Function = Callable[[tuple[int, ...], np.random.Generator], Any]
"""``function(shape, rng)`` returns weights of the shape, drawn from a `numpy.random.Generator`."""


@dataclass(frozen=True, kw_only=True)
class FromFunction(Initializer):
    """The weights that a function returns.

    The generator is NumPy's Philox, keyed by seed and stream, so that a layer has the same
    weights in every run. Mean and standard deviation are declared, or else measured of the draw
    of seed 0.

    Attributes
    ----------
    function : callable
        Function of a shape and a `numpy.random.Generator`.
    declared_mean, declared_std : callable, optional
        Functions of a shape.
    """

    function: Function
    declared_mean: Callable[[tuple[int, ...]], float] | None = field(default=None, repr=False)
    declared_std: Callable[[tuple[int, ...]], float] | None = field(default=None, repr=False)
    divisible = False

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"function must be a function of (shape, rng), not {self.function!r}")

    def filler(self, out: np.ndarray) -> Filler:
        """Return what calls the function and checks what it returns."""
        return self._fill

    @property
    def is_users_own(self) -> bool:
        """Return True: the function is a user's."""
        return True

    def _fill(self, out: np.ndarray, source: Source) -> None:
        bits = np.random.Philox(key=np.array([source.key, source.stream], np.uint64))
        values = np.asarray(self.function(out.shape, np.random.Generator(bits)))
        if values.shape != out.shape:
            raise RuleError(
                f"{self.name or 'the function'} must return weights of shape {out.shape}, "
                f"not {values.shape}"
            )
        if values.dtype.kind not in "fiu":
            raise RuleError(
                f"{self.name or 'the function'} must return real numbers, not {values.dtype}"
            )
        out[...] = values

    def mean(self, shape: Any) -> float:
        """Return the declared expectation of an entry, or the mean of the draw of seed 0."""
        if self.declared_mean is not None:
            return self.guarded(_number, self.declared_mean, as_shape(shape))
        return float(self(shape, rng=0, dtype="float64").mean())

    def std(self, shape: Any) -> float:
        """Return the declared standard deviation of an entry, or that of the draw of seed 0."""
        if self.declared_std is not None:
            return self.guarded(_number, self.declared_std, as_shape(shape))
        return float(self(shape, rng=0, dtype="float64").std())

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the whole line: the function says nothing of bounds."""
        return -np.inf, np.inf


def _number(declared: Callable[[tuple[int, ...]], float], shape: tuple[int, ...]) -> float:
    return float(declared(shape))


@overload
def initializer(function: Function, /) -> Initializer: ...


@overload
def initializer(
    *,
    name: str = "",
    aliases: tuple[str, ...] = (),
    mean: Callable[[tuple[int, ...]], float] | None = None,
    std: Callable[[tuple[int, ...]], float] | None = None,
    **facts: Any,
) -> Callable[[Function], Initializer]: ...


def initializer(
    function: Function | None = None,
    /,
    *,
    name: str = "",
    aliases: tuple[str, ...] = (),
    mean: Callable[[tuple[int, ...]], float] | None = None,
    std: Callable[[tuple[int, ...]], float] | None = None,
    **facts: Any,
) -> Any:
    """Register a function as an initializer; a decorator, with arguments or without.

    The rule is then listed, drawn, trained, swept and reported by its name, as those of the
    package are. Decorated again, as in a notebook's cell that is run again, it replaces itself.

    Parameters
    ----------
    function : callable
        Function of a shape and a `numpy.random.Generator` that returns weights of this shape,
        (fan_in, fan_out) for a layer applied as ``x @ w``.
    name : str
        Name to register; by default the function's.
    aliases : tuple of str
        Other names.
    mean, std : callable, optional
        Functions of a shape: expectation and standard deviation of an entry. By default those of
        the draw of seed 0.
    **facts
        ``formula``, ``cite``, ``suits`` and ``in_report`` of `Initializer`.

    Returns
    -------
    Initializer
        In place of the function, or a decorator of one.

    Raises
    ------
    TypeError
        For anything but a function, and facts that an initializer does not have.
    ValueError
        When the name is that of another initializer.

    Examples
    --------
    >>> import initperf
    >>> @initperf.initializer(suits=("tanh",))
    ... def half_he(shape, rng):
    ...     return rng.normal(0.0, shape[0] ** -0.5, shape)
    >>> initperf.draw("half_he", (4, 3), rng=0).shape
    (4, 3)
    """
    if function is None:
        return lambda given: initializer_of(given, name, aliases, mean, std, **facts)
    return initializer_of(function, name, aliases, mean, std, **facts)


def initializer_of(
    function: Function,
    name: str,
    aliases: tuple[str, ...],
    mean: Callable[[tuple[int, ...]], float] | None,
    std: Callable[[tuple[int, ...]], float] | None,
    **facts: Any,
) -> Initializer:
    """Register a function; see `initializer`."""
    facts.setdefault("formula", (getattr(function, "__doc__", None) or "").split("\n")[0].strip())
    rule = FromFunction(function=function, declared_mean=mean, declared_std=std, **facts)
    chosen = name or getattr(function, "__name__", "")
    again = chosen in INITIALIZERS and isinstance(INITIALIZERS[chosen], FromFunction)
    return register(chosen, rule, aliases, replace=again)


def adopted(name: str, found: Any) -> Initializer | None:
    """Return what an object of a module is as an initializer, or None where it is none.

    Parameters
    ----------
    name : str
        Its name, ``module:object``.
    found : object
        An initializer, a class of them that needs no parameters, or a function of (shape, rng).
    """
    if isinstance(found, type) and issubclass(found, Initializer):
        found = built(name, found)
    if isinstance(found, Initializer):
        return replace(found, name=name)
    if callable(found) and not isinstance(found, type) and hasattr(found, "__code__"):
        return FromFunction(name=name, function=found)
    return None


INITIALIZERS.adopt = adopted
