"""Private names of numba and llvmlite: each is looked up here, and what is missing has a fallback.

A release of numba may rename what it does not document. Each part of this project that needs such
names is one of `PARTS`; where one of its names is missing, that part alone is switched off and
``initperf doctor`` warns:

- ``wide vectors``: kernels are compiled by numba's own pipeline, for vectors of 256 bits.
- ``inlining``: functions that exist only within their callers are translated to machine code too,
  which takes time and is never called.
- ``code cache``: compiled code is not kept on disk.
- ``views``: rows of an array are made by numba's own ``reshape``.
- ``instructions``: nothing is compiled; the NumPy references of kernels run in their place.
- ``compiler notice``: nothing is said while a process waits for the compiler, and garbage is
  collected meanwhile.
- ``compiler events``: a profile does not show the passes of numba.
- ``compiled functions``: a profile shows no functions, their code and LLVM's passes.

The names exported here are for modules that ask `missing` first, or whose work is done inside
functions that are compiled only then; a missing one is a stand-in that does nothing.
"""

import functools
import importlib
import itertools
import os
import secrets
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numba
from numba.extending import is_jitted

_CONTEXT, _RESULT = "numba.core.base:BaseContext", "numba.core.compiler:CompileResult"
_LIBRARY = "numba.core.codegen:JITCodeLibrary"
_CONVENTION = "numba.core.callconv:CPUCallConv"
_DESCRIPTOR = "numba.core.funcdesc:FunctionDescriptor"
_DISPATCHER = "numba.core.registry:CPUDispatcher()"  # some attributes are of instances only
_PIPELINE = "numba.core.compiler:DefaultPassBuilder"

PARTS: dict[str, tuple[str, ...]] = {
    "wide vectors": (
        "llvmlite.ir.values:FunctionAttributes.alignstack",
        "numba.core.compiler:CompilerBase.define_pipelines",
        f"{_PIPELINE}.define_nopython_pipeline",
        "numba.core.compiler_machinery:PassManager.finalize",
        "numba.core.compiler_machinery:register_pass",
        "numba.core.codegen:CPUCodegen.magic_tuple",
        "numba.core.cpu:CPUContext.codegen",
        "numba.core.lowering:Lower.pre_lower",
        "numba.core.registry:CPUTarget.target_context",
        "numba.core.registry:cpu_target",
        "numba.core.typed_passes:NativeLowering.lowering_class",
        "numba.core.typed_passes:NativeLowering.run_pass",
    ),
    "inlining": (
        "numba._dynfunc:make_function",
        f"{_CONTEXT}.insert_user_function",
        "numba.core.codegen:CPUCodegen._module_pass_manager",
        f"{_LIBRARY}._finalize_final_module",
        f"{_LIBRARY}._finalized",
        f"{_LIBRARY}._optimize_final_module",
        f"{_LIBRARY}.codegen",
        f"{_LIBRARY}.get_defined_functions",
        "numba.core.compiler:Flags.no_cfunc_wrapper",
        "numba.core.compiler:Flags.no_compile",
        "numba.core.compiler:Flags.no_cpython_wrapper",
        "numba.core.compiler:_LowerResult.cfunc",
        "numba.core.compiler:_LowerResult.env",
        "numba.core.compiler:_LowerResult.fndesc",
        "numba.core.cpu:CPUContext.codegen",
        f"{_DESCRIPTOR}.lookup_module",
        f"{_DESCRIPTOR}.qualname",
    ),
    "code cache": (
        "numba.core.caching:NullCache.cache_path",
        "numba.core.caching:NullCache.flush",
        "numba.core.caching:NullCache.load_overload",
        "numba.core.caching:NullCache.save_overload",
        f"{_RESULT}._rebuild",
        f"{_RESULT}._reduce",
        f"{_RESULT}.codegen",
        f"{_RESULT}.library",
        f"{_RESULT}.lifted",
        f"{_DISPATCHER}._cache",
        "numba.core.bytecode:FunctionIdentity._unique_ids",
        "numba.core.codegen:CPUCodegen.magic_tuple",
        "numba.core.codegen:CodeLibrary.has_dynamic_globals",
        "numba.core.cpu:CPUContext.codegen",
        "numba.core.dispatcher:LiftedCode.can_cache",
        "numba.core.runtime:rtsys.initialize",
        "numba.core.serialize:dumps",
    ),
    "views": (
        "numba.core.cgutils:_StructProxy._getvalue",
        "numba.np.arrayobj:make_array",
        "numba.np.arrayobj:populate_array",
    ),
    "instructions": (
        f"{_CONTEXT}.cast",
        f"{_CONTEXT}.get_constant",
        f"{_CONTEXT}.get_dummy_value",
        f"{_CONTEXT}.get_value_type",
        f"{_CONTEXT}.make_array",
        f"{_CONVENTION}.call_function",
        f"{_CONVENTION}.get_function_type",
        f"{_CONVENTION}.return_status_propagate",
        "numba.core.cgutils:alloca_once_value",
        "numba.core.cgutils:for_range",
        "numba.core.cgutils:get_or_insert_function",
        "numba.core.cgutils:if_unlikely",
        "numba.core.cgutils:pack_array",
        "numba.core.cgutils:unpack_tuple",
        f"{_DESCRIPTOR}.llvm_func_name",
        f"{_LIBRARY}.get_pointer_to_function",
        f"{_RESULT}.fndesc",
        f"{_RESULT}.library",
        "numba.core.cpu:CPUContext.call_conv",
        "numba.core.dispatcher:Dispatcher.get_compile_result",
        "numba.core.errors:TypingError",
        "numba.core.typing.context:BaseContext.unify_types",
    ),
    "compiler notice": (f"{_DISPATCHER}._compiler.compile",),
    "compiler events": ("numba.core.event:install_recorder", "numba.core.event:install_timer"),
    "compiled functions": (
        f"{_DESCRIPTOR}.llvm_cfunc_wrapper_name",
        f"{_DESCRIPTOR}.llvm_cpython_wrapper_name",
        f"{_DESCRIPTOR}.llvm_func_name",
        f"{_DISPATCHER}.overloads",
        f"{_DISPATCHER}.targetoptions",
        f"{_LIBRARY}.get_defined_functions",
        f"{_LIBRARY}.get_pointer_to_function",
        f"{_RESULT}.fndesc",
        f"{_RESULT}.library",
        f"{_RESULT}.metadata",
    ),
}
"""The private names that each part of this project needs."""


