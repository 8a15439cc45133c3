"""A model, a batch and a loss for the command line, tried before they are measured."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from initperf.errors import UsageError
from initperf.torch.batch_files import TARGETS, Batch, read_batch
from initperf.torch.factories import factory_of, made
from initperf.torch.losses import OWN, Loss, loss_by_name
from initperf.torch.signals.batches import copied, forward
from initperf.torch.signals.preserving import preserved


def prepared(
    name: str, path: Path, loss: str | None
) -> tuple[Callable[[], nn.Module], Any, Loss | None]:
    """Return what `initperf.torch.check` takes: a function that makes the model, batch, loss.

    Parameters
    ----------
    name : str
        ``"package.module:factory"``.
    path : pathlib.Path
        The batch, as `read_batch` reads it.
    loss : str or None
        As `loss_by_name` takes it.

    Raises
    ------
    UsageError
        With the model's own error first when it does not run on the batch, or the loss's.
    DataError
        When the batch cannot be read.
    """
    factory = factory_of(name, "model")

    def make() -> nn.Module:
        return made(factory, name, "model")

    with torch.random.fork_rng():
        model = make()
    batch = read_batch(path, model, has_loss=loss not in (None, OWN))
    chosen = None if loss is None else loss_by_name(loss, batch.target)
    with preserved(model), torch.no_grad():
        try:
            result = forward(model, copied(batch.inputs))
        except Exception as error:
            what = f"{name} does not run on {path} ({batch.described}){_unused(batch, loss)}"
            raise _told(error, what) from error
        try:
            _ = chosen and chosen(result)
        except UsageError:
            raise
        except Exception as error:
            raise _told(error, f"the loss {loss} of what {name} returns for {path}") from error
    return make, batch.inputs, chosen


def _unused(batch: Batch, loss: str | None) -> str:
    """Say that an array that the model got is one that losses take, where no loss is asked for."""
    given = batch.inputs if loss in (None, OWN) and isinstance(batch.inputs, dict) else {}
    found = next((name for name in TARGETS if name in given), None)
    return "" if found is None else f"; {found} goes to the model, as there is no --loss for it"


def _told(error: Exception, what: str) -> UsageError:
    """Return an error that begins with the one of somebody else's code."""
    return UsageError(f"{type(error).__name__}: {error}: {what}")
