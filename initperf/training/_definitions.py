"""Digests of the code that defines what an experiment names, from its rule to its schedule.

Names do not say what they stand for: a rule may be registered anew, or its file edited. Code of
initperf is read from its files, without comments and docstrings, so that the digest is the same in
all versions of Python. Other code is taken as it was compiled, since a notebook has no file, with
the functions and constants that it uses from its own package; its digest changes with Python's
bytecode. Kernels and the training loop have versions of their own, pinned by tests.
"""

import ast
import dataclasses
import functools
import hashlib
import inspect
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from initperf._core.rule import Rule
from initperf.activations import ACTIVATIONS
from initperf.losses import LOSSES, PointwiseLoss
from initperf.training.experiment import Experiment

_SHAPING = (
    "initperf.activations",
    "initperf.initializers",
    "initperf.jit.elementary",
    "initperf.jit.radians",
    "initperf.losses",
    "initperf.optimizers",
    "initperf.schemes",
    "initperf.theory",
    "initperf.training.schedules",
)
"""Modules and packages whose files are part of the definitions that use them."""

_ATOMS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


def definition(experiment: Experiment) -> str:
    """Return the digest of what defines the parts that an experiment names.

    Returns
    -------
    str
        Hexadecimal; it depends on code and on all parameters, defaults included.
    """
    found = _Digest()
    found.add(experiment.rule)
    found.add(ACTIVATIONS[experiment.activation].value_and_slope)
    found.add(type(experiment.optimizer))
    found.add(type(experiment.schedule))
    loss = LOSSES[experiment.loss]
    if isinstance(loss, PointwiseLoss):  # the other is a kernel
        found.add(loss.value_and_slope)
    return found.hexdigest()


class _Digest:
    """Digest of values, with the code behind functions and classes, each object once."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._seen: set[int] = set()
        self._package = ""

    def hexdigest(self) -> str:
        """Return the digest of all that was added."""
        return self._hash.hexdigest()

    def add(self, value: Any) -> None:
        """Add a part of the definition, and the code of its own package that it uses."""
        owner = type(value) if isinstance(value, Rule) else value
        self._package = str(getattr(owner, "__module__", "")).partition(".")[0]
        self._value(value)

    def _note(self, *words: object) -> None:
        for word in words:
            self._hash.update(f"{word}\0".encode())

    def _value(self, value: Any) -> None:
        if isinstance(value, _ATOMS):
            self._note(type(value).__name__, repr(value))
            return
        if id(value) in self._seen:
            return
        if isinstance(value, (tuple, list)):
            self._note(type(value).__name__, len(value))
            for one in value:
                self._value(one)
        elif isinstance(value, (set, frozenset)):
            self._note("set", *sorted(map(repr, value)))  # the order of a set is random
        elif isinstance(value, dict):
            self._note("dict", len(value))
            for key, one in value.items():
                self._value(key)
                self._value(one)
        elif isinstance(value, np.ndarray):
            self._note("array", value.dtype, value.shape, hashlib.sha256(value.tobytes()).digest())
        else:
            self._seen.add(id(value))
            self._object(value)

    def _object(self, value: Any) -> None:
        value = getattr(value, "py_func", value)  # of a function that numba compiles
        if isinstance(value, functools.partial):
            self._note("partial")
            for part in (value.func, value.args, value.keywords):
                self._value(part)
        elif isinstance(value, types.ModuleType):
            self._note("module", value.__name__)
            if self._is_own(value.__name__):
                self._note(*sources(value.__name__))
        elif isinstance(value, (types.FunctionType, type)):
            self._note(type(value).__name__, value.__qualname__)
            if _shapes(value.__module__):
                self._note(*sources(value.__module__))
            elif self._is_own(value.__module__):
                self._function(value) if isinstance(value, types.FunctionType) else self._class(
                    value
                )
        elif dataclasses.is_dataclass(value):
            self._value(type(value))
            for field in dataclasses.fields(value):
                if field.compare:
                    self._note(field.name)
                    self._value(getattr(value, field.name))
        else:
            self._note("object", type(value).__module__, type(value).__qualname__)

    def _is_own(self, module: str) -> bool:
        return module.partition(".")[0] == self._package != "initperf"

    def _class(self, kind: type) -> None:
        for base in kind.__mro__[1:]:
            self._value(base)
        for name, member in sorted(vars(kind).items()):
            for function in _functions(member):
                if function.__code__.co_filename != "<string>":  # what dataclasses generate
                    self._note(name)
                    self._value(function)
            if isinstance(member, (*_ATOMS, tuple)) and not name.startswith("__"):
                self._note(name)
                self._value(member)

    def _function(self, function: types.FunctionType) -> None:
        self._value(function.__defaults__)
        self._value(function.__kwdefaults__)
        self._code(function.__code__)
        for cell in function.__closure__ or ():
            self._value(cell.cell_contents)
        for name in sorted(set(_names(function.__code__))):
            if name in function.__globals__:
                self._note(name)
                self._value(function.__globals__[name])

    def _code(self, code: types.CodeType) -> None:
        self._note(code.co_code.hex(), *code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant)
            else:
                self._value(constant)


def _functions(member: Any) -> Iterator[types.FunctionType]:
    """Give the functions behind a member of a class: methods, properties and the like."""
    parts = [member, *(getattr(member, name, None) for name in ("__func__", "func", "fget"))]
    for part in parts:
        part = getattr(part, "py_func", part)
        if isinstance(part, types.FunctionType):
            yield part


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _shapes(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _SHAPING)


@functools.cache
def sources(module: str) -> tuple[str, ...]:
    """Return digests of a module's file and of those that it imports from its own package."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name], imports = parsed(name)
            waiting += _imports(imports, name)
    return tuple(f"{name} {digest}" for name, digest in sorted(found.items()))


