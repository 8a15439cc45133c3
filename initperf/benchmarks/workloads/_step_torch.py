"""Training steps of PyTorch: eager, instrumented by forward hooks, and compiled."""

import functools
from typing import Any

import numpy as np

from initperf.benchmarks.workloads._step import RATE, STEPS, Shape, problem
from initperf.benchmarks.workloads._workload import Call

_MOST_COMPILED = 64
"""Variants that are compiled of a step: sizes, activations and numbers of threads."""


def _model(activation: str, shape: Shape, dtype: str) -> tuple[Any, Any, Any]:
    """Return a module with the weights of the problem, and the tensors of the batch."""
    import torch

    network, images, labels = problem(shape, dtype, activation)
    modules: list[Any] = []
    for weights, biases in network.layers():
        linear = torch.nn.Linear(*weights.shape, dtype=getattr(torch, dtype))
        linear.weight.data.copy_(torch.from_numpy(weights.T.copy()))
        linear.bias.data.copy_(torch.from_numpy(biases.copy()))
        modules += [linear, {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[activation]()]
    model = torch.nn.Sequential(*modules[:-1])
    return model, torch.from_numpy(images), torch.from_numpy(labels)


def eager(activation: str, instrumented: bool, shape: Shape, dtype: str, threads: int) -> Call:
    """Prepare eager steps.

    Parameters
    ----------
    activation : str
        Of the hidden layers.
    instrumented : bool
        Whether statistics of weights, gradients and activations are taken.
    shape, dtype, threads
        As of `Method.prepare`.
    """
    import torch

    model, x, y = _model(activation, shape, dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    records: list[Any] = []

    def of_activation(module: Any, inputs: Any, output: Any) -> None:
        z, a = inputs[0].detach(), output.detach()
        zero = a == 0
        records.append(torch.stack([z.mean(), z.var(), a.mean(), a.var(), zero.float().mean()]))
        records.append(zero.all(0).float().mean())

    def of_layer(weight: Any) -> None:
        w, g = weight.detach(), weight.grad
        norm = torch.linalg.vector_norm(g)
        numbers = w.mean(), w.std(), w.abs().max(), norm, g.abs().mean()
        ratio = RATE * norm / torch.linalg.vector_norm(w)
        records.append(torch.stack([*numbers, ratio]))

    if instrumented:
        for module in list(model)[1::2]:
            module.register_forward_hook(of_activation)

    rows = torch.arange(len(x))

    def step() -> float:
        records.clear()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        if instrumented:
            for module in list(model)[::2]:
                of_layer(module.weight)
        optimizer.step()
        return float(loss.item())

    def call() -> Any:
        torch.set_num_threads(threads)
        return np.array([step() for _ in range(STEPS)])

    return call


def compiled(activation: str, shape: Shape, dtype: str, threads: int) -> Call:
    """Prepare steps by ``torch.compile`` and a fused update; parameters as of `eager`."""
    import torch

    model, x, y = _model(activation, shape, dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, fused=True)
    rows, loss_of = torch.arange(len(x)), _compiled_loss()

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(model, x, y, rows)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def call() -> Any:
        torch.set_num_threads(threads)
        return torch.stack([step() for _ in range(STEPS)]).numpy()

    return call


@functools.cache
def _compiled_loss() -> Any:
    """Return the compiled loss, the same function for all preparations of a step."""
    import torch

    torch._dynamo.config.recompile_limit = _MOST_COMPILED

    def loss(model: Any, x: Any, y: Any, rows: Any) -> Any:
        return torch.nn.functional.cross_entropy(model(x[rows]), y[rows])

    return torch.compile(loss, dynamic=False)
