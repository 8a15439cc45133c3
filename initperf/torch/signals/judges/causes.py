"""Causes that several judges name: rules of initialization, activations and norms that follow."""

import math

from initperf.theory import signal_gain
from initperf.torch.signals.graph import Operation, children
from initperf.torch.signals.nonlinearities import record_of
from initperf.torch.signals.running import Run

_NEAR = 0.05
_PASSED = ("scale", "add", "activation", "pool")
"""Kinds that a signal passes on its way to the next layer or normalization."""

_REMEDIES = {"relu": "he_normal", "selu": "lecun_normal", "tanh": "xavier_normal"}


def rule_of(square: float, operation: Operation) -> str:
    """Return the rule that gives a weight its second moment; ``""`` for none of the usual ones.

    Parameters
    ----------
    square : float
        Second moment of the weight.
    operation : Operation
        That reads it.
    """
    inputs, outputs = operation.fan_in, operation.fan_out
    slack = _NEAR + 4.0 * math.sqrt(2.0 / max(1, inputs * outputs))
    rules = {
        "Xavier": 2.0 / (inputs + outputs),
        "He": 2.0 / inputs,
        "LeCun": 1.0 / inputs,
        "PyTorch's default": 1.0 / (3.0 * inputs),
    }
    return next((name for name, rule in rules.items() if abs(square / rule - 1.0) < slack), "")


def following(run: Run, index: int) -> tuple[bool, str]:
    """Return whether a normalization follows an operation, and the activation that does.

    Parameters
    ----------
    run : Run
    index : int
        The operation; what follows is looked for up to the next layer or residual addition.
    """
    readers = children(run.operations)
    waiting, normalized, activation = list(readers[index]), False, ""
    seen: set[int] = set()
    while waiting:
        each = run.operations[waiting.pop(0)]
        if each.index in seen:
            continue
        seen.add(each.index)
        if each.kind == "norm":
            normalized = True
            waiting.extend(readers[each.index])
        elif each.kind in _PASSED:
            activation = activation or each.activation
            waiting.extend(readers[each.index])
    return normalized, activation


def critical_gain(activation: str) -> float:
    """Return the factor √(fan-in E[w²]) that keeps a signal; 1 where the activation is unknown.

    Parameters
    ----------
    activation : str
        As `following` returns it.
    """
    record = record_of(activation)
    return 1.0 if record is None else float(signal_gain(record, 1.0))


def remedy(activation: str) -> str:
    """Return which initializer would keep the signal through an activation."""
    name = _REMEDIES.get(activation, "lecun_normal")
    gain = critical_gain(activation)
    usual = activation in _REMEDIES or abs(gain - 1.0) < _NEAR
    return f"{name} would hold" if usual else f"{name} times {gain:.3g} would hold"
