"""Check of what a model's first weights do to signals and gradients."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn

from initperf._core.arguments import number, whole
from initperf.optimizers import OPTIMIZERS, Optimizer
from initperf.torch.signals.finding import Finding
from initperf.torch.signals.judges import judged
from initperf.torch.signals.result import CheckResult
from initperf.torch.signals.running import Loss, Question, Run, run
from initperf.torch.signals.statistics import Measurement
from initperf.torch.signals.truncation import TruncationWatch
from initperf.torch.signals.weights import Descent

Model: TypeAlias = "nn.Module | Callable[[], nn.Module]"


def check(
    model: Model,
    batch: Any,
    loss: Loss | None = None,
    seeds: int = 1,
    *,
    optimizer: str | Optimizer = "sgd",
    rate: float | None = None,
) -> CheckResult:
    """Measure what a model's weights do to a batch and to the gradients, and judge it.

    Nothing of the model is changed: parameters, buffers, gradients, flags, hooks and random states
    are afterwards to the bit what they were. Statistics are taken as results are computed, and
    nothing is kept for them. Operations inside a reentrant checkpoint give no gradients of their
    own, and those of a compiled graph are not seen.

    Parameters
    ----------
    model : torch.nn.Module or callable
        A module keeps its weights over the seeds, and its flags of training stay as they are. A
        function that makes one is called for each seed, under ``torch.manual_seed(seed)``: findings
        are then told apart from the chance of a seed, and truncated normal draws are watched.
    batch : torch.Tensor, tuple, list or dict
        Arguments of the model: a tuple or list is unpacked, a dict gives keywords.
    loss : callable, optional
        From what the model returns to a scalar tensor.
    seeds : int
        Number of runs, with weights, dropout and cotangents of seeds 0, 1, ....
    optimizer : str or Optimizer
        Whose first step is compared with the weights, as `initperf.optimizers.OPTIMIZERS` has it.
    rate : float, optional
        Learning rate. Without one no step is taken.

    Returns
    -------
    CheckResult
        Its ``str`` is the verdict and the table.

    Raises
    ------
    TypeError, ValueError
        For arguments of other kinds, or a model that returns no floating-point tensor. Errors of
        the model itself come through as they are.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> layers = [torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 8)]
    >>> model = initperf.torch.init_(torch.nn.Sequential(*layers), "he_normal", rng=0)
    >>> initperf.torch.check(model, torch.randn(16, 64)).verdict
    'healthy'
    """
    question = Question(batch, loss, _descent(optimizer, rate))
    runs = []
    for seed in range(whole("seeds", seeds, 1)):
        made, cut = _made(model, seed)
        runs.append(run(made, question, seed, cut))
    return _result(runs)


def observe(model: nn.Module, batch: Any, seed: int = 0) -> tuple[Measurement, ...]:
    """Measure the operations of a forward pass, without gradients; the model is restored.

    Parameters
    ----------
    model : torch.nn.Module
    batch : torch.Tensor, tuple, list or dict
        As `check` takes it.
    seed : int
        Of dropout.

    Returns
    -------
    tuple of Measurement
        By the index of their operations.

    Raises
    ------
    ValueError
        For a model that returns no floating-point tensor.
    """
    return run(model, Question(batch, gradients=False), seed, {}).forward


def _descent(optimizer: str | Optimizer, rate: float | None) -> Descent | None:
    chosen = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    if not isinstance(chosen, Optimizer):
        raise TypeError(f"optimizer must be a name or an Optimizer, not {type(chosen).__name__}")
    return None if rate is None else Descent(chosen, number("rate", rate, positive=True))


def _made(model: Model, seed: int) -> tuple[nn.Module, dict[str, float]]:
    """Return the model of a seed, and what truncated draws cut off where it was made."""
    if isinstance(model, nn.Module):
        return model, {}
    if not callable(model):
        raise TypeError(
            f"model must be a module or a function that makes one, not {type(model).__name__}"
        )
    with torch.random.fork_rng(), TruncationWatch() as watch:
        torch.manual_seed(seed)
        made = model()
    if not isinstance(made, nn.Module):
        raise TypeError(f"the function must make a module, not {type(made).__name__}")
    return made, watch.cut(made)


def _result(runs: list[Run]) -> CheckResult:
    found = judged(runs)
    severe: tuple[Finding, ...] = tuple(each for each in found if each.severe)
    return CheckResult(
        operations=runs[0].operations,
        measurements=tuple(each for one in runs for each in one.measurements),
        additions=tuple(each for one in runs for each in one.additions),
        parameters=tuple(each for one in runs for each in one.parameters),
        initial_loss=runs[0].loss,
        findings=severe,
        notes=tuple(each for each in found if not each.severe),
    )
