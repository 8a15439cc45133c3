"""Digest of the sources outside this package that a function is compiled from.

Numba's cache key names a function that another closes over by module and qualified name, and so
does not change with its source. The cache directory of the package is named after the package's
own sources; code that a plug-in's functions are compiled into has a directory of its own below.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

_PACKAGE = Path(__file__).parents[1]


def outside_digest(function: Callable[..., Any]) -> str:
    """Return a digest of the source files outside this package, or "" if there are none.

    Parameters
    ----------
    function : callable
        Its own file counts, those of functions that it closes over, and, of functions outside
        the package, those of functions and modules that they find in their globals, and so on.
        A number imported from a further file does not count: import its module instead.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    files = sorted(path for path in _files(function) if _PACKAGE not in path.parents)
    if not files:
        return ""
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(function: Callable[..., Any]) -> set[Path]:
    files: set[Path] = set()
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        one = getattr(one, "py_func", one)
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, ModuleType):
            path = Path(getattr(one, "__file__", None) or "")
        elif isinstance(one, FunctionType):
            path = Path(one.__code__.co_filename)
            waiting += _closed_over(one)
            if _PACKAGE not in path.parents:  # those of the package refer to none outside
                waiting += [one.__globals__.get(name) for name in _names(one.__code__)]
        else:
            continue
        if path.is_file():
            files.add(path)
    return files


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet: a function that refers to itself
            continue


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
