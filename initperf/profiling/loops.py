"""Vector widths and calls of libm in loops, read from the LLVM code that machine code is made of.

The arithmetic inside loops counts. Optimised LLVM code is the same text for every processor, with
vectors as wide as the loop was vectorised; what is wider than a register becomes several.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_INSTRUCTION = re.compile(r"(?:%\S+ = )?(?:(?:tail|notail|musttail) )?(\w+) (.*)")
_ARITHMETIC = re.compile(r"f?(add|sub|mul|neg)|fdiv|shl|[al]shr")
_COMPUTING_CALL = re.compile(
    r"@llvm\.(fma|fmuladd|sqrt|floor|ceil|trunc|rint|nearbyint|round\w*|\w*(max|min)\w*)\."
)
_VECTOR = re.compile(r"<(?:vscale x )?(\d+) x (?:i(\d+)|float|(double))>")
_CALLEE = re.compile(r'call .*?@"?(llvm\.)?(\w+?)(?:\.v?\d*(f32|f64))?"?\(')
_LIBM = {*dir(math), "exp10", "fma", "nearbyint", "rint", "round", "sincos", "tgamma"}
_LABEL = re.compile(r'"?([^\s"]+)"?:')
_TARGET = re.compile(r'label %"?([^\s",]+)')
_ENDS = ("br ", "ret ", "switch ", "unreachable")


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
    lines = list(_body(code, symbol))
    in_loop = _in_loops(lines)
    widths = [width for at in in_loop if (width := _width(lines[at])) is not None]
    calls = [(at, name) for at, line in enumerate(lines) if (name := _libm(line))]
    return Loops(
        vector_bits=min(max(widths, default=0), register_bits),
        packed=sum(map(bool, widths)),
        scalar=widths.count(0),
        libm=tuple(sorted(name for at, name in calls if at in in_loop)),
        libm_once=tuple(sorted(name for at, name in calls if at not in in_loop)),
        instructions=sum(not _LABEL.match(line) for line in lines),
    )


def _body(code: str, symbol: str) -> Iterator[str]:
    """Yield the labels and instructions of a function."""
    begin = re.search(rf'^define [^\n]*@"?{re.escape(symbol)}"?\(.*$', code, re.MULTILINE)
    if begin is None:
        raise ValueError(f"the code has no function {symbol}")
    body = code[begin.end() : code.index("\n}", begin.end())]
    body = re.sub(r"\[\n[^]]*\]", lambda cases: cases[0].replace("\n", ""), body)  # of a switch
    for line in map(str.strip, body.splitlines()):
        if line and not line.startswith(";"):
            yield line


def _in_loops(lines: list[str]) -> set[int]:
    """Return the lines that can be reached again from themselves."""
    labels = {found[1]: at for at, line in enumerate(lines) if (found := _LABEL.match(line))}
    edges = []
    for at, line in enumerate(lines):
        edges += [(at, labels[name]) for name in _TARGET.findall(line) if name in labels]
        if at + 1 < len(lines) and not line.startswith(_ENDS):
            edges.append((at, at + 1))
    size = len(lines)
    graph = coo_array((np.ones(len(edges)), np.array(edges).reshape(-1, 2).T), (size, size))
    count, groups = connected_components(graph, connection="strong")
    large = np.bincount(groups, minlength=count) > 1
    return set(np.flatnonzero(large[groups]).tolist())


def _width(line: str) -> int | None:
    """Return the bits of vector arithmetic, 0 for scalar arithmetic of floats, None for all else.

    The type of a result stands before the operands.
    """
    found = _INSTRUCTION.match(line)
    opcode, rest = found.groups() if found else ("", "")
    called = _COMPUTING_CALL.search(rest) if opcode == "call" else None
    if not (called or _ARITHMETIC.fullmatch(opcode)):
        return None
    result = rest[: called.start()] if called else rest.partition("%")[0]
    if vector := _VECTOR.search(result):
        lanes, bits, double = vector.groups()
        return int(lanes) * int(bits or (64 if double else 32))
    return 0 if re.search(r"\b(float|double)\b", result) else None


def _libm(line: str) -> str:
    """Return the function of libm that an instruction calls, or an empty string."""
    if " frem " in line:
        return "fmod" if "double" in line else "fmodf"
    if not (found := _CALLEE.search(line)):
        return ""
    intrinsic, name, dtype = found.groups()
    one_instruction = intrinsic and (_COMPUTING_CALL.search(line) or name in ("copysign", "fabs"))
    one_instruction = one_instruction or name.removesuffix("f") == "sqrt"  # of the processor's too
    if one_instruction or not {name, name.removesuffix("f")} & _LIBM:
        return ""
    return f"{name}{'f' * (dtype == 'f32')}"
