"""Registries: mappings from names and aliases to entries, with a suggestion for a mistyped name."""

import importlib
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from initperf._core.nearest import nearest, suggestion
from initperf.errors import PluginError

T = TypeVar("T")
C = TypeVar("C", bound=type)

_LONGEST = 60
"""Characters of an unknown name that a message repeats."""


class UnknownNameError(KeyError, ValueError):
    """A name that no entry of a registry has; the message suggests the nearest."""

    def __str__(self) -> str:
        return str(self.args[0])


def _folded(name: str) -> str:
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")


class Registry(Mapping[str, T]):
    """A mapping from names to entries, read-only but for `register`.

    Iteration gives the canonical names in alphabetical order; look-up takes aliases too and
    ignores case, hyphens, underscores and spaces, so that Keras's ``HeNormal`` and PyTorch's
    ``kaiming_normal_`` are found.

    Parameters
    ----------
    kind : str
        What an entry is, in the singular, for error messages.
    beside : Registry, optional
        A registry whose names are typed in the same place: none of them can be taken here as
        well, and the suggestion for an unknown name may be one of them.
    plugins : str
        Group of the entry points by which other distributions add entries: each names a module
        that registers them when imported. They are imported when a name is unknown otherwise, or
        all names are asked for.
    package : str
        A package whose modules without a leading underscore each register one entry, of the
        module's own name, when imported. The module of a name is imported when the name is looked
        up, and all of them when all names are asked for.

    Attributes
    ----------
    adopt : callable or None
        ``adopt(name, found)`` returns the entry that an object of a module stands for, or None.
        With it, ``module:object`` is a name too: the module is imported when the name is asked
        for, from the current directory if from nowhere else, and the entry registered.
    """

    adopt: Callable[[str, Any], T | None] | None = None

    def __init__(
        self,
        kind: str,
        beside: "Registry[Any] | None" = None,
        plugins: str = "",
        package: str = "",
    ) -> None:
        self.kind = kind
        self._plugins = plugins
        self._package = package
        self._beside = beside
        self._entries: dict[str, T] = {}
        self._canonical: dict[str, str] = {}
        self._bare: dict[str, str] = {}

    def register(
        self, name: str, entry: T, aliases: tuple[str, ...] = (), *, replace: bool = False
    ) -> T:
        """Add an entry under its name and aliases.

        Parameters
        ----------
        name : str
            The entry's canonical name.
        entry : object
            What it stands for; returned.
        aliases : tuple of str
            Other names of it.
        replace : bool
            Whether the entry takes the place of one of the same canonical name, whose aliases go
            with it: for a notebook cell that is run again.

        Raises
        ------
        ValueError
            When a name or an alias is taken already.
        """
        replaced = name if replace and name in self._entries else None
        for key in map(_folded, (name, *aliases)):
            taken = key in self._canonical and self._canonical[key] != replaced
            if taken or (self._beside is not None and key in self._beside._canonical):
                raise ValueError(
                    f"{self.kind} {key!r} is registered already; replace=True exchanges an entry "
                    "of the same name"
                )
        if replaced is not None:
            self._remove(replaced)
        self._entries[name] = entry
        self._canonical.update(dict.fromkeys(map(_folded, (name, *aliases)), name))
        self._bare.update({_bare(key): name for key in (name, *aliases)})
        return entry

    def register_class(self, record: C) -> C:
        """Add a record with default settings; a decorator of its class.

        Parameters
        ----------
        record : type
            Frozen dataclass, all of whose fields have defaults, with the class variables ``name``
            and ``aliases``.

        Returns
        -------
        type
            The same.

        Raises
        ------
        ValueError
            When a name or an alias is taken already.
        """
        declared: Any = record
        self.register(declared.name, declared(), declared.aliases)
        return record

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Restore, when the block ends, the entries that there were when it began: for tests."""
        self._load_all()
        before = dict(self._entries), dict(self._canonical), dict(self._bare)
        try:
            yield
        finally:
            self._entries, self._canonical, self._bare = before

    def _remove(self, name: str) -> None:
        del self._entries[name]
        for names in (self._canonical, self._bare):
            for key in [key for key, own in names.items() if own == name]:
                del names[key]

    def canonical(self, name: str) -> str:
        """Return the entry's own name for a name or an alias.

        Raises
        ------
        UnknownNameError
            When there is none; the message names the nearest.
        """
        if not isinstance(name, str):
            raise UnknownNameError(
                f"unknown {self.kind}: a name is wanted, not a {type(name).__name__}"
            )
        key = _folded(name)
        if key in self._canonical:
            return self._canonical[key]
        if _bare(key) in self._bare:
            return self._bare[_bare(key)]
        if self._import_module(key) or self._load_all():
            return self.canonical(name)
        if ":" in key and self.adopt is not None:
            return self._adopted(str(name).strip())
        known = self._canonical | ({} if self._beside is None else self._beside._canonical)
        hint = suggestion(key, known, sorted(set(known.values())))
        shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
        raise UnknownNameError(f"unknown {self.kind} {shown!r}; {hint}")

    def _import_module(self, name: str) -> bool:
        """Import the module that registers a name; return whether it has done so."""
        module = f"{self._package}.{name}"
        if not self._package or name.startswith("_") or not name.isidentifier():
            return False
        if importlib.util.find_spec(module) is None:
            return False
        importlib.import_module(module)
        return name in self._canonical

    def _load_all(self) -> bool:
        """Import every module that registers entries; return whether this was the time."""
        package, self._package = self._package, ""
        if package:
            import_siblings(package, importlib.import_module(package).__path__)
        return self._load_plugins() or bool(package)

    def _adopted(self, name: str) -> str:
        """Import the object of a name ``module:object`` and register what it stands for."""
        found = _imported(self.kind, name)
        entry = None if self.adopt is None else self.adopt(name, found)
        if entry is None:
            raise UnknownNameError(
                f"unknown {self.kind} {name!r}; it is of the type {type(found).__name__}"
            )
        self.register(name, entry)
        return name

    def _load_plugins(self) -> bool:
        """Import the modules that other distributions name; return whether this was the time."""
        group, self._plugins = self._plugins, ""
        if not group:
            return False
        from importlib.metadata import entry_points

        for entry in entry_points(group=group):
            try:
                entry.load()
            except Exception as error:
                raise PluginError(
                    f"the {self.kind} plug-in {entry.name!r} ({entry.value}) cannot be imported: "
                    f"{type(error).__name__}: {error}"
                ) from error
        return True

    def aliases(self, name: str) -> tuple[str, ...]:
        """Return the other names of an entry, in the order they were given."""
        own = self.canonical(name)
        return tuple(
            alias
            for alias, entry in self._canonical.items()
            if entry == own and alias != _folded(own)
        )

    def names(self) -> tuple[str, ...]:
        """Return all names and aliases, sorted."""
        self._load_all()
        return tuple(sorted(self._canonical))

    def __getitem__(self, name: str) -> T:
        found = self._entries.get(name)
        return self._entries[self.canonical(name)] if found is None else found

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            self.canonical(name)
        except UnknownNameError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        self._load_all()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._load_all()
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} {self.kind}s: {', '.join(self)}>"


def _imported(kind: str, name: str) -> Any:
    """Return the object of a name ``module:object``.

    Raises
    ------
    UnknownNameError
        When there is no such module, or no such object in it.
    PluginError
        When the module cannot be imported.
    """
    path, _, attribute = name.partition(":")
    directory = os.getcwd()
    sys.path.append(directory)
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and not f"{path}.".startswith(f"{error.name}."):
            raise PluginError(f"the {kind} {name!r} cannot be imported: {error}") from error
        raise UnknownNameError(f"unknown {kind} {name!r}; there is no module {path!r}") from None
    except Exception as error:
        raise PluginError(
            f"the {kind} {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.remove(directory)
    if not hasattr(module, attribute):
        near = nearest(attribute, vars(module))
        hint = "" if near is None else f"; did you mean '{path}:{near}'?"
        raise UnknownNameError(f"unknown {kind} {name!r}; the module has no {attribute!r}{hint}")
    return getattr(module, attribute)


def _bare(key: str) -> str:
    return key.replace("_", "")


def import_siblings(package: str, path: Iterable[str]) -> None:
    """Import every module of a package whose name has no leading underscore.

    A package calls this once at the end of its ``__init__``, so that a file added to its folder
    registers what it defines.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    path : iterable of str
        The package's ``__path__``.
    """
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        if not module.name.startswith("_"):
            importlib.import_module(f"{package}.{module.name}")
