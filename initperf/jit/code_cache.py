"""Cache of compiled code on disk: verified before it is loaded, and never needed for a run.

Numba's own cache unpickles whatever it finds: a damaged file stops every later run, or crashes
it, and a file that somebody else wrote runs as this user. Here each compiled function is one
file with a checksum. A damaged file is dropped and its function compiled anew; a directory that
others can write is not read; one that cannot be written is not written. Each says so once, in
one line of the log, which without a handler goes to standard error.

The file is named after a digest of what the code depends on: types of the arguments, processor,
bytecode and closure. Directories are named after digests of the sources, see
`initperf.jit.policy`.
"""

import functools
import hashlib
import logging
import pickle  # noqa: TID251  # code, not data: it is run anyway, and nobody else can write it
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba

from initperf._core.storage import make_directory
from initperf._core.trust import distrust
from initperf._core.uninterrupted import uninterrupted
from initperf.jit.internals import (
    dumps,
    initialize_runtime,
    missing,
    number_functions_apart,
    rebuilt,
    reduced,
    set_code_cache,
)
from initperf.jit.stored_code import DamagedError, DistrustedError, retrieve, store

_LOG = logging.getLogger("initperf.code_cache")
_SUFFIX = ".nbc"


@functools.cache
def _note(words: str) -> None:
    """Log a warning, the first time that it is given."""
    _LOG.warning("initperf: %s", words)


@functools.cache
def refusal(directory: Path) -> str:
    """Return why code in a directory is not loaded; "" if it is.

    The permissions are examined once a process.
    """
    return distrust(directory)


def kept(directory: Path) -> list[Path]:
    """Return the files of compiled code below a directory, without temporary ones."""
    return sorted(path for path in directory.rglob(f"*{_SUFFIX}") if not path.name.startswith("."))


def damaged(directory: Path) -> Iterator[tuple[Path, str]]:
    """Give each file of compiled code below a directory that would not be loaded, and why.

    Parameters
    ----------
    directory : pathlib.Path
        The directory; it need not exist.
    """
    for path in kept(directory):
        try:
            retrieve(path)
        except (DamagedError, DistrustedError, OSError) as error:
            yield path, str(error)


def keep_code(jitted: Any, directory: Path) -> None:
    """Let a jitted function keep its compiled code in a directory.

    Nothing is kept of a function without a source file, because the directory's name must tell
    one source from another, nor where numba lacks what that needs.

    Parameters
    ----------
    jitted : object
        As ``numba.njit`` returns it.
    directory : pathlib.Path
        Named after a digest of the sources; created when something is saved.
    """
    function = getattr(jitted, "py_func", None)  # without the compiler it is the function itself
    if function is None or missing("code cache"):
        return
    if Path(function.__code__.co_filename).is_file():
        number_functions_apart()
        set_code_cache(jitted, CodeCache(function, directory))


class CodeCache:
    """Cache of the code of one function, with the methods that numba's dispatchers call.

    Parameters
    ----------
    function : callable
        The Python function.
    directory : pathlib.Path
        Where its files are.
    """

    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._function, self._directory = function, directory
        module = function.__module__.rpartition(".")[2]
        name = re.sub(r"[^\w.]", "", f"{module}.{function.__qualname__}")[:100]
        line = function.__code__.co_firstlineno
        self._stem = f"{name}-{line}.{sys.implementation.cache_tag}"

    @property
    def cache_path(self) -> str:
        """The directory."""
        return str(self._directory)

    def flush(self) -> None:
        """Delete the files of the function."""
        for path in self._directory.glob(f"{self._stem}.*{_SUFFIX}"):
            _delete(path)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Return the compile result for a signature, or None where it must be compiled.

        Parameters
        ----------
        signature : tuple or numba.core.typing.Signature
            Types of the arguments.
        target_context : numba.core.cpu.CPUContext
            What the code is loaded into.
        """
        initialize_runtime(target_context)
        if words := refusal(self._directory):
            _note(f"compiled code is neither loaded nor kept: {words}; initperf doctor says more")
            return None
        key = self._key(signature, target_context.codegen())
        path = self._path(key)
        try:
            stored, parts = pickle.loads(retrieve(path))  # noqa: S301  # see the import
            if stored != key:
                raise DamagedError("holds the code of other types")
            # an exception between llvmlite's calls would leave code with two owners, or none,
            # and crash the process when it ends
            with uninterrupted():
                return rebuilt(target_context, parts)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except DistrustedError as error:
            _note(f"compiled code is not loaded: {error}")
        except OSError as error:
            _note(f"{self._directory}: compiled code cannot be read: {error.strerror or error}")
        except Exception as error:  # what a file of another release raises has many types
            _LOG.info("%s: %s", path, error)
            _delete(path)
            _note(f"{self._directory}: damaged files of compiled code are dropped, compiled anew")
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep a compile result for a signature, if it can be kept.

        Parameters
        ----------
        signature : tuple or numba.core.typing.Signature
            Types of the arguments.
        result : numba.core.compiler.CompileResult
            The compiled code.
        """
        if refusal(self._directory) or not self._is_cachable(result):
            return
        key = self._key(signature, result.codegen)
        content = dumps((key, reduced(result)))
        try:
            make_directory(self._directory)
            store(self._path(key), content)
        except OSError as error:
            _note(
                f"{self._directory}: cannot be written ({error.strerror or error}): "
                "what is compiled now is compiled again in the next process"
            )

    def _is_cachable(self, result: Any) -> bool:
        if not result.library.has_dynamic_globals and all(one.can_cache for one in result.lifted):
            return True
        name = self._function.__qualname__
        words = f"compiled code of {name} is not kept: it holds addresses or large arrays"
        warnings.warn(words, numba.NumbaWarning, stacklevel=2)
        return False

    def _key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        cells = self._function.__closure__ or ()
        closed_over = dumps(tuple(cell.cell_contents for cell in cells)) if cells else b""
        parts = (self._function.__code__.co_code, closed_over)
        digests = tuple(hashlib.sha256(part).hexdigest() for part in parts)
        return signature, codegen.magic_tuple(), digests

    def _path(self, key: tuple[Any, ...]) -> Path:
        digest = hashlib.blake2b(repr(key).encode(), digest_size=8).hexdigest()
        return self._directory / f"{self._stem}.{digest}{_SUFFIX}"


def _delete(path: Path) -> None:
    with suppress(OSError):  # it is read-only, or another process was first
        path.unlink()
