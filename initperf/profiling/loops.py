"""Vector widths and calls of libm in loops, read from the LLVM code that machine code is made of.

The arithmetic inside loops counts. Optimised LLVM code is the same text for every processor, with
vectors as wide as the loop was vectorised; what is wider than a register becomes several.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite.binding import TypeKind, ValueKind, parse_assembly
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_ARITHMETIC = re.compile(r"f?(add|sub|mul|neg)|fdiv|shl|[al]shr")
_COMPUTING_CALL = re.compile(
    r"llvm\.(fma|fmuladd|sqrt|floor|ceil|trunc|rint|nearbyint|round\w*|\w*(max|min)\w*)\..*"
)
_LIBM = {*dir(math), "exp10", "fma", "nearbyint", "rint", "round", "sincos", "tgamma"}
_FLOATS = (TypeKind.float, TypeKind.double)


@dataclass(frozen=True)
class Loops:
    """Findings in the loops of a function.

    Attributes
    ----------
    vector_bits : int
        Width of the widest register that a loop computes with; 0 where all arithmetic is scalar.
    packed, scalar : int
        Number of instructions in loops that compute on vectors, and on single floating-point
        numbers.
    libm, libm_once : tuple of str
        Functions of the C library's libm called in loops, one entry a call, and those called
        outside them, as by the text of an error message.
    instructions : int
        Number of all instructions, in loops or not.
    """

    vector_bits: int
    packed: int
    scalar: int
    libm: tuple[str, ...]
    libm_once: tuple[str, ...]
    instructions: int


def inspect(code: str, symbol: str, register_bits: int) -> Loops:
    """Read one function.

    Parameters
    ----------
    code : str
        A module as LLVM writes it, optimised.
    symbol : str
        The function's name in it.
    register_bits : int
        Width of the widest vector register.

    Raises
    ------
    ValueError
        When it is not there.
    """
    try:
        function = parse_assembly(code).get_function(symbol)
    except NameError:
        raise ValueError(f"the code has no function {symbol}") from None
    inside, outside = _parted_by_loops(function)
    widths = [width for one in inside if (width := _width(one)) is not None]
    return Loops(
        vector_bits=min(max(widths, default=0), register_bits),
        packed=sum(map(bool, widths)),
        scalar=widths.count(0),
        libm=tuple(sorted(filter(None, map(_libm, inside)))),
        libm_once=tuple(sorted(filter(None, map(_libm, outside)))),
        instructions=len(inside) + len(outside),
    )


def _parted_by_loops(function: Any) -> tuple[list[Any], list[Any]]:
    """Return the instructions that can be reached again from themselves, and the others."""
    blocks = {block: list(block.instructions) for block in function.blocks}
    places = {block: at for at, block in enumerate(blocks)}
    edges = [
        (places[block], places[operand])
        for block, instructions in blocks.items()
        for operand in instructions[-1].operands
        if operand.value_kind == ValueKind.basic_block
    ]
    size = len(blocks)
    graph = coo_array((np.ones(len(edges)), np.array(edges, int).reshape(-1, 2).T), (size, size))
    _, groups = connected_components(graph, connection="strong")
    looping = {groups[begin] for begin, end in edges if groups[begin] == groups[end]}
    inside: list[Any] = []
    outside: list[Any] = []
    for instructions, group in zip(blocks.values(), groups, strict=True):
        (inside if group in looping else outside).extend(instructions)
    return inside, outside


def _callee(instruction: Any) -> str:
    """Return the name of the function that an instruction calls, or an empty string."""
    if instruction.opcode != "call":
        return ""
    *_, called = instruction.operands
    return str(called.name) if called.value_kind == ValueKind.function else ""


def _width(instruction: Any) -> int | None:
    """Return the bits of vector arithmetic, 0 for scalar arithmetic of floats, else None."""
    computing = _ARITHMETIC.fullmatch(instruction.opcode)
    if not (computing or _COMPUTING_CALL.fullmatch(_callee(instruction))):
        return None
    result = instruction.type
    if result.is_vector:  # of one that is scalable, the least width: LLVM knows no other
        return int(result.element_count * next(result.elements).type_width)
    return 0 if result.type_kind in _FLOATS else None


def _libm(instruction: Any) -> str:
    """Return the function of libm that an instruction calls, or an empty string."""
    if instruction.opcode == "frem":
        return "fmod" if "double" in str(instruction.type) else "fmodf"
    callee = _callee(instruction)
    name, _, overload = callee.removeprefix("llvm.").partition(".")
    one_instruction = _COMPUTING_CALL.fullmatch(callee) or callee.startswith(
        ("llvm.copysign.", "llvm.fabs.")
    )
    one_instruction = one_instruction or name.removesuffix("f") == "sqrt"  # of the processor's too
    if one_instruction or not {name, name.removesuffix("f")} & _LIBM:
        return ""
    return f"{name}f" if overload.endswith("f32") else name
