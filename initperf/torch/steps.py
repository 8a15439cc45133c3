"""A few steps of training, and how far they move the results of each layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from initperf.torch.parameters import parameters
from initperf.torch.signals.batches import copied, forward
from initperf.torch.signals.calls import tensors

Optimizer = Callable[[nn.Module], torch.optim.Optimizer]


@dataclass(frozen=True)
class Movement:
    """Result of one layer after some steps.

    Attributes
    ----------
    layer : str
        Name of the module.
    order : int
        Place of the layer in the order of execution.
    step : int
        From 1.
    size, change : float
        Root mean squares of the result, and of its difference from that before training.
    """

    layer: str
    order: int
    step: int
    size: float
    change: float


def train_steps(
    model: nn.Module,
    batch: Any,
    steps: int,
    optimizer: Optimizer,
    loss: Callable[[Any], torch.Tensor] | None,
) -> list[Movement]:
    """Train a model on one batch, and record the results of its layers after each step.

    Parameters
    ----------
    model : torch.nn.Module
        It is changed.
    batch : torch.Tensor, tuple, list or dict
    steps : int
    optimizer : callable
        From a model to its optimizer.
    loss : callable or None
        From what the model returns to a scalar tensor; None for the mean square of the difference
        from normal targets.

    Raises
    ------
    ValueError
        When the model has no layer with weights, or gives no floating-point tensor.
    """
    layers = _layers(model)
    if not layers:
        raise ValueError("the model has no layer with weights")
    stepper = optimizer(model)
    first, result = _results(model, batch, layers)
    ends = [x for x in tensors(result) if x.is_floating_point()]
    if not ends:
        raise ValueError("the model returns no floating-point tensor")
    targets = [torch.randn_like(x) for x in ends]
    found = []
    for step in range(1, steps + 1):
        stepper.zero_grad()
        value = _mean_square(result, targets) if loss is None else loss(result)
        value.backward()
        stepper.step()
        now, result = _results(model, batch, layers)
        found += [
            Movement(name, order, step, _root_mean_square(x), _root_mean_square(x - first[name]))
            for order, (name, x) in enumerate(now.items())
        ]
    return found


def _layers(model: nn.Module) -> dict[nn.Module, str]:
    """Return the modules that hold weights of their own, and their names."""
    held: dict[nn.Module, str] = {}
    for parameter in parameters(model):
        if parameter.role in ("weight", "embedding"):
            name = parameter.name.rpartition(".")[0] or "model"
            held.setdefault(parameter.module, name)
    return held


def _results(
    model: nn.Module, batch: Any, layers: dict[nn.Module, str]
) -> tuple[dict[str, torch.Tensor], Any]:
    """Return the first floating-point result of each layer's last call, and the model's."""
    found: dict[str, torch.Tensor] = {}

    def keep(module: nn.Module, _given: Any, result: Any) -> None:
        x = next((x for x in tensors(result) if x.is_floating_point()), None)
        if x is not None:
            found[layers[module]] = x.detach().clone()

    # dropout with the same masks each time: what changes is then the weights' doing
    torch.manual_seed(0)
    handles = [module.register_forward_hook(keep) for module in layers]
    try:
        result = forward(model, copied(batch))
    finally:
        for handle in handles:
            handle.remove()
    return found, result


def _mean_square(result: Any, targets: list[torch.Tensor]) -> torch.Tensor:
    ends = [x for x in tensors(result) if x.is_floating_point()]
    losses = [((x - y) ** 2).mean() for x, y in zip(ends, targets, strict=True)]
    return torch.stack(losses).sum()


def _root_mean_square(x: torch.Tensor) -> float:
    norm = float(torch.linalg.vector_norm(x, dtype=torch.float64))
    return norm / float(x.numel()) ** 0.5
