"""Parameters that were never written, that are equal, and that no gradient reaches."""

import math
import re
from collections.abc import Container, Iterator, Sequence

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.graph import Operation, ancestors, children, is_number
from initperf.torch.signals.running import Run
from initperf.torch.signals.thresholds import THRESHOLDS
from initperf.torch.signals.weights import ParameterState

_LISTED = 3


def listed(names: Sequence[str], run: Run) -> str:
    """Return names of parameters joined by commas, the first few of many.

    Parameters
    ----------
    names : sequence of str
    run : Run
        Whose layers they are: names of numbers alone are followed by what their layer is.
    """
    more = len(names) - _LISTED
    told = ", ".join(_told(name, run) for name in names[:_LISTED])
    return f"{told} and {more} more" if more > 0 else told


def _told(name: str, run: Run) -> str:
    """Return a parameter's name; of a layer that a number alone names, with what the layer is."""
    owner = next((each for each in run.operations if name in (each.weight, each.bias)), None)
    if owner is None or not is_number(name.rpartition(".")[0]):
        return name
    return f"{name} ({owner.what})"


def unwritten(run: Run) -> Iterator[Finding]:
    """Find parameters that hold what memory held before."""
    for each in run.parameters:
        if each.unwritten > THRESHOLDS["unwritten"].limit:
            yield Finding(
                "unwritten",
                each.name,
                f"{each.unwritten:.2g} of the entries of {_told(each.name, run)} are no weights",
                cause="its memory was never written",
                remedy="initialize it",
                layers=(each.name,),
            )


def constant(run: Run) -> Iterator[Finding]:
    """Find weights whose entries are all equal, where units can then not become different."""
    held = {each.name: each for each in run.parameters if each.constant and len(each.shape) > 1}
    states = {each.name for each in run.recurrences if each.state}
    for operation, state in ((o, held[name]) for o in run.operations for name in _weights(o, held)):
        if state.second_moment == 0.0 and (state.name in states or _ends(run, operation.index)):
            continue  # without a memory, or a branch or a model that starts from 0 on purpose
        yield Finding(
            "constant",
            state.name,
            f"all entries of {_told(state.name, run)} are {state.mean:.3g}",
            cause="it was never written, or set to a constant: its units stay equal",
            remedy="draw it at random",
            layers=(operation.name,),
        )


def _weights(operation: Operation, held: Container[str]) -> list[str]:
    """Return which of some weights multiply a signal in an operation."""
    if operation.kind == "recurrent":
        return [name for name in operation.parameters if name in held]
    return [operation.weight] if operation.weighted and operation.weight in held else []


def _ends(run: Run, index: int) -> bool:
    """Return whether an operation ends a residual branch, or no layer follows."""
    readers = children(run.operations)
    waiting, seen = list(readers[index]), {index}
    while waiting:
        each = run.operations[waiting.pop()]
        if each.index in seen:
            continue
        seen.add(each.index)
        if each.kind == "residual":
            continue
        if each.weighted or each.kind in ("recurrent", "attention", "scores"):
            return False
        waiting.extend(readers[each.index])
    return True


def copied(run: Run) -> Iterator[Finding]:
    """Find different weights that are equal."""
    for each in run.copies:
        first, *others = each.names
        held = "multiples of the same values" if each.scaled else "the same values"
        yield Finding(
            "copied",
            others[0],
            f"{listed(others, run)} and {_told(first, run)} hold {held}",
            cause="a layer was copied after it was initialized",
            remedy="initialize each copy",
            layers=each.names,
        )


def gate(run: Run) -> Iterator[Finding]:
    """Find parameters that are 0 where those in the same place of other blocks are not."""
    groups: dict[tuple[str, tuple[int, ...]], list[ParameterState]] = {}
    for each in run.parameters:
        if not each.name.endswith("bias"):
            pattern = re.sub(r"\d+", "*", each.name)
            groups.setdefault((pattern, each.shape), []).append(each)
    for (pattern, _), members in groups.items():
        closed = [each.name for each in members if each.second_moment == 0.0]
        if "*" in pattern and closed and len(members) - len(closed) > 1:
            yield Finding(
                "gate",
                closed[0],
                f"{listed(closed, run)} is 0, and {len(members) - len(closed)} like it are not",
                cause="a gate that is 0 closes its branch: nothing in it gets a gradient",
                remedy="set it as the others are",
                layers=tuple(closed),
            )


def unreached(run: Run) -> Iterator[Finding]:
    """Find parameters that no gradient reaches."""
    trained = [each for each in run.parameters if each.trained]
    names = [each.name for each in trained if not each.reached]
    if not names or not run.backward:
        return
    cut = _cut(run, set(names))
    yield Finding(
        "unreached",
        names[0],
        f"no gradient reaches {listed(names, run)}",
        cause=f"the result of {cut} is detached" if cut else "nothing of the loss depends on it",
        remedy="remove the detach" if cut else "use it or remove it",
        layers=tuple(names),
    )


def _cut(run: Run, names: set[str]) -> str:
    """Return the last operation that is detached and depends on some parameters."""
    for index in sorted(run.detached, reverse=True):
        above = ancestors(run.operations, index)
        read = {name for i in above for name in (*run.operations[i].parameters,)}
        if names & read:
            return run.operations[index].name
    return ""


def blocked(run: Run) -> Iterator[Finding]:
    """Note parameters whose gradient is exactly 0."""
    names = [each.name for each in run.parameters if each.gradient_norm == 0.0]
    if names:
        yield Finding(
            "blocked",
            names[0],
            f"gradients of {listed(names, run)} are exactly 0",
            cause="what follows is 0",
            layers=tuple(names),
            severe=False,
        )


def truncation(run: Run) -> Iterator[Finding]:
    """Note truncated normal draws whose cut removes next to nothing."""
    limit = THRESHOLDS["truncation"].limit
    names = [name for name, share in run.cut.items() if share < limit and not math.isnan(share)]
    if names:
        yield Finding(
            "truncation",
            names[0],
            f"the truncation of {listed(names, run)} cuts off {max(run.cut[n] for n in names):.2g}",
            cause="its bounds are values, not multiples of the standard deviation",
            remedy="bounds of ±2 standard deviations",
            layers=tuple(names),
            severe=False,
        )
