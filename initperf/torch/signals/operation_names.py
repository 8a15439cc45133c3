"""Names of operations that a person recognises: paths of modules, of parameters, operations."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from initperf.torch.names import adds_prefix, join
from initperf.torch.signals.graph import Operation


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation ran.

    Attributes
    ----------
    path : str
        Of the innermost module of the model; ``""`` for the model itself.
    call : int
        Number of that module's call; −1 outside of the model.
    result : bool
        Whether the call returned its result, from a module without children.
    """

    path: str
    call: int
    result: bool


def module_paths(model: nn.Module) -> dict[int, str]:
    """Return the path of each module by its identity, without what wrappers add.

    Parameters
    ----------
    model : torch.nn.Module
        A shared module has the first of its paths.
    """
    found: dict[int, str] = {}
    waiting: list[tuple[nn.Module, str]] = [(model, "")]
    while waiting:
        module, path = waiting.pop()
        if id(module) in found:
            continue
        found[id(module)] = path
        children = [(name, child) for name, child in module._modules.items() if child is not None]
        waiting += [
            (child, path if adds_prefix(module, name) else join(path, name))
            for name, child in reversed(children)
        ]
    return found


def named(operations: Sequence[Operation], places: Sequence[Place]) -> list[Operation]:
    """Return the operations of a run with their names.

    Parameters
    ----------
    operations : sequence of Operation
    places : sequence of Place
        Of each.
    """
    counts: Counter[str] = Counter()
    found = []
    for operation, place in zip(operations, places, strict=True):
        name = operation.name or _base(operation, place)
        counts[name] += 1
        numbered = name if counts[name] == 1 else f"{name} ({counts[name]})"
        found.append(replace(operation, name=numbered))
    return found


def _base(operation: Operation, place: Place) -> str:
    if place.result and place.path:
        return place.path
    owner, _, attribute = operation.weight.rpartition(".")
    if operation.weighted and not (owner == place.path and attribute == "weight"):
        # a weight that is used outside of its module: by the name of the weight
        return join(owner, attribute.removesuffix("weight").rstrip("_")).rstrip(".")
    if place.path:
        return f"{place.path}: {operation.operation}"
    return operation.operation
