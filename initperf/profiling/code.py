"""Compiled functions of this process: names, code and addresses, and a map of them for perf."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from numba import types
from numba.extending import is_jitted

from initperf.jit.internals import missing
from initperf.jit.vectors import has_512_bits, host_features
from initperf.profiling.loops import Loops, inspect

_SHOWN = 3  # types of arguments
_LARGEST = 1 << 20  # bytes of a function


class Symbol(NamedTuple):
    """A function in memory: first address, most bytes that it can have, name."""

    address: int
    size: int
    name: str


@dataclass(frozen=True)
class Compiled:
    """A jitted function for one combination of types.

    Attributes
    ----------
    dispatcher : object
        Result of ``numba.njit``.
    arguments : tuple
        Types of the arguments.
    result : object
        Numba's compile result.
    """

    dispatcher: Any
    arguments: tuple[Any, ...]
    result: Any

    @property
    def name(self) -> str:
        """Name with short types: ``fill_normal(float32[], uint64, …)``."""
        name = self.dispatcher.py_func.__qualname__.replace(".<locals>", "")
        shown = [_short(kind) for kind in self.arguments[:_SHOWN]]
        return f"{name}({', '.join(shown)}{', …' if len(self.arguments) > _SHOWN else ''})"

    @property
    def is_kernel(self) -> bool:
        """Whether it was compiled to be called from Python, by the options of kernels."""
        return bool(self.dispatcher.targetoptions.get("nogil"))

    def loops(self) -> Loops:
        """Return what its loops compute with and call."""
        code = self.dispatcher.inspect_llvm(self.arguments)
        wide = 256 if "avx" in host_features() else 128
        bits = 512 if has_512_bits() else wide
        return inspect(code, self.result.fndesc.llvm_func_name, bits)

    def names(self) -> dict[str, str]:
        """Return readable names of its functions by their names in the machine code."""
        known = self.result.fndesc
        return {
            known.llvm_func_name: self.name,
            known.llvm_cpython_wrapper_name: f"{self.name} called from Python",
            known.llvm_cfunc_wrapper_name: f"{self.name} called from C",
        }


def _short(kind: Any) -> str:
    if isinstance(kind, types.Array):
        return f"{kind.dtype}[{',' * (kind.ndim - 1)}]"
    return kind.name if isinstance(kind, (types.Number, types.Boolean)) else type(kind).__name__


def compiled_functions() -> list[Compiled]:
    """Return the functions that Numba has compiled in this process and that are still alive.

    There are none where numba lacks the private names by which they are read.
    """
    if missing("compiled functions"):
        return []
    return [
        Compiled(found, arguments, result)
        for found in gc.get_objects()
        if is_jitted(found)
        for arguments, result in found.overloads.items()
    ]


def symbols() -> list[Symbol]:
    """Return the functions in the machine code of all compiled functions, by address.

    Each reaches to the next at most: what lies between two in memory is never run.
    """
    compiled = compiled_functions()
    names = {raw: words for one in compiled for raw, words in one.names().items()}
    found: dict[int, str] = {}
    for library in (one.result.library for one in compiled):
        for raw in (function.name for function in library.get_defined_functions()):
            found[library.get_pointer_to_function(raw)] = names.get(raw, raw)
    found.pop(0, None)  # of functions that exist only within their callers
    begins = sorted(found)
    return [
        Symbol(begin, min(end - begin, _LARGEST), found[begin])
        for begin, end in zip_longest(begins, begins[1:], fillvalue=sys.maxsize)
    ]


@contextmanager
def mapped() -> Iterator[Path]:
    """Keep a map of this process's machine code where perf looks for it, during the block.

    Yields
    ------
    pathlib.Path
        The file; a line for each function: address and size in hexadecimal, and the name.
    """
    path = Path(f"/tmp/perf-{os.getpid()}.map")  # the name that perf knows
    path.unlink(missing_ok=True)  # left by an earlier process of this number
    with path.open(
        "x", encoding="utf-8"
    ) as file:  # never through a link that another user put there
        file.writelines(f"{one.address:x} {one.size:x} {one.name}\n" for one in symbols())
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
