"""Pages of the reference: the public names of each module, from their docstrings."""

import importlib
from pathlib import Path

MODULES = (
    "initperf",
    "initperf.theory",
    "initperf.initializers",
    "initperf.schemes",
    "initperf.activations",
    "initperf.optimizers",
    "initperf.data",
    "initperf.training.schedules",
    "initperf.training.sweep",
    "initperf.training.store",
    "initperf.benchmarks.timing",
    "initperf.benchmarks.footprint",
    "initperf.benchmarks.regressions",
    "initperf.benchmarks.revisions",
    "initperf.benchmarks.history",
    "initperf.benchmarks.change_points",
    "initperf_figures",
)


def _names(module: str, seen: set[int]) -> list[str]:
    """Return the names that a module exports, or defines without a leading underscore.

    Parameters
    ----------
    module : str
    seen : set of int
        Identities of what other pages describe, which is left out and added to.
    """
    found = importlib.import_module(module)
    exported = getattr(found, "__all__", None)
    if exported is None:
        exported = [
            name
            for name, value in vars(found).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module
        ]
    names = []
    for name in sorted(exported):
        value = getattr(found, name)
        # registries are tables of names: initperf list prints them
        if not name.isupper() and id(value) not in seen:
            seen.add(id(value))
            names.append(name)
    return names


def write_reference(source: Path) -> None:
    """Write a page a module, and the index.

    Parameters
    ----------
    source : pathlib.Path
        Directory of the pages.
    """
    directory = source / "reference"
    directory.mkdir(exist_ok=True)
    seen: set[int] = set()
    for module in MODULES:
        lines = [module, "=" * len(module), "", f".. automodule:: {module}", "   :no-members:", ""]
        lines += [f".. currentmodule:: {module}", ""]
        lines += [".. autosummary::", "   :toctree: generated", ""]
        lines += [f"   {name}" for name in _names(module, seen)]
        (directory / f"{module}.rst").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pages = "\n".join(f"   {module}" for module in MODULES)
    index = f"Reference\n=========\n\n.. toctree::\n   :maxdepth: 1\n\n{pages}\n"
    (directory / "index.rst").write_text(index, encoding="utf-8")