def _found(name: str, otherwise: Any = None) -> Any:
    """Return what ``module:attribute.attribute`` names, or a stand-in where it is missing.

    ``class()`` is an instance: a dispatcher, of a function that is never compiled.
    """
    module, _, attributes = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in filter(None, attributes.split(".")):
            found = getattr(found, attribute.removesuffix("()"))
            if attribute.endswith("()"):
                found = found(lambda: None)
    except (ImportError, AttributeError):
        return otherwise
    return found


@functools.cache
def missing(part: str) -> tuple[str, ...]:
    """Return the private names that a part needs and this numba lacks.

    Parameters
    ----------
    part : str
        One of `PARTS`.
    """
    return tuple(name for name in PARTS[part] if _found(name) is None)


def compiles() -> bool:
    """Return whether kernels are compiled, rather than run as Python or by their references."""
    return not numba.config.DISABLE_JIT and not missing("instructions")


def _undecorated(**options: Any) -> Any:
    return lambda decorated: decorated


cgutils = _found("numba.core.cgutils")
TypingError = _found("numba.core.errors:TypingError", TypeError)

CompilerBase = _found("numba.core.compiler:CompilerBase", object)
DefaultPassBuilder = _found("numba.core.compiler:DefaultPassBuilder")
Lower = _found("numba.core.lowering:Lower", object)
NativeLowering = _found("numba.core.typed_passes:NativeLowering", object)
register_pass = (
    _undecorated  # it examines classes, of which some may be stand-ins
    if missing("wide vectors")
    else _found("numba.core.compiler_machinery:register_pass")
)
cpu_target = _found("numba.core.registry:cpu_target")

JITCodeLibrary = _found(_LIBRARY, object)
make_function = _found("numba._dynfunc:make_function")

dumps = _found("numba.core.serialize:dumps")

install_recorder = _found(
    "numba.core.event:install_recorder", lambda kind: nullcontext(SimpleNamespace(buffer=()))
)
install_timer = _found("numba.core.event:install_timer", lambda kind, callback: nullcontext())


