"""Kind, parents, fans and factors of an operation, from its call."""

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from initperf.torch.signals.calls import Call, Operand, root_mean_square
from initperf.torch.signals.forks import Ancestry
from initperf.torch.signals.graph import Operation
from initperf.torch.signals.nonlinearities import activation_of_call, is_activation

MATRICES = {
    "mm": ("self", "mat2", ""),
    "bmm": ("self", "mat2", ""),
    "addmm": ("mat1", "mat2", "self"),
    "baddbmm": ("batch1", "batch2", "self"),
    "linear": ("input", "weight", "bias"),
    "mv": ("self", "vec", ""),
    "addmv": ("mat", "vec", "self"),
}
"""Matrix products: names of the arguments left, right and added."""

_NORMS = (
    "native_layer_norm",
    "native_group_norm",
    "native_batch_norm",
    "native_batch_norm_legit",
    "native_batch_norm_legit_no_training",
    "batch_norm_with_update",
    "cudnn_batch_norm",
    "fused_rms_norm",
)
_LOSSES = (
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy",
    "kl_div",
    "log_softmax",
)
_KINDS = {
    "embedding": "embedding",
    "embedding_bag": "embedding",
    "softmax": "softmax",
    "safe_softmax": "softmax",
    "cat": "join",
    "stack": "join",
    "mean": "pool",
    "amax": "pool",
    "neg": "scale",
    "native_dropout": "scale",
    "add": "add",
    "sub": "add",
    "rsub": "add",
    "mul": "scale",
    "div": "scale",
}
_LAYERS = ("linear", "convolution", "recurrent", "embedding", "attention")


