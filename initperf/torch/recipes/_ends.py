"""First and last weights of a network, whose rules differ from those between them."""

from torch import nn

from initperf.torch.parameters import Parameter
from initperf.torch.recipes._transformer import HEADS


def is_first(parameter: Parameter) -> bool:
    """Return whether it is the weight that reads the inputs."""
    return parameter.role == "weight" and parameter.position == 0


def is_last(parameter: Parameter) -> bool:
    """Return whether it is the weight that gives the outputs, and not that of the inputs too."""
    return parameter.role == "weight" and parameter.position > 0 and in_last_layer(parameter)


def in_last_layer(parameter: Parameter) -> bool:
    """Return whether its layer gives the outputs: by its name, or as the model's last module."""
    if parameter.layer is not None:
        return False
    return parameter.last in HEADS or parameter.module is _last_layer(parameter.parents[0])


def _last_layer(module: nn.Module) -> nn.Module | None:
    """Return the last module that holds parameters."""
    for child in reversed(list(module.children())):
        found = _last_layer(child)
        if found is not None:
            return found
    return module if module._parameters else None
