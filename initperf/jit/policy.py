"""Compiler options of all kernels, their cache of machine code, and portable functions.

No other module passes options to ``numba.njit``. A kernel is compiled at its first call for each
combination of types, releases the global interpreter lock, follows IEEE arithmetic as written (no
reassociation, no fused multiply-add) and divides as NumPy does. The cache directory is named
after a digest of all compiled sources, the versions of the compiler and the settings of numba
that its own cache key omits, so that stale machine code is never run; code that is compiled from
a plug-in's sources too has a directory below, named after a digest of these.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
import numba.extending
import numpy as np
from llvmlite import ir

from initperf._core.parallel import HELPERS
from initperf._core.storage import code_directory
from initperf.jit.code_cache import keep_code
from initperf.jit.garbage import pause_collection
from initperf.jit.internals import missing, wrap_compilation
from initperf.jit.notice import announce
from initperf.jit.outside import outside_digest
from initperf.jit.vectors import PIPELINE

Function = Callable[..., Any]


F = TypeVar("F", bound=Function)

_COMMON: dict[str, Any] = {"error_model": "numpy"} | PIPELINE
_OPTIONS = _COMMON | {"nogil": True, "no_cfunc_wrapper": True}
_SUMS: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz"}}

INLINED = _COMMON | {"forceinline": True, "fastmath": False}
"""Options of functions that are compiled into their callers."""

_COMPILED = ("jit/*.py", "kernels/*.py", "activations.py", "losses.py", "optimizers.py")
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")


def _source_digest() -> str:
    package = Path(__file__).parents[1]
    sources = [source for pattern in _COMPILED for source in package.glob(pattern)]
    versions = numba.__version__, llvmlite.__version__, np.__version__
    settings = [getattr(numba.config, name, None) for name in _SETTINGS]
    digest = hashlib.sha256(repr((versions, settings)).encode())
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


CODE_CACHE = code_directory(_source_digest())


def _decorate(function: Function, **options: Any) -> Function:
    if missing("instructions"):
        return function
    jitted: Function = numba.njit(**_OPTIONS, **options)(function)
    keep_code(jitted, CODE_CACHE / outside_digest(function))
    announce(jitted)
    pause_collection(jitted)
    wrap_compilation(jitted, _compile_unconfined)
    return jitted


def _compile_unconfined(compile_function: Function, *arguments: Any) -> Any:
    with HELPERS.unconfined():
        return compile_function(*arguments)


def jit(function: Function) -> Function:
    """Return a function that is compiled by the policy of this project at its first call."""
    return _decorate(function)


def jit_sums(function: Function) -> Function:
    """Compile as `jit` does, but allow sums to be reassociated and fused, so that they vectorise.

    Infinities and NaN are kept; the last bits depend on the processor.
    """
    return _decorate(function, **_SUMS)


def portable(function: F) -> F:
    """Return a Python function that compiled code can call too.

    Such a function runs as NumPy on arrays and, compiled into its callers, on scalars.
    """
    registered: F = numba.extending.register_jitable(**INLINED)(function)
    return registered


def portable_sums(function: F) -> F:
    """Do as `portable` does, with the reassociation that `jit_sums` allows."""
    registered: F = numba.extending.register_jitable(**(INLINED | _SUMS))(function)
    return registered


def like(x: Any, value: float) -> Any:
    """Return a constant in the dtype of an array or scalar.

    Parameters
    ----------
    x : numpy.ndarray or NumPy scalar
        Gives the dtype, float32 or float64.
    value : float
        The constant.
    """
    return x.dtype.type(value)


# What is one instruction is generated as such: an overload would be compiled as a function.
@numba.extending.type_callable(like)
def _type_of_like(context: Any) -> Function:
    def typed(x, value):  # type: ignore[no-untyped-def]  # numba compares the bare parameters
        single = getattr(x, "dtype", x) == numba.types.float32
        return numba.types.float32 if single else numba.types.float64

    return typed


@numba.extending.lower_builtin(like, numba.types.Any, numba.types.Any)
def _generate_like(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return context.cast(builder, arguments[1], signature.args[1], signature.return_type)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Select as ``np.where`` does; compiled, on scalars, without a branch.

    Parameters
    ----------
    condition : bool or array of bool
        Where `yes` is selected.
    yes, no : scalar or array
        Of one dtype.
    """
    return np.where(condition, yes, no)


@numba.extending.type_callable(where)
def _type_of_where(context: Any) -> Function:
    def typed(condition, yes, no):  # type: ignore[no-untyped-def]  # numba's types
        kind = context.unify_types(yes, no)
        return None if kind is None else kind(numba.types.boolean, kind, kind)

    return typed


@numba.extending.lower_builtin(where, numba.types.Boolean, numba.types.Number, numba.types.Number)
def _generate_where(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.select(*arguments)


def held(constant: Any) -> Any:
    """Return a float constant whose value is hidden from the compiler.

    A loop keeps an unknown value as a whole vector on the stack and loads it as an operand. A
    known constant is loaded as a scalar and broadcast again for each vector: two instructions
    more, which slow a loop of many constants down.
    """
    return constant


@numba.extending.type_callable(held)
def _type_of_held(context: Any) -> Function:
    return lambda constant: constant


@numba.extending.lower_builtin(held, numba.types.Float)
def _generate_held(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (value,) = arguments
    bits = ir.IntType(signature.return_type.bitwidth)
    assembly = ir.InlineAsm(ir.FunctionType(bits, (bits,)), "", "=r,0")
    hidden = builder.call(assembly, [builder.bitcast(value, bits)], attrs=("nounwind", "readnone"))
    return builder.bitcast(hidden, value.type)


def by_dtype(single: Function, double: Function) -> Function:
    """Return a function that calls one of two, by the dtype of its first argument.

    In compiled code the choice is made when compiling, in Python at the call.

    Parameters
    ----------
    single, double : callable
        For float32 and float64; both take the same arguments, first an array or a scalar.
    """

    def chosen(first: Any, *rest: Any) -> Any:
        return (single if first.dtype == np.float32 else double)(first, *rest)

    def half_of(kind: Any) -> Function:
        return single if getattr(kind, "dtype", kind) == numba.types.float32 else double

    # the half is compiled as it is; strict, numba would insist on one that takes (first, *rest)
    numba.extending.overload(chosen, jit_options=INLINED, strict=False)(
        lambda first, *rest: half_of(first)
    )
    return chosen
