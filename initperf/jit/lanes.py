"""Integers in vector registers, with Python's operators.

A compiler that vectorises a loop works on one vector of its values after the other. Where each is
one long chain of operations, that leaves the units idle while they wait for a result; several
vectors in turns do not. A function written for integers of NumPy, called with `Lanes`, puts out
the instructions for all vectors, each operation for every one before the next.
"""

from collections.abc import Callable
from typing import Any, SupportsInt, TypeAlias, Union

from llvmlite import ir

Operand: TypeAlias = Union["Lanes", SupportsInt]

_INDEX = ir.IntType(32)


class Lanes:
    """Integers of as many lanes as the compiler is to work on at once, in as many registers.

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
        """Return lanes that all hold a scalar."""
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