class Classifier:
    """Makes operations from calls, in the order of a run.

    Parameters
    ----------
    recurrent : container of str
        Paths of recurrent layers: what a step reads and its state are no trunk and branch.

    Attributes
    ----------
    operations : list of Operation
        Without names; a recorder may replace one.
    """

    def __init__(self, recurrent: Container[str] = ()) -> None:
        self.operations: list[Operation] = []
        self._recurrent = recurrent
        self._ancestry = Ancestry()
        self._averages: set[int] = set()

    def start(self, name: str, shape: Iterable[int]) -> Operation:
        """Add a tensor of the batch.

        Parameters
        ----------
        name : str
        shape : iterable of int
        """
        operation = Operation(len(self.operations), name, "", "input", "input", (), tuple(shape))
        self.operations.append(operation)
        self._ancestry.add((), layer=False)
        return operation

    def activation(self, call: Call) -> str:
        """Return the name of the activation that a call computes, or ``""``."""
        if _kind(call.operation) != "activation":
            return ""
        return activation_of_call(call.operation, call.given)

    def add(self, call: Call, module: str, result: torch.Tensor) -> Operation:
        """Add the operation of a call.

        Parameters
        ----------
        call : Call
        module : str
            Path of the module that calls.
        result : torch.Tensor
            The first of its results.
        """
        parents = tuple(dict.fromkeys(i for each in call.signals for i in each.origin.operations))
        names = (name for each in call.operands if each.own for name in each.origin.parameters)
        plain = Operation(
            index=len(self.operations),
            name="",
            module=module,
            operation=call.operation,
            kind=_kind(call.operation),
            parents=parents,
            shape=tuple(result.shape),
            parameters=tuple(dict.fromkeys(names)),
        )
        operation = self._described(plain, call)
        if operation.unit_axis == -1:
            operation = replace(operation, unit_axis=self._unit_axis(operation))
        self.operations.append(operation)
        self._ancestry.add(operation.parents, layer=operation.kind in _LAYERS)
        if operation.kind == "softmax" or (
            operation.kind in ("scale", "other") and self._averages.intersection(operation.parents)
        ):
            self._averages.add(operation.index)
        return operation

    def _described(self, plain: Operation, call: Call) -> Operation:
        if call.operation in MATRICES:
            return self._product(plain, call)
        if call.operation == "convolution":
            return _convolution(plain, call)
        if plain.kind == "embedding":
            weight = call.operand("weight")
            return replace(plain, weight=_name(weight))
        if plain.kind == "activation":
            return replace(plain, activation=activation_of_call(call.operation, call.given))
        if plain.kind == "norm":
            return _norm(plain, call)
        if plain.kind == "attention":
            key = call.operand("key")
            return replace(plain, terms=float(key.tensor.shape[-2]) if key else 0.0)
        if plain.kind == "add":
            return self._sum(plain, call)
        if plain.kind == "scale":
            return _scale(plain, call)
        return plain

    def _product(self, plain: Operation, call: Call) -> Operation:
        names = MATRICES[call.operation]
        left, right, added = (call.operand(name) for name in names)
        if left is None or right is None:
            return plain
        if left.signal and right.signal:
            averages = self._averages.intersection(left.origin.operations)
            inner = left.tensor.shape[-1]  # keys, of an attention
            kind = "attention" if averages else "scores"
            parents = _last(left, right) if kind == "scores" else plain.parents
            return replace(plain, kind=kind, parents=parents, terms=float(inner))
        weight = next((each for each in (right, left) if each.own), None)
        if weight is None:
            return plain
        shape = weight.tensor.shape
        turned = call.operation == "linear" or weight is left
        inputs, outputs = (shape[-1], shape[0] if len(shape) < 3 else shape[-2])
        if not turned:
            inputs, outputs = (shape[-2] if len(shape) > 1 else shape[-1], shape[-1])
        return replace(
            plain,
            kind="linear",
            weight=_name(weight),
            bias=_name(added),
            fan_in=int(inputs),
            fan_out=int(outputs),
            terms=float(inputs),
            unit_axis=-2 if weight is left and len(plain.shape) > 1 else -1,
        )

    def _sum(self, plain: Operation, call: Call) -> Operation:
        signals = call.signals
        if len(signals) < 2:
            return replace(plain, offset=_offset(call), bias=_bias(call))
        first, second = signals[0].origin.operations[-1], signals[1].origin.operations[-1]
        if first == second:
            return plain
        apart = self._ancestry.trunk_and_branch(first, second)
        if apart is not None and plain.module not in self._recurrent:
            return replace(plain, kind="residual", parents=apart)
        return replace(plain, parents=(first, second))

    def _unit_axis(self, operation: Operation) -> int:
        """Return the axis of units: that of an operand of as many axes, or the last."""
        dimensions = len(operation.shape)
        if operation.kind == "norm" and "layer" not in operation.operation:
            return 1 if dimensions > 2 and "rms" not in operation.operation else -1
        if operation.kind in ("linear", "convolution", "embedding", "recurrent", "attention"):
            return -1
        for parent in operation.parents[:1]:
            other = self.operations[parent]
            axis = other.unit_axis % dimensions if dimensions else -1
            same = len(other.shape) == dimensions and axis >= 0
            if same and (
                operation.kind in ("join", "pool") or other.shape[axis] == operation.shape[axis]
            ):
                return other.unit_axis
        return -1


def _kind(operation: str) -> str:
    found = _KINDS.get(operation)
    if found:
        return found
    if is_activation(operation):
        return "activation"
    if operation in _NORMS:
        return "norm"
    if operation.startswith("scaled_dot_product"):
        return "attention"
    if operation.startswith(_LOSSES):
        return "loss"
    if "pool" in operation:
        return "pool"
    if "lstm" in operation or "gru" in operation or "rnn" in operation:
        return "recurrent"
    return "other"


def _name(operand: Operand | None) -> str:
    return operand.origin.parameters[0] if operand is not None and operand.own else ""


def _last(*operands: Operand) -> tuple[int, ...]:
    return tuple(each.origin.operations[-1] for each in operands)