@functools.cache
def parsed(module: str) -> tuple[str, tuple[ast.Import | ast.ImportFrom, ...]]:
    """Return the digest of a module's file, and the imports in it."""
    tree = _tree(module)
    digest = hashlib.sha256(repr(_shape(tree)).encode()).hexdigest()
    nodes = (node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))
    return digest, tuple(nodes)


def _tree(module: str) -> ast.Module:
    try:
        return ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):  # no file, or an empty one
        return ast.Module([], [])


def _imports(nodes: Iterable[ast.Import | ast.ImportFrom], module: str) -> Iterator[str]:
    """Give the modules, of those that shape or of the module's own package, that it imports."""
    package = module.partition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            wanted = [one.name for one in node.names]
        elif node.module and not node.level:
            wanted = [_home(node.module, one.name) for one in node.names]
        else:
            continue
        for name in wanted:
            own = name.partition(".")[0] == package != "initperf"
            if name in sys.modules and (own or _shapes(name)):
                yield name


def _home(module: str, name: str) -> str:
    """Return the module that defines what is imported from a module, perhaps a package."""
    if f"{module}.{name}" in sys.modules:
        return f"{module}.{name}"
    value = getattr(sys.modules.get(module), name, None)
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) and home.startswith(f"{module}.") else module


def _shape(node: Any) -> Any:
    """Return the structure of a syntax tree without positions, docstrings and empty fields."""
    if isinstance(node, ast.AST):
        fields = [
            (name, _shape(_without_docstring(node, name, value)))
            for name, value in ast.iter_fields(node)
            if value is not None and value != [] and name not in ("ctx", "kind", "type_comment")
        ]
        return type(node).__name__, fields
    return [_shape(one) for one in node] if isinstance(node, list) else node


def _without_docstring(node: ast.AST, name: str, value: Any) -> Any:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = name == "body" and isinstance(node, owners) and ast.get_docstring(node) is not None
    return value[1:] if documented else value
