"""Integers in vector registers, with Python's operators.

A compiler that vectorises a loop computes one vector of values after the other. Where a value is
one long chain of dependent operations, the units then wait for each result; interleaving several
vectors hides that latency. A function written for NumPy's integers, called with `Lanes`, emits
the instructions of all vectors, each operation for every one of them before the next.
"""

from collections.abc import Callable
from typing import Any, SupportsInt, TypeAlias, Union

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

Operand: TypeAlias = Union["Lanes", SupportsInt]

_INDEX = ir.IntType(32)


class Lanes:
    """Integers of several lanes, computed on together in as many registers as they need.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
        Where instructions go.
    value : llvmlite.ir.Value
        A vector of integers.
    """

    __array_ufunc__ = None  # NumPy's scalars leave operators to this class

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    @classmethod
    def spread(cls, builder: Any, scalar: Any, count: int) -> "Lanes":
        """Return lanes that all hold a scalar.

        Parameters
        ----------
        builder : llvmlite.ir.IRBuilder
            Where instructions go.
        scalar : llvmlite.ir.Value
            An integer.
        count : int
            Number of lanes.
        """
        undefined = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
        single = builder.insert_element(undefined, scalar, _INDEX(0))
        first = ir.Constant(ir.VectorType(_INDEX, count), [0] * count)
        return cls(builder, builder.shuffle_vector(single, undefined, first))

    def _with(self, operation: Callable[[Any, Any], Any], other: Operand) -> "Lanes":
        if isinstance(other, Lanes):
            return Lanes(self.builder, operation(self.value, other.value))
        kind = self.value.type
        constant = ir.Constant(kind, [int(other)] * kind.count)
        return Lanes(self.builder, operation(self.value, constant))

    def __add__(self, other: Operand) -> "Lanes":
        return self._with(self.builder.add, other)

    def __mul__(self, other: Operand) -> "Lanes":
        return self._with(self.builder.mul, other)

    def __and__(self, other: Operand) -> "Lanes":
        return self._with(self.builder.and_, other)

    def __xor__(self, other: Operand) -> "Lanes":
        return self._with(self.builder.xor, other)

    def __rshift__(self, other: Operand) -> "Lanes":
        return self._with(self.builder.lshr, other)

    __rmul__ = __mul__


def interleaved(function: Callable[..., tuple[Any, ...]], count: int) -> Callable[..., None]:
    """Return compiled code's way to write the words of many consecutive counters at a time.

    Parameters
    ----------
    function : callable
        ``function(counter, high, key, stream)`` returns a tuple of words; called with `Lanes`.
    count : int
        Number of counters.

    Returns
    -------
    callable
        ``write(words, low, high, key, stream)``, for compiled code only, where `words` is a
        contiguous 1-D array of uint32 and the others are uint64: evaluates `function` for the
        counters from `low` on and stores the lower 32 bits, the first words of all counters
        before their second words and so on.
    """

    @intrinsic
    def write(typing: Any, words: Any, low: Any, high: Any, key: Any, stream: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            target = context.make_array(words)(context, builder, arguments[0]).data
            first, *others = (Lanes.spread(builder, each, count) for each in arguments[1:])
            steps = ir.Constant(first.value.type, list(range(count)))
            made = function(first + Lanes(builder, steps), *others)
            narrow = ir.VectorType(ir.IntType(32), count)
            for i, word in enumerate(made):
                place = builder.gep(target, [ir.IntType(64)(i * count)])
                store = builder.store(
                    builder.trunc(word.value, narrow), builder.bitcast(place, narrow.as_pointer())
                )
                store.align = words.dtype.bitwidth // 8
            return context.get_dummy_value()

        return types.void(words, low, high, key, stream), generate

    native: Callable[..., None] = write
    return native
