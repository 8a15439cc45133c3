"""One run of a model: forward, gradients under random cotangents, gradients of the loss."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from initperf.errors import UnsuitableError
from initperf.torch.signals.additions import Addition, additions
from initperf.torch.signals.batches import copied, forward, named_tensors
from initperf.torch.signals.calls import tensors
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.initial_loss import InitialLoss, initial_loss
from initperf.torch.signals.operation_names import named
from initperf.torch.signals.prediction import Known, predictions
from initperf.torch.signals.preserving import preserved
from initperf.torch.signals.recorder import Recorder, graph_of
from initperf.torch.signals.recurrences import Recurrence, recurrences
from initperf.torch.signals.scores import ScoreSpread
from initperf.torch.signals.statistics import Measurement
from initperf.torch.signals.weights import Copies, Descent, ParameterState, copies, states

Loss = Callable[[Any], torch.Tensor]

_REENTRANT = "CheckpointFunctionBackward"


@dataclass(frozen=True)
class Run:
    """What one run showed.

    Attributes
    ----------
    seed : int
    operations : tuple of Operation
    forward : tuple of Measurement
        By the index of their operations.
    backward : tuple of Measurement
        Gradients of both directions, in the order in which they were computed.
    parameters : tuple of ParameterState
    copies : tuple of Copies
        Groups of different weights that are equal, but for a factor.
    recurrences : tuple of Recurrence
        Weights of recurrent layers.
    additions : tuple of Addition
    spreads : tuple of ScoreSpread
    weights : dict of int to tuple of float
        Mean and second moment of the weight of each operation that has one.
    detached : frozenset of int
        Operations whose results are cut off from gradients.
    loss : InitialLoss or None
    cut : dict of str to float
        Share that a truncated normal draw cut off, by parameter; empty where no draw was watched.
    """

    seed: int
    operations: tuple[Operation, ...]
    forward: tuple[Measurement, ...]
    backward: tuple[Measurement, ...]
    parameters: tuple[ParameterState, ...]
    copies: tuple[Copies, ...]
    recurrences: tuple[Recurrence, ...]
    additions: tuple[Addition, ...]
    spreads: tuple[ScoreSpread, ...]
    weights: dict[int, tuple[float, float]]
    detached: frozenset[int]
    loss: InitialLoss | None
    cut: dict[str, float]

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Return the results, then the gradients."""
        return self.forward + self.backward


@dataclass(frozen=True)
class Question:
    """What a run is asked for.

    Attributes
    ----------
    batch : torch.Tensor, tuple, list or mapping
    loss : callable or None
        From what the model returns to a scalar.
    descent : Descent or None
        For the ratio of updates.
    gradients : bool
        Whether gradients are taken.
    """

    batch: Any
    loss: Loss | None = None
    descent: Descent | None = None
    gradients: bool = True


def run(model: nn.Module, question: Question, seed: int, cut: dict[str, float]) -> Run:
    """Run a model once and restore it.

    Parameters
    ----------
    model : torch.nn.Module
    question : Question
    seed : int
        Of dropout and cotangents.
    cut : dict of str to float
        Share that truncated normal draws cut off, by parameter.

    Raises
    ------
    ValueError
        For a model that returns no floating-point tensor with elements, or a loss that is no
        scalar. Errors of the model come through.
    UnsuitableError
        For a parameter that has no shape yet.
    """
    for name, parameter in model.named_parameters():
        if nn.parameter.is_lazy(parameter):
            raise UnsuitableError(f"{name}: it has no shape before the first call")
    with preserved(model), torch.inference_mode(mode=False), torch.enable_grad():
        torch.manual_seed(seed)
        recorder = Recorder(model)
        batch = copied(question.batch)
        recorder.start(named_tensors(batch))
        with recorder:
            result = forward(model, batch)
            loss = None if question.loss is None else question.loss(result)
        ends = [x for x in tensors(result) if x.is_floating_point()]
        _check(ends, loss)
        gradients = _gradients(model, recorder, ends, loss) if question.gradients else {}
        found = states(model, gradients, seed, question.descent)
        scalar = next((x for x in ends if x.ndim == 0), None) if loss is None else loss
        asked = question.loss is not None
        return _assembled(recorder, model, found, seed, scalar, cut, asked=asked)


