"""Compiler options of all kernels, their cache of machine code, and portable functions.

The only module that knows the options of ``numba.njit``. A kernel is compiled at its first call
for each combination of types, releases the global interpreter lock, follows IEEE arithmetic as
written (no reassociation, no fused multiply-add) and divides as NumPy does. The cache directory is
named after a digest of all compiled sources, the versions of the compiler and those settings of
numba that its own cache key leaves out, so that stale machine code is never run; code that is
compiled from a plug-in's sources too has a directory below, named after a digest of these.
"""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
import numba.extending
import numpy as np
from llvmlite import ir

from initperf._core.storage import cache_directory
from initperf.jit.outside import outside_digest
from initperf.jit.vectors import WideCompiler

Function = Callable[..., Any]


F = TypeVar("F", bound=Function)


_COMMON: dict[str, Any] = {"error_model": "numpy", "pipeline_class": WideCompiler}


_OPTIONS = _COMMON | {"nogil": True, "cache": True}


INLINED = _COMMON | {"forceinline": True, "fastmath": False}


_SUMS: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}}


_COMPILED = ("jit/*.py", "kernels/*.py", "activations.py", "optimizers.py")
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")


_decorating = threading.Lock()


def _source_digest() -> str:
    package = Path(__file__).parents[1]
    sources = [source for pattern in _COMPILED for source in package.glob(pattern)]
    versions = numba.__version__, llvmlite.__version__, np.__version__
    settings = [getattr(numba.config, name, None) for name in _SETTINGS]
    digest = hashlib.sha256(repr((versions, settings)).encode())
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


CODE_CACHE = cache_directory("code", _source_digest())


def _decorate(function: Function, **options: Any) -> Function:
    with _decorating:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(CODE_CACHE / outside_digest(function))
        try:
            jitted: Function = numba.njit(**_OPTIONS, **options)(function)
            return jitted
        finally:
            numba.config.CACHE_DIR = before


def jit(function: Function) -> Function:
    """Compile a function by the one policy of this project, at its first call."""
    return _decorate(function)


def jit_sums(function: Function) -> Function:
    """Compile as `jit` does, but let sums be regrouped and fused so that they run as vectors.

    Infinities and NaN keep their meaning; the last bits depend on the processor.
    """
    return _decorate(function, **_SUMS)


def portable(function: F) -> F:
    """Let compiled code call a function that stays plain Python for everybody else.

    What is written so runs as NumPy on arrays and, compiled into its callers, on scalars.
    """
    registered: F = numba.extending.register_jitable(**INLINED)(function)
    return registered


def portable_sums(function: F) -> F:
    """Do as `portable` does with the freedom of `jit_sums`."""
    registered: F = numba.extending.register_jitable(**(INLINED | _SUMS))(function)
    return registered


def like(x: Any, value: float) -> Any:
    """Return a constant in the dtype of `x`, a NumPy array or scalar."""
    return x.dtype.type(value)


@numba.extending.overload(like, jit_options=INLINED)
def _like(x, value):  # type: ignore[no-untyped-def]  # numba compares the bare parameters
    kind = np.float32 if getattr(x, "dtype", x) == numba.types.float32 else np.float64
    return lambda x, value: kind(value)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Select as ``np.where`` does; compiled, a select without a branch on scalars."""
    return np.where(condition, yes, no)


numba.extending.overload(where, jit_options=INLINED)(
    lambda condition, yes, no: lambda condition, yes, no: yes if condition else no
)


def held(constant: Any) -> Any:
    """Return a float constant as it is, its value hidden from the compiler.

    A loop keeps a value that it cannot know as a whole vector on the stack, and reads it from
    there as part of an operation. A known constant it fetches and spreads anew for each vector:
    two instructions more, which a loop of many constants has no room for.
    """
    return constant


@numba.extending.intrinsic
def _hide(_, constant):  # type: ignore[no-untyped-def]  # numba asks for bare parameters
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        bits = ir.IntType(constant.bitwidth)
        assembly = ir.InlineAsm(ir.FunctionType(bits, (bits,)), "", "=r,0")
        hidden = builder.call(
            assembly, [builder.bitcast(value, bits)], attrs=("nounwind", "readnone")
        )
        return builder.bitcast(hidden, value.type)

    return constant(constant), generate


numba.extending.overload(held, jit_options=INLINED)(
    lambda constant: lambda constant: _hide(constant)
)


def by_dtype(single: Function, double: Function) -> Function:
    """Join two functions into one that takes the float32 or the float64 half.

    The dtype of the first argument, an array or a scalar, decides: when compiling in compiled
    code, when called elsewhere. Both halves take the same arguments.
    """

    def chosen(first: Any, *rest: Any) -> Any:
        return (single if first.dtype == np.float32 else double)(first, *rest)

    def half_of(kind: Any) -> Function:
        return single if getattr(kind, "dtype", kind) == numba.types.float32 else double

    def compiled(half: Function) -> Function:
        return lambda first, *rest: half(first, *rest)

    # numba compares the two lambdas' parameters, which is why they carry no annotations
    numba.extending.overload(chosen, jit_options=INLINED)(
        lambda first, *rest: compiled(half_of(first))
    )
    return chosen
