"""Loading and compiling of kernels: without Numba's registries, and with a message.

Before it loads a cached function, Numba imports the implementations of all that it can compile:
arrays, strings, dictionaries, random numbers. That takes four times as long as the loading itself.
Loaded machine code needs none of them, but the functions of Numba's runtime that it is linked to.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core.runtime import rtsys

from initperf.jit.notice import CompileNotice

_NOTICE = CompileNotice()


def load_directly(jitted: Callable[..., Any]) -> None:
    """Let a jitted function load its code without the registries, and say when it must compile.

    Where Numba's cache is of another build than is known here, all stays as it is: slower.

    Parameters
    ----------
    jitted : callable
        As ``numba.njit(cache=True)`` returns it, or a plain function where the compiler is
        disabled.
    """
    cache = getattr(jitted, "_cache", None)
    if hasattr(cache, "_load_overload") and hasattr(cache, "_guard_against_spurious_io_errors"):
        cache.load_overload = functools.partial(_load, cache)  # type: ignore[union-attr]
        cache.save_overload = functools.partial(_save, cache.save_overload, cache.cache_path)  # type: ignore[union-attr]
    compiler = getattr(jitted, "_compiler", None)
    if hasattr(compiler, "compile"):
        name = getattr(jitted, "__qualname__", "")
        compiler.compile = functools.partial(_compile, name, compiler.compile)  # type: ignore[union-attr]


def _load(cache: Any, signature: Any, context: Any) -> Any:
    """Do what ``numba.core.caching.Cache.load_overload`` does, but refresh no registry."""
    rtsys.initialize(context)
    with cache._guard_against_spurious_io_errors():
        return cache._load_overload(signature, context)
    return None  # an error of reading was swallowed: compile


def _save(save: Callable[..., None], directory: str, *arguments: Any) -> None:
    """Save as Numba does, one process at a time.

    Numba numbers the files of a function: two processes that save different code of it at a time
    would give both the same number, and load the one for the other.
    """
    with _alone(Path(directory)):
        save(*arguments)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Wait until no other process is in such a block, where the system has locks for it."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (directory / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _compile(name: str, compile_function: Callable[..., Any], *arguments: Any) -> Any:
    """Compile as Numba does; where that takes long, say so."""
    with _NOTICE.compiling(name):
        return compile_function(*arguments)
