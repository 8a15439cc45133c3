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

    Parameters
    ----------
    model : torch.nn.Module
        Its parameters are not copied: a forward pass that writes to them changes them.
    """
    modules = [(module, module.training, dict(module._buffers)) for module in model.modules()]
    held = [(buffer, buffer.detach().clone()) for buffer in set(model.buffers())]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    python, array = random.getstate(), np.random.get_state()  # noqa: NPY002, the user's own state
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(array)  # noqa: NPY002
        for module, training, buffers in modules:
            module.training = training
            module._buffers.clear()
            module._buffers.update(buffers)
        with torch.no_grad():
            # By value: batch normalization writes its statistics without a new version number.
            for buffer, copy in held:
                if not torch.equal(buffer, copy):
                    buffer.copy_(copy)
        for parameter, gradient in gradients:
            parameter.grad = gradient
