"""What the text of machine code says: how wide its loops compute, and which of libm they call.

Counted are the arithmetic instructions inside loops, in the syntax that LLVM writes for x86-64
and AArch64. Moves do not count: wide registers also copy arguments around.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_X86_PACKED = re.compile(
    r"v?(add|sub|mul|div|sqrt|max|min|rndscale|round|fn?m(add|sub)\d*)p[sd]$"
    r"|vp?(add|sub|mul|mull|muludq|muldq|mulhu|madd\w*|sll|srl|sra|sllv|srlv|srav|min[su]|max[su])"
    r"[bwdq]*$|p(add|sub|mull|mul|sll|srl|sra)\w*$"
)
_X86_SCALAR = re.compile(r"v?(add|sub|mul|div|sqrt|max|min|fn?m(add|sub)\d*)s[sd]$")
_X86_WIDTHS = (("zmm", 512), ("ymm", 256), ("xmm", 128), ("mm", 64))
_ARM_ARITHMETIC = re.compile(
    r"(f?(add|sub|mul|div|sqrt|mla|mls|max|min|neg|abs)|fn?m(add|sub)|[us](shr|shl|mull2?))(\.\w+)?$"
)
_ARM_LANES = re.compile(r"\bv\d+\.\d+[bhsd]\b|^\w+\.\d+[bhsd]\b")
_ARM_SCALABLE = re.compile(r"\bz\d+\.[bhsd]\b")
_ARM_FLOAT = re.compile(r"\b[sd]\d+\b")
_ARM_WIDTH = 128
_LABEL = re.compile(r"\s*\"?([^\s\"#]+)\"?:")
_JUMP = re.compile(r"(j\w+|b|b\.\w+|cbn?z|tbn?z)\s.*?(\.?L\w+)\s*$")

_ENDS = re.compile(r"(jmp\w*|ret\w*|ud2|b|br)\b(?!\.)")

_LIBM = frozenset(
    name + suffix
    for name in (
        *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign"),
        *("cos", "cosh", "erf", "erfc", "exp", "exp2", "exp10", "expm1", "fabs", "floor", "fma"),
        *("fmod", "frexp", "hypot", "ldexp", "lgamma", "log", "log10", "log1p", "log2", "modf"),
        *("nearbyint", "pow", "remainder", "rint", "round", "sin", "sincos", "sinh", "sqrt"),
        *("tan", "tanh", "tgamma", "trunc"),
    )
    for suffix in ("", "f")
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_CALL = re.compile(r"(call\w*|jmp\w*|blr?|br?)\s+(.+)$")
_MOVE = re.compile(r"(?:mov\w*|lea\w*)\s.*, ?(%r\w+)$|(?:mov\w?|adrp|ldr|add)\s+(x\d+),")
_COPY = re.compile(r"movq\s+(%r\w+), (%r\w+)$")
_REGISTER = re.compile(r"%r\w+|\bx\d+\b")


@dataclass(frozen=True)
class MachineCode:
    """What was found in the machine code of a function.

    Attributes
    ----------
    vector_bits : int
        The widest vector that a loop computes with; 0 where all arithmetic is scalar.
    packed, scalar : int
        How many instructions in loops compute on vectors, and on single floating-point numbers.
    libm, libm_once : tuple of str
        The functions of the C library's libm that are called in loops, one entry a call, and
        those that are called elsewhere, as by the making of an error message.
    instructions : int
        How many instructions there are in all.
    """

    vector_bits: int
    packed: int
    scalar: int
    libm: tuple[str, ...]
    libm_once: tuple[str, ...]
    instructions: int


def inspect(assembly: str, symbol: str) -> MachineCode:
    """Read the machine code of one function.

    Parameters
    ----------
    assembly : str
        As LLVM writes it for x86-64 or AArch64.
    symbol : str
        The function's name in it.

    Raises
    ------
    ValueError
        When it is not there.
    """
    lines = list(_body(assembly, symbol))
    in_loop = _in_loops(lines)
    widths, scalar = [], 0
    for at in in_loop:
        width = _width(lines[at].strip())
        if width:
            widths.append(width)
        scalar += width == 0
    calls = list(_libm(lines))
    return MachineCode(
        vector_bits=max(widths, default=0),
        packed=len(widths),
        scalar=scalar,
        libm=tuple(sorted(name for at, name in calls if at in in_loop)),
        libm_once=tuple(sorted(name for at, name in calls if at not in in_loop)),
        instructions=sum(not _LABEL.match(line) for line in lines),
    )


def _body(assembly: str, symbol: str) -> Iterator[str]:
    """Give the lines of a function, without comments and directives."""
    inside = False
    for line in assembly.splitlines():
        label = _LABEL.match(line)
        name = label.group(1) if label else ""
        if not inside:
            inside = name in (symbol, f"_{symbol}")
        elif name.lstrip(".").startswith("Lfunc_end"):
            return
        elif label or (line.strip() and not line.lstrip().startswith((".", "#", ";", "//"))):
            yield line
    if not inside:
        raise ValueError(f"the machine code has no function {symbol}")


def _in_loops(lines: list[str]) -> set[int]:
    """Return the lines that can be reached again from themselves."""
    labels = {found.group(1): at for at, line in enumerate(lines) if (found := _LABEL.match(line))}
    edges = []
    for at, line in enumerate(lines):
        text = line.strip()
        jump = _JUMP.match(text)
        if jump and jump.group(2) in labels:
            edges.append((at, labels[jump.group(2)]))
        if at + 1 < len(lines) and not _ENDS.match(text):
            edges.append((at, at + 1))
    size = len(lines)
    graph = coo_array((np.ones(len(edges)), np.array(edges).reshape(-1, 2).T), (size, size))
    count, groups = connected_components(graph, connection="strong")
    large = np.bincount(groups, minlength=count) > 1
    return set(np.flatnonzero(large[groups]).tolist())


def _width(instruction: str) -> int | None:
    """Return the bits of a vector instruction, 0 for scalar arithmetic, None for all else."""
    mnemonic, _, operands = instruction.partition("\t")
    mnemonic = mnemonic.split(" ", 1)[0]
    if "%" in operands:
        if _X86_PACKED.match(mnemonic):
            return next((bits for name, bits in _X86_WIDTHS if f"%{name}" in operands), None)
        return 0 if _X86_SCALAR.match(mnemonic) else None
    if _ARM_ARITHMETIC.match(mnemonic):
        if _ARM_LANES.search(f"{mnemonic} {operands}") or _ARM_SCALABLE.search(operands):
            return _ARM_WIDTH
        return 0 if _ARM_FLOAT.search(operands) else None
    return None


def _libm(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Give the line and the name of each call of libm, direct or through a register."""
    held: dict[str, str] = {}
    for at, line in enumerate(lines):
        text = line.strip()
        name = next((found for found in _names(text) if found in _LIBM), None)
        registers = _REGISTER.findall(text)
        if _CALL.match(text):
            reached = name or next((held[one] for one in registers if held.get(one)), None)
            if reached:
                yield at, reached
        elif written := _written(text):
            copied = _COPY.match(text)
            held[written] = name or (held.get(copied.group(1), "") if copied else "")


def _written(instruction: str) -> str | None:
    """Return the general register that a move writes: the last for x86, AArch64's first."""
    found = _MOVE.match(instruction)
    return (found.group(1) or found.group(2)) if found else None


def _names(text: str) -> Iterator[str]:
    return (word.removeprefix("_") for word in _WORD.findall(text))
