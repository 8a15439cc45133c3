"""Application of a recipe to a model: which parameter gets which rule and which stream."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from initperf.errors import UnsuitableError
from initperf.torch.names import stream_of
from initperf.torch.parameters import Parameter, parameters
from initperf.torch.pieces import pieces_of
from initperf.torch.planned import Plan, Planned
from initperf.torch.recipe import KEEP, Assign
from initperf.torch.resolve import as_recipe

_NAMED = 8
"""Names that an error lists; the rest is counted."""


def plan(
    model: nn.Module,
    recipe: Any,
    *,
    streams: str = "name",
    keep: str | Sequence[str] = (),
    **options: Any,
) -> Plan:
    """Return what `init_` would do to a model, before a value is drawn.

    Parameters
    ----------
    model : torch.nn.Module
        On any device, ``meta`` too.
    recipe, keep, **options
        As `init_` takes them.
    streams : str
        ``"name"`` or ``"position"``; see `init_`.

    Returns
    -------
    Plan
        Its ``str`` is a table; ``records()`` gives rows for a DataFrame.

    Raises
    ------
    UnsuitableError
        When no rule covers a parameter, a pattern matches nothing, a rule does not apply, or two
        names have one stream; it names them.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> print(initperf.torch.plan(torch.nn.Linear(64, 8), "he_normal"))
    name    role    shape  rule           mean  std     stream
    weight  weight  8x64   N(0, 0.1768²)  0     0.1768  4aac500442ff67c9
    bias    bias    8      0              0     0       c2538eb0671fc81d
    """
    if streams not in ("name", "position"):
        raise ValueError(f"streams must be 'name' or 'position', not {streams!r}")
    chosen = as_recipe(recipe, options)
    patterns = (keep,) if isinstance(keep, str) else tuple(keep)
    assignments = (*(Assign(pattern, KEEP) for pattern in patterns), *chosen.assignments())
    found = parameters(model)
    number = _streams(found, streams)
    tests = [assignment.matches() for assignment in assignments]
    rows, used, uncovered, errors = [], set[int](), [], []
    for parameter in found:
        for index, test in enumerate(tests):  # noqa: B007
            if test(parameter):
                break
        else:
            uncovered.append(f"{parameter.name} {parameter.shape}")
            continue
        used.add(index)
        stream = number(parameter)
        try:
            pieces = pieces_of(parameter, assignments[index].rule, stream)
        except (ValueError, TypeError) as error:
            text = str(error)
            named = text.startswith(f"{parameter.name}: ")
            errors.append(text if named else f"{parameter.name}: {text}")
            continue
        rows.append(Planned(parameter, pieces, stream("")))
    _complain(found, assignments, used, uncovered, errors)
    return Plan(tuple(rows))


def _streams(found: list[Parameter], streams: str) -> Callable[[Parameter], Callable[[str], int]]:
    """Return what gives the streams of a parameter and of what is packed in it."""
    if streams == "position":

        def by_position(parameter: Parameter) -> Callable[[str], int]:
            position = parameter.position
            return lambda inside: stream_of(f"{position}{inside}") if inside else position

        return by_position
    names: dict[int, str] = {}
    for parameter in found:
        other = names.setdefault(stream_of(parameter.name), parameter.name)
        if other != parameter.name:
            raise UnsuitableError(
                f"{parameter.name} and {other} have one stream, so they would be drawn alike: "
                "rename one of them, or draw with streams='position'"
            )
    return lambda parameter: lambda inside: stream_of(parameter.name + inside)


def _complain(
    found: list[Parameter],
    assignments: tuple[Assign, ...],
    used: set[int],
    uncovered: list[str],
    errors: list[str],
) -> None:
    if errors:
        raise UnsuitableError(_some(errors, "; "))
    if uncovered:
        raise UnsuitableError(
            f"no rule covers {_some(uncovered)}: add one to the recipe, or name what shall stay "
            "as it is in keep="
        )
    idle = [str(a) for i, a in enumerate(assignments) if i not in used and not a.optional]
    if idle:
        names = [parameter.name for parameter in found]
        raise UnsuitableError(
            f"{_some(idle)} of the recipe decides about no parameter of this model, which has "
            f"{_some(names) if names else 'none'}"
        )


def _some(items: list[str], between: str = ", ") -> str:
    more = f"{between}and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return between.join(items[:_NAMED]) + more
