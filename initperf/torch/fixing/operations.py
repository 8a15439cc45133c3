"""Operations of PyTorch as it dispatches them: their arguments, repetition and gains."""

from collections.abc import Sequence
from typing import Any

import torch

from initperf.torch.fixing.graph import Replay
from initperf.torch.signals.calls import tensors

PRODUCTS = ("addmm", "mm", "bmm", "baddbmm", "mv", "addmv", "linear")
CONVOLUTIONS = ("convolution", "convolution_overrideable", "_convolution")
LOOKUPS = ("embedding", "_embedding_bag", "_embedding_bag_forward_only")
WEIGHTED = (*PRODUCTS, *CONVOLUTIONS, *LOOKUPS)
COPIES = ("clone", "_to_copy", "detach", "contiguous", "alias", "lift_fresh", "_unsafe_view")
"""Operations that return the values of their operand, perhaps in another dtype."""

MAKERS = (
    *("empty", "new_", "zeros", "ones", "full", "rand", "normal", "uniform", "bernoulli"),
    *("arange", "linspace", "scalar_tensor", "fill"),
)
"""Beginnings of the names of operations whose result does not depend on their operand's values."""

RECTIFIERS = ("relu", "clamp_min", "threshold", "hardtanh")

NORMALIZING = (
    *("native_layer_norm", "native_group_norm", "_fused_rms_norm", "rms_norm"),
    *("_softmax", "_log_softmax", "_safe_softmax"),
)
"""Operations whose result does not depend on the scale of the operand."""

_ADDING = ("addmm", "addmv", "baddbmm")


def name_of(function: Any) -> str:
    """Return PyTorch's name of an operation, without the underscore of one in place."""
    name = str(function._schema.name.rpartition("::")[2])
    return name.rstrip("_") if function._schema.is_mutable else name


def named_arguments(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operation by the names of its schema."""
    names = [argument.name for argument in function._schema.arguments]
    return dict(zip(names, args, strict=False)) | kwargs


def bias_of(operation: str, named: dict[str, Any]) -> torch.Tensor | None:
    """Return the bias among an operation's arguments."""
    found = named.get("self" if operation in _ADDING else "bias")
    return found if isinstance(found, torch.Tensor) else None


def again(function: Any, named: dict[str, Any]) -> Any:
    """Call an operation by the names of its arguments."""
    places = [a.name for a in function._schema.arguments if not a.kwarg_only and a.name in named]
    rest = {name: value for name, value in named.items() if name not in places}
    return function(*(named[name] for name in places), **rest)


def replayed(
    function: Any, named: dict[str, Any], operands: Sequence[torch.Tensor]
) -> Replay | None:
    """Return an elementwise operation as a function of its tensors, or None if these are nested."""
    names = [next((n for n, v in named.items() if v is x), None) for x in operands]
    if None in names:
        return None
    rest = {n: v for n, v in named.items() if n not in names and not isinstance(v, torch.Tensor)}

    def replay(values: Sequence[torch.Tensor]) -> torch.Tensor:
        given = dict(zip(names, (x.clone() for x in values), strict=True))
        result: torch.Tensor = next(tensors(again(function, rest | given)))
        return result

    return replay


def is_view(function: Any) -> bool:
    """Return whether an operation gives a view of its operand."""
    returned = function._schema.returns
    alias = returned[0].alias_info if returned else None
    return alias is not None and not alias.is_write


def carries(x: torch.Tensor) -> bool:
    """Return whether a tensor has floating-point elements in memory."""
    return bool(
        x.is_floating_point()
        and x.layout == torch.strided
        and x.numel()
        and x.device.type != "meta"
    )


def address_of(x: torch.Tensor) -> int:
    """Return the address of a tensor's storage, which its views share."""
    return int(x.untyped_storage().data_ptr())


def moments(x: torch.Tensor) -> tuple[float, float]:
    """Return the averages of x and x², accumulated in float64."""
    x = x.detach()
    return float(x.mean(dtype=torch.float64)), _square(x)


def _square(x: torch.Tensor) -> float:
    norm = float(torch.linalg.vector_norm(x.detach(), dtype=torch.float64))
    return norm * norm / int(x.numel())


def unit_axis(operation: str) -> int:
    """Return the axis of units in the result of an operation that adds a bias."""
    channels = operation in CONVOLUTIONS or "batch_norm" in operation or "group_norm" in operation
    return 1 if channels else -1


def silenced_units(x: torch.Tensor, bias: torch.Tensor, axis: int) -> torch.Tensor | None:
    """Return which units are nowhere above 0, and somewhere would be without their bias.

    Parameters
    ----------
    x : torch.Tensor
        What a rectifier gets.
    bias : torch.Tensor
        (units,), a part of `x`.
    axis : int
        Of the units.

    Returns
    -------
    torch.Tensor or None
        Bool, (units,); None where the bias has another length.
    """
    if bias.ndim != 1 or x.shape[axis] != len(bias):
        return None
    rows = x.detach().movedim(axis, -1).reshape(-1, len(bias)).amax(0)
    return (rows <= 0.0) & (rows - bias.detach() > 0.0)


def power_of(operation: str, result: torch.Tensor, bias: Any) -> float:
    """Return the mean square of a result without its bias."""
    if not isinstance(bias, torch.Tensor):
        return _square(result)
    if operation in CONVOLUTIONS:
        bias = bias.reshape(-1, *[1] * (result.ndim - 2))
    return _square(result.detach() - bias.detach())


def gain_of(function: Any, operation: str, named: dict[str, Any], weight: torch.Tensor) -> float:
    """Return the expected ratio of mean squares, as `Use` has it."""
    weight = weight.detach()
    if operation in LOOKUPS:
        return _square(weight)
    if operation in CONVOLUTIONS:
        signal = named["input"]
        # the operation itself sums the squared entries that each place of the result is made of
        ones = torch.ones_like(signal[:1], dtype=torch.float32)
        squares = named | {"input": ones, "weight": weight.float() ** 2, "bias": None}
        return float(again(function, squares).mean(dtype=torch.float64))
    return float(_square(weight) * weight.numel() / _outputs(operation, named, weight))


def _outputs(operation: str, named: dict[str, Any], weight: torch.Tensor) -> int:
    """Return how many results a matrix makes of one signal."""
    inner = -1
    if operation != "linear":
        added = operation in _ADDING
        factors = [x for x in named.values() if isinstance(x, torch.Tensor)][added:]
        inner = -1 if factors[0] is weight else -2
    return int(weight.numel() // weight.shape[inner])
