"""Compilation of functions that exist only within their callers.

Numba optimises each function in full and translates it to machine code, which nobody calls where a
function is compiled into its callers: they contain its code. Here such a function is only
simplified, without which loops that call it are not vectorised (ReLU took ten times as long), and
not translated. Where numba lacks the private names for that (`initperf.jit.internals`), it is
treated as by numba itself.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from initperf.jit.internals import (
    JITCodeLibrary,
    make_function,
    missing,
    reload_functions,
    simplify,
)


class _InlinedLibrary(JITCodeLibrary):  # type: ignore[misc]  # numba is not typed
    """LLVM code of a function and of those that it calls, for linking into its callers only."""

    def _optimize_final_module(self) -> None:
        """Inline callees and simplify; callers optimise what they contain in full."""
        if not simplify(self):
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        """Give no code to the execution engine."""
        self._finalized = True


def inlined(lower: Callable[[Any], Any], state: Any) -> bool:
    """Lower a function that is only compiled into its callers.

    Parameters
    ----------
    lower : callable
        The method of Numba's compiler pass.
    state : numba.core.compiler.StateDict
        State of the compiler.
    """
    if missing("inlining"):
        return bool(lower(state))
    target, flags = state.targetctx, state.flags
    state.library = library = _InlinedLibrary(target.codegen(), state.func_id.func_qualname)
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    lower(state)
    done = state["cr"]
    # Numba finds the code of a function by an object that it could be called through. This one
    # would raise a MemoryError, but nobody has it: Python calls the function as it was written.
    never = ctypes.cast(ctypes.pythonapi.PyErr_NoMemory, ctypes.c_void_p).value
    handle = make_function(
        done.fndesc.lookup_module(), done.fndesc.qualname, "", never, done.env, (library,)
    )
    target.insert_user_function(handle, done.fndesc, [library])
    state.reload_init.extend(reload_functions(library))
    state["cr"] = done._replace(cfunc=handle)
    return True
