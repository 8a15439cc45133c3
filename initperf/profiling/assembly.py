"""Vector widths and calls of libm in the loops of machine code, read from its text.

The arithmetic instructions inside loops count, in LLVM's syntax for x86-64 and AArch64. Moves do
not: wide registers also copy arguments.
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

_LIBM = re.compile(
    r"\b_?((a?(sin|cos|tan)h?|atan2|cbrt|ceil|copysign|erfc?|exp(2|10|m1)?|fabs|floor|fma|fmod|frexp"
    r"|hypot|ldexp|log(2|10|1p)?|modf|nearbyint|pow|remainder|rint|round|sincos|sqrt|[lt]gamma|trunc"
    r")f?)\b"
)
_CALL = re.compile(r"(call\w*|jmp\w*|blr?|br?)\s+(.+)$")
# the register that a move writes: the last of x86's operands, the first of AArch64's
_MOVE = re.compile(r"(?:mov\w*|lea\w*)\s.*, ?(%r\w+)$|(?:mov\w?|adrp|ldr|add)\s+(x\d+),")
_COPY = re.compile(r"movq\s+(%r\w+), (%r\w+)$")
_REGISTER = re.compile(r"%r\w+|\bx\d+\b")


@dataclass(frozen=True)
class MachineCode:
    """Findings in the machine code of a function.

    Attributes
    ----------
    vector_bits : int
        Width of the widest vector that a loop computes with; 0 where all arithmetic is scalar.
    packed, scalar : int
        Number of instructions in loops that compute on vectors, and on single floating-point
        numbers.
    libm, libm_once : tuple of str
        Functions of the C library's libm called in loops, one entry a call, and those called
        outside them, as by the text of an error message.
    instructions : int
        Number of all instructions.
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
    widths = [width for at in in_loop if (width := _width(lines[at].strip())) is not None]
    calls = list(_libm(lines))
    return MachineCode(
        vector_bits=max(widths, default=0),
        packed=sum(map(bool, widths)),
        scalar=widths.count(0),
        libm=tuple(sorted(name for at, name in calls if at in in_loop)),
        libm_once=tuple(sorted(name for at, name in calls if at not in in_loop)),
        instructions=sum(not _LABEL.match(line) for line in lines),
    )


def _body(assembly: str, symbol: str) -> Iterator[str]:
    """Yield the lines of a function, without comments and directives."""
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
    """Return the bits of vector arithmetic, 0 for scalar arithmetic, None for all else."""
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
    """Yield line and name of each call of libm, direct or through a register."""
    held: dict[str, str] = {}
    for at, line in enumerate(lines):
        text = line.strip()
        name = found[1] if (found := _LIBM.search(text)) else ""
        if _CALL.match(text):
            through = (held[one] for one in _REGISTER.findall(text) if held.get(one))
            if name := name or next(through, ""):
                yield at, name
        elif move := _MOVE.match(text):
            copied = _COPY.match(text)
            held[move[1] or move[2]] = name or (held.get(copied[1], "") if copied else "")
