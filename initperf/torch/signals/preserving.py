"""Context in which a model runs and is afterwards as it was."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Restore buffers, flags of training, gradients and random states at the end of a block.

    Casts of weights that autocast keeps are dropped at both ends. A `Recorder` restores the
    parameters that a forward pass writes.

    Parameters
    ----------
    model : torch.nn.Module
        Its buffers are copied; its parameters are not.
    """
    modules = [(module, module.training, dict(module._buffers)) for module in model.modules()]
    held = [(buffer, buffer.detach().clone()) for buffer in set(model.buffers())]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    python, array = random.getstate(), np.random.get_state()  # noqa: NPY002, the user's own state
    torch.clear_autocast_cache()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.clear_autocast_cache()
        random.setstate(python)
        np.random.set_state(array)  # noqa: NPY002
        for module, training, buffers in modules:
            module.training = training
            if isinstance(module._buffers, dict):  # a scripted module has no other buffers
                module._buffers.clear()
                module._buffers.update(buffers)
        with torch.no_grad():
            # By value: batch normalization writes its statistics without a new version number.
            for buffer, copy in held:
                if not torch.equal(buffer, copy):
                    buffer.copy_(copy)
        for parameter, gradient in gradients:
            parameter.grad = gradient