def _check(ends: Sequence[torch.Tensor], loss: Any) -> None:
    if not ends:
        raise ValueError("the model returns no floating-point tensor")
    if not any(x.numel() for x in ends):
        raise ValueError("the model returns tensors without elements: the batch must hold samples")
    if loss is not None and not (isinstance(loss, torch.Tensor) and loss.numel() == 1):
        shown = tuple(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
        raise ValueError(f"loss must give a scalar, not shape {shown}")


def _gradients(
    model: nn.Module, recorder: Recorder, ends: Sequence[torch.Tensor], loss: torch.Tensor | None
) -> dict[str, torch.Tensor | None]:
    """Take gradients under random cotangents and, with a loss, of the loss; return the last."""
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    starts = [x for x in ends if x.requires_grad]
    roots = [*starts, *([loss] if loss is not None and loss.requires_grad else [])]
    if not roots or not trained:
        return {}
    recorder.follow(roots)
    reentrant = any(node.name() == _REENTRANT for node in graph_of(roots))
    found: dict[str, torch.Tensor | None] = dict.fromkeys(trained)
    if starts:
        recorder.direction = "cotangent"
        more = loss is not None and loss.requires_grad
        found = _backward(trained, starts, _cotangents(starts), reentrant=reentrant, again=more)
    if loss is not None and loss.requires_grad:
        del found
        recorder.direction = "loss"
        found = _backward(trained, [loss], [torch.ones_like(loss)], reentrant=reentrant)
    return found


def _cotangents(ends: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return a normal tensor of norm 1 for each result."""
    found = []
    for x in ends:
        drawn = torch.randn_like(x, dtype=torch.float32)
        found.append((drawn / torch.linalg.vector_norm(drawn)).to(x.dtype))
    return found


def _backward(
    trained: dict[str, nn.Parameter],
    ends: Sequence[torch.Tensor],
    starts: Sequence[torch.Tensor],
    *,
    reentrant: bool,
    again: bool = False,
) -> dict[str, torch.Tensor | None]:
    """Return the gradient of each parameter.

    Parameters
    ----------
    trained : dict of str to torch.nn.Parameter
    ends, starts : sequence of torch.Tensor
        Results, and the gradients that begin there.
    reentrant : bool
        Whether the graph holds a reentrant checkpoint, which allows no list of inputs.
    again : bool
        Whether the graph is needed once more.
    """
    if not reentrant:
        gradients = torch.autograd.grad(
            ends, list(trained.values()), starts, allow_unused=True, retain_graph=again
        )
        return dict(zip(trained, gradients, strict=True))
    for parameter in trained.values():
        parameter.grad = None
    torch.autograd.backward(list(ends), list(starts), retain_graph=again)
    return {name: parameter.grad for name, parameter in trained.items()}


def _assembled(
    recorder: Recorder,
    model: nn.Module,
    found: Sequence[ParameterState],
    seed: int,
    loss: torch.Tensor | None,
    cut: dict[str, float],
    *,
    asked: bool,
) -> Run:
    operations = named(recorder.operations, recorder.places)
    squares = {each.name: each.second_moment for each in found}
    known = Known(operations, recorder.statistics, recorder.weights, squares)
    expected = predictions(known)
    measured = tuple(
        Measurement(
            operation,
            seed,
            "forward",
            recorder.statistics[operation.index],
            recorder.gains[operation.index],
            expected[operation.index],
        )
        for operation in operations
    )
    backward = tuple(
        Measurement(operations[each.index], seed, each.direction, each.statistics, math.nan)
        for each in recorder.gradients
    )
    last = None if loss is None else recorder.index_of(loss)
    if not asked and not recorder.losses:
        last = None  # a model's scalar result, which need not be a loss
    return Run(
        seed=seed,
        operations=tuple(operations),
        forward=measured,
        backward=backward,
        parameters=tuple(found),
        copies=tuple(copies(model, found)),
        recurrences=tuple(recurrences(model)),
        additions=tuple(additions(measured)),
        spreads=tuple(recorder.spreads),
        weights=dict(recorder.weights),
        detached=frozenset(recorder.detached),
        loss=initial_loss(operations, recorder.statistics, recorder.losses, last),
        cut=cut,
    )
