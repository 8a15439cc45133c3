"""Operations of PyTorch as it dispatches them: their arguments, repetition and gains."""

from collections.abc import Sequence
from typing import Any

import torch

from initperf.torch.fixing.graph import Replay
from initperf.torch.signals.calls import signature, tensors
from initperf.torch.signals.classify import MATRICES

CONVOLUTIONS = ("convolution", "convolution_overrideable")
LOOKUPS = ("embedding", "embedding_bag", "embedding_bag_forward_only")
WEIGHTED = (*MATRICES, *CONVOLUTIONS, *LOOKUPS)
NORMALIZING = (
    *("native_layer_norm", "native_group_norm", "fused_rms_norm", "rms_norm"),
    *("softmax", "log_softmax", "safe_softmax"),
)
"""Operations whose result does not depend on the scale of the operand."""


def name_of(function: Any) -> str:
    """Return PyTorch's name of an operation, without underscores at its ends."""
    return signature(function)[0]


def named_arguments(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operation by the names of its schema."""
    return dict(zip(signature(function)[1], args, strict=False)) | kwargs


def bias_of(operation: str, named: dict[str, Any]) -> torch.Tensor | None:
    """Return the bias among an operation's arguments."""
    found = named.get(MATRICES[operation][2] if operation in MATRICES else "bias")
    return found if isinstance(found, torch.Tensor) else None


def again(function: Any, named: dict[str, Any]) -> Any:
    """Call an operation by the names of its arguments."""
    places = [a.name for a in function._schema.arguments if not a.kwarg_only and a.name in named]
    rest = {name: value for name, value in named.items() if name not in places}
    return function(*(named[name] for name in places), **rest)


def replayed(
    function: Any, named: dict[str, Any], operands: Sequence[torch.Tensor]
) -> Replay | None:
    """Return an elementwise operation as a function of its tensors.

    Parameters
    ----------
    function : OpOverload
    named : dict
        Its arguments by name.
    operands : sequence of torch.Tensor
        Those among them that carry a signal.

    Returns
    -------
    callable or None
        None where tensors are nested in lists, or one is a condition or an index.
    """
    names = [name for name, value in named.items() if isinstance(value, torch.Tensor)]
    if len(names) != len(operands):
        return None
    rest = {name: value for name, value in named.items() if name not in names}

    def replay(values: Sequence[torch.Tensor]) -> torch.Tensor:
        given = dict(zip(names, (x.clone() for x in values), strict=True))
        result: torch.Tensor = next(tensors(again(function, rest | given)))
        return result

    return replay


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
    return float(x.mean(dtype=torch.float64)), mean_square(x)


def mean_square(x: torch.Tensor) -> float:
    """Return the average of x², accumulated in float64."""
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
        return mean_square(result)
    if operation in CONVOLUTIONS:
        bias = bias.reshape(-1, *[1] * (result.ndim - 2))
    return mean_square(result.detach() - bias.detach())


def gain_of(function: Any, operation: str, named: dict[str, Any], weight: torch.Tensor) -> float:
    """Return the expected ratio of mean squares, as `Use` has it."""
    if operation in LOOKUPS:
        return mean_square(weight)
    if operation in CONVOLUTIONS:
        signal = named["input"]
        # the operation itself sums the squared entries that each place of the result is made of
        ones = torch.ones_like(signal[:1], dtype=torch.float32)
        squares = named | {"input": ones, "weight": weight.detach().float() ** 2, "bias": None}
        return float(again(function, squares).mean(dtype=torch.float64))
    return float(mean_square(weight) * weight.numel() / _outputs(operation, named, weight))


def _outputs(operation: str, named: dict[str, Any], weight: torch.Tensor) -> int:
    """Return how many results a matrix makes of one signal."""
    left = named[MATRICES[operation][0]]
    inner = -1 if operation == "linear" or left is weight else -2
    return int(weight.numel() // weight.shape[inner])