def _convolution(plain: Operation, call: Call) -> Operation:
    weight = call.operand("weight")
    image = call.operand("input")
    if weight is None or image is None or not weight.own or not image.signal:
        return plain
    given, shape = call.given, weight.tensor.shape
    transposed, groups = bool(given["transposed"]), int(given["groups"])
    field = math.prod(shape[2:])
    taps = math.prod(_taps(given, image.tensor.shape, shape, plain.shape))
    stride = math.prod(given["stride"]) if transposed else 1
    inputs = shape[0] // groups if transposed else shape[1]
    outputs = shape[1] if transposed else shape[0] // groups
    return replace(
        plain,
        kind="convolution",
        weight=_name(weight),
        bias=_name(call.operand("bias")),
        fan_in=max(1, inputs * field // stride),
        fan_out=outputs * field,
        terms=inputs * taps,
        unit_axis=1,
    )


def _taps(
    given: dict[str, Any], image: Sequence[int], weight: Sequence[int], result: Sequence[int]
) -> list[float]:
    """Return, for each axis of places, how many of the weight's places an output sums on average.

    Parameters
    ----------
    given : dict
        Arguments of the convolution.
    image, weight, result : sequence of int
        Shapes.
    """
    found = []
    for axis, width in enumerate(weight[2:]):
        stride, padding, dilation = (
            int(given[name][min(axis, len(given[name]) - 1)])
            for name in ("stride", "padding", "dilation")
        )
        inner, outer = int(image[2 + axis]), int(result[2 + axis])
        if given["transposed"]:
            inner, outer = outer, inner
        places = torch.arange(outer)[:, None] * stride - padding + torch.arange(width) * dilation
        pairs = int(((places >= 0) & (places < inner)).sum())
        found.append(pairs / int(result[2 + axis]))
    return found


def _norm(plain: Operation, call: Call) -> Operation:
    given = call.given
    epsilon = float(given.get("eps") or given.get("epsilon") or 0.0)
    described = replace(
        plain,
        weight=_name(call.operand("weight")),
        bias=_name(call.operand("bias")),
        epsilon=epsilon,
    )
    variance = given.get("running_var")
    stored = variance is not None and not given.get(
        "training", "no_training" not in plain.operation
    )
    if variance is None or not stored:
        return described
    divisor = (variance.detach().double() + epsilon).rsqrt()
    return replace(described, factor=root_mean_square(divisor))


def _offset(call: Call) -> float:
    """Return the root mean square of what is added to the one signal."""
    others = [root_mean_square(each.tensor) for each in call.operands if not each.signal]
    number = call.given.get("other")
    if isinstance(number, (int, float)):
        others.append(abs(float(number)))
    return math.sqrt(sum(each * each for each in others))


def _bias(call: Call) -> str:
    return next((_name(each) for each in call.operands if each.own), "")


def _scale(plain: Operation, call: Call) -> Operation:
    given = call.given
    if plain.operation == "neg":
        return replace(plain, factor=1.0)
    if plain.operation == "native_dropout":
        kept = 1.0 - float(given.get("p", 0.0)) if given.get("train", True) else 1.0
        return replace(plain, factor=1.0 / math.sqrt(kept) if kept > 0.0 else 0.0)
    if len(call.signals) > 1:
        first, second = (each.origin.operations[-1] for each in call.signals[:2])
        return replace(plain, kind="other" if first == second else "product")
    number = given.get("other")
    divides = plain.operation == "div"
    if isinstance(number, (int, float)):
        factor = abs(float(number))
        factor = (1.0 / factor if factor else math.inf) if divides else factor
        return replace(plain, factor=factor)
    other = next((each for each in call.operands if not each.signal), None)
    if other is None:
        return replace(plain, kind="other")
    if divides and other.tensor is not given.get("other"):
        return replace(plain, kind="other")  # a number divided by the signal
    factor = root_mean_square(other.tensor.detach().reciprocal() if divides else other.tensor)
    return replace(plain, factor=factor)