def threading_layers() -> list[str]:
    """Return the names of the threading layers that this numba has been built with."""
    modules = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}
    try:
        return [name for name, module in modules.items() if find_spec(f"numba.np.ufunc.{module}")]
    except ModuleNotFoundError:  # of a package above them
        return []


def reload_functions(library: Any) -> set[Any]:
    """Return what must be called before machine code that was saved can be loaded again."""
    return set(getattr(library, "_reload_init", ()))


def simplify(library: Any) -> bool:
    """Inline callees within a library's module and simplify it; return whether numba can.

    Before LLVM's new pass manager, numba 0.61, it cannot.

    Parameters
    ----------
    library : numba.core.codegen.JITCodeLibrary
        Not finalised.
    """
    made = library.codegen._module_pass_manager(
        loop_vectorize=False, slp_vectorize=False, opt=0, cost="cheap"
    )
    if not isinstance(made, tuple):
        return False
    manager, builder = made
    manager.run(next(library.get_defined_functions()).module, builder)
    return True


def array_maker(kind: Any) -> Any:
    """Return numba's class of the structs that represent arrays of a type in compiled code."""
    return _found("numba.np.arrayobj:make_array")(kind)


def fill_array(view: Any, **fields: Any) -> None:
    """Set the fields of a struct that `array_maker` made.

    Parameters
    ----------
    view : object
        The struct.
    **fields
        data, shape, strides, itemsize and meminfo, as values of compiled code.
    """
    _found("numba.np.arrayobj:populate_array")(view, **fields)


def struct_value(view: Any) -> Any:
    """Return the value, in compiled code, of a struct that `array_maker` made."""
    return view._getvalue()


def reduced(result: Any) -> Any:
    """Return a compile result as a tuple that can be pickled, machine code included."""
    return result._reduce()


def rebuilt(target_context: Any, parts: Any) -> Any:
    """Return the compile result that `reduced` took apart, loaded and ready to be called.

    Parameters
    ----------
    target_context : object
        Numba's context of the processor, into which the code is loaded.
    parts : tuple
        What `reduced` returned.
    """
    return _found("numba.core.compiler:CompileResult")._rebuild(target_context, *parts)


def initialize_runtime(target_context: Any) -> None:
    """Prepare numba's runtime for loaded machine code, which is linked to its functions.

    Numba's own caches refresh the context instead, which imports the implementations of all that
    it can compile and takes four times as long as the loading itself.

    Parameters
    ----------
    target_context : object
        Numba's context of the processor.
    """
    _found("numba.core.runtime:rtsys").initialize(target_context)


@functools.cache
def number_functions_apart() -> None:
    """Let numba number the functions that it compiles from a random number on.

    The number tells the symbols of machine code apart that are named alike, as closures of one
    function are. Numba counts from 1 in each process: code that another process compiled and kept
    would have a symbol of code that this one compiles, and addresses would be those of the other.
    """
    _number_from_anywhere()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_number_from_anywhere)


def _number_from_anywhere() -> None:
    identity = _found("numba.core.bytecode:FunctionIdentity")
    identity._unique_ids = itertools.count(secrets.randbits(60))


def set_code_cache(dispatcher: Any, cache: Any) -> None:
    """Let a jitted function load its code from a cache and save it there.

    Parameters
    ----------
    dispatcher : object
        As ``numba.njit`` returns it.
    cache : object
        With the methods and properties of numba's own: ``load_overload(signature, context)``,
        ``save_overload(signature, result)``, ``flush()``, ``cache_path``.
    """
    dispatcher._cache = cache


def wrap_compilation(dispatcher: Any, around: Callable[..., Any]) -> None:
    """Let a jitted function be compiled by a function around numba's own.

    Where numba lacks the private names for that, it is compiled as before.

    Parameters
    ----------
    dispatcher : object
        As ``numba.njit`` returns it, or a plain function where the compiler is disabled.
    around : callable
        ``around(compile_function, *arguments)`` returns what numba's function returns.
    """
    if is_jitted(dispatcher) and not missing("compiler notice"):
        compiler = dispatcher._compiler
        compiler.compile = functools.partial(around, compiler.compile)
