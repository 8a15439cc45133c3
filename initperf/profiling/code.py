"""Compiled functions of this process: names, addresses and sizes, and a map of them for perf.

Numba keeps the object file of each function that it will cache. The file lists every symbol with
its size and its offset in a section; the address in memory of one symbol, known to the execution
engine, gives those of all others in its section. Functions loaded from the cache have no object
file, so symbols need a process that compiles.
"""

import gc
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from elftools.elf.elffile import ELFFile
from numba import types
from numba.extending import is_jitted

_SHOWN = 3  # types of arguments


class Symbol(NamedTuple):
    """A function in memory: first address, size in bytes, name."""

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
    def symbol(self) -> str:
        """Name in the machine code."""
        return str(self.result.fndesc.llvm_func_name)

    @property
    def is_kernel(self) -> bool:
        """Whether it was compiled to be called from Python, by the options of kernels."""
        return bool(self.dispatcher.targetoptions.get("nogil"))

    def assembly(self) -> str:
        """Return the machine code as text, which LLVM writes anew."""
        return str(self.dispatcher.inspect_asm(self.arguments))


def _short(kind: Any) -> str:
    if isinstance(kind, types.Array):
        return f"{kind.dtype}[{',' * (kind.ndim - 1)}]"
    return kind.name if isinstance(kind, (types.Number, types.Boolean)) else type(kind).__name__


def compiled_functions() -> list[Compiled]:
    """Return the functions that Numba has compiled in this process and that are still alive."""
    return [
        Compiled(found, arguments, result)
        for found in gc.get_objects()
        if is_jitted(found)
        for arguments, result in found.overloads.items()
    ]


def symbols() -> list[Symbol]:
    """Return the functions in the machine code of all compiled functions, by address."""
    return sorted({symbol for one in compiled_functions() for symbol in _symbols(one)})


def _symbols(one: Compiled) -> Iterator[Symbol]:
    try:
        _, _, (object_code, _) = one.result.library.serialize_using_object_code()
    except RuntimeError:  # it came from a cache
        return
    table = ELFFile(io.BytesIO(object_code)).get_section_by_name(".symtab")
    found = {
        entry.name: entry
        for entry in table.iter_symbols()
        if entry["st_info"]["type"] == "STT_FUNC" and entry["st_size"]
    }
    known = found[one.symbol]
    address = one.result.library.get_pointer_to_function(one.symbol)
    names = {
        one.symbol: one.name,
        one.result.fndesc.llvm_cpython_wrapper_name: f"{one.name} called from Python",
        one.result.fndesc.llvm_cfunc_wrapper_name: f"{one.name} called from C",
    }
    for name, entry in found.items():
        if entry["st_shndx"] == known["st_shndx"]:
            offset = entry["st_value"] - known["st_value"]
            yield Symbol(int(address + offset), entry["st_size"], names.get(name, name))


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
    with path.open("x") as file:  # never through a link that another user put there
        file.writelines(f"{one.address:x} {one.size:x} {one.name}\n" for one in symbols())
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
