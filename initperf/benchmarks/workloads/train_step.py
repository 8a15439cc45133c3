"""Steps of gradient descent on a perceptron: gather, forward, loss, backward, update.

A call takes eight steps, so that weights and work space are in the cache and the Python overhead
of a call is shared, as in training.

Instrumented methods also take statistics of weights, gradients and activations of every layer in
each step. Rivals are plain NumPy as one writes it by hand, scikit-learn's ``partial_fit``
and PyTorch's eager mode, instrumented by forward hooks.
"""

from collections.abc import Callable
from functools import partial
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from initperf.benchmarks.limits import Limit, gemm
from initperf.benchmarks.workloads._workload import Call, Method, Size, Workload, register
from initperf.jit.blas import blas_threads
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import Batches, Descent, Records
from initperf.training.network import Mlp

Shape = tuple[int, ...]

_BY_HAND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a * a),
}
"""Activations, and their slopes as functions of their values."""

_RATE = 1e-4
STEPS = 8
_GEMM_SIZE = 1024


def _size(batch: int, *sizes: int) -> Size:
    values = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))
    widths = []
    for width, equal in groupby(sizes):
        count = len(list(equal))
        widths.append(f"{count}x{width}" if count > 1 else f"{width}")
    return Size(f"{'-'.join(widths)}, {STEPS} steps of {batch}", (batch, *sizes), values)


def _problem(
    shape: Shape, dtype: str, activation: str = "relu", backend: str = "numba"
) -> tuple[Mlp, Any, Any]:
    batch, *sizes = shape
    rng = np.random.default_rng(0)
    network = Mlp(sizes, activation, dtype, backend).initialize("he_normal", rng=0)
    images = rng.standard_normal((batch, sizes[0])).astype(dtype)
    return network, images, np.arange(batch) % sizes[-1]


def _ours(
    backend: str, activation: str, instrumented: bool, shape: Shape, dtype: str, threads: int
) -> Call:
    network, images, labels = _problem(shape, dtype, activation, backend)
    arguments = (
        network.arrays(len(images)),
        Batches(images, labels, np.tile(np.arange(len(images)), STEPS), len(images)),
        Descent.plain(np.full(STEPS, _RATE), network.parameters),
        Records.of(STEPS, network.depth, recorded=int(instrumented) * STEPS),
    )
    step = KERNELS["train_epoch"][backend]

    def call() -> Any:
        with blas_threads(threads):
            step(*arguments)
        return arguments[-1].losses

    return call


def _numpy(activation: str, shape: Shape, dtype: str, threads: int) -> Call:
    network, images, labels = _problem(shape, dtype, activation)
    value, slope_of_value = _BY_HAND[activation]
    layers = [(weights.copy(), biases.copy()) for weights, biases in network.layers()]
    rows, rate = np.arange(len(images)), np.dtype(dtype).type(_RATE)

    def step() -> Any:
        inputs = [images[rows]]
        for weights, biases in layers[:-1]:
            inputs.append(value(inputs[-1] @ weights + biases))
        weights, biases = layers[-1]
        logits = inputs[-1] @ weights + biases
        logits -= logits.max(axis=1, keepdims=True)
        delta = np.exp(logits)
        delta /= delta.sum(axis=1, keepdims=True)
        loss = -np.log(delta[rows, labels]).mean()
        delta[rows, labels] -= 1
        delta /= len(rows)
        for x, (weights, biases) in zip(inputs[::-1], layers[::-1], strict=True):
            slope, shift = x.T @ delta, delta.sum(axis=0)
            if x is not inputs[0]:
                delta = (delta @ weights.T) * slope_of_value(x)
            weights -= rate * slope
            biases -= rate * shift
        return loss

    def call() -> Any:
        with blas_threads(threads):
            return np.array([step() for _ in range(STEPS)])

    return call


def _scikit_learn(activation: str, shape: Shape, dtype: str, threads: int) -> Call:
    from sklearn.neural_network import MLPClassifier

    network, images, labels = _problem(shape, dtype, activation)
    classifier = MLPClassifier(
        network.sizes[1:-1].tolist(),
        activation,
        solver="sgd",
        alpha=0.0,
        momentum=0.0,
        nesterovs_momentum=False,
        learning_rate_init=_RATE,
        batch_size=len(images),
        shuffle=False,
    )
    rows = np.arange(len(images))
    classifier.partial_fit(images, labels, classes=np.arange(network.sizes[-1]))
    for (weights, biases), coefficients, intercepts in zip(
        network.layers(), classifier.coefs_, classifier.intercepts_, strict=True
    ):
        coefficients[:], intercepts[:] = weights, biases

    def call() -> Any:
        losses = []
        with blas_threads(threads):
            for _ in range(STEPS):
                classifier.partial_fit(images[rows], labels[rows])
                losses.append(classifier.loss_)
        return np.array(losses)

    return call


def _torch(activation: str, instrumented: bool, shape: Shape, dtype: str, threads: int) -> Call:
    import torch

    network, images, labels = _problem(shape, dtype, activation)
    modules: list[Any] = []
    for weights, biases in network.layers():
        linear = torch.nn.Linear(*weights.shape, dtype=getattr(torch, dtype))
        linear.weight.data.copy_(torch.from_numpy(weights.T.copy()))
        linear.bias.data.copy_(torch.from_numpy(biases.copy()))
        modules += [linear, {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[activation]()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=_RATE)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
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
        ratio = _RATE * norm / torch.linalg.vector_norm(w)
        records.append(torch.stack([*numbers, ratio]))

    if instrumented:
        for module in modules[1:-1:2]:
            module.register_forward_hook(of_activation)

    rows = torch.arange(len(images))

    def step() -> float:
        records.clear()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        if instrumented:
            for module in modules[:-1:2]:
                of_layer(module.weight)
        optimizer.step()
        return float(loss.item())

    def call() -> Any:
        torch.set_num_threads(threads)
        return np.array([step() for _ in range(STEPS)])

    return call


def _check(activation: str, losses: Any, shape: Shape, dtype: str) -> None:
    """Check the first loss: sums of at most 1,000 terms a layer, in the working precision."""
    network, images, labels = _problem(shape, "float64", activation)
    network.parameters[:] = _problem(shape, dtype, activation)[0].parameters
    expected, _ = network.evaluate(images, labels)
    allowed = len(shape) * max(shape) * float(np.finfo(dtype).eps) * expected
    if not abs(float(losses[0]) - expected) <= allowed:
        raise ValueError(f"a loss of {losses[0]:.6g}, not {expected:.6g}")


def _operations(shape: Shape, dtype: str) -> float:
    batch, *sizes = shape
    products = [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]
    return 2.0 * STEPS * batch * (3 * sum(products) - products[0])


def _gemm(shape: Shape, dtype: str, threads: int) -> Limit:
    return gemm(_GEMM_SIZE, dtype, threads)


def methods(activation: str) -> tuple[Method, ...]:
    """Return the methods of a step in a network with an activation, relu or tanh."""
    ours, torch = partial(_ours, "numba", activation), partial(_torch, activation)
    by_hand, scikit_learn = partial(_numpy, activation), partial(_scikit_learn, activation)
    reference = partial(_ours, "numpy", activation, True)
    return (
        Method("numpy_reference", "NumPy reference, instrumented", "reference", reference),
        Method("numpy", "NumPy", "rival", by_hand, "each"),
        Method("scikit_learn", "scikit-learn", "rival", scikit_learn, "each", needs="sklearn"),
        Method("torch", "PyTorch", "rival", partial(torch, False), "each", needs="torch"),
        Method(
            "torch_instrumented",
            "PyTorch, instrumented",
            "rival",
            partial(torch, True),
            "each",
            needs="torch",
        ),
        Method("numba", "Numba", "ours", partial(ours, False), "each"),
        Method("numba_instrumented", "Numba, instrumented", "ours", partial(ours, True), "each"),
    )


WIDE = _size(128, 784, 512, 256, 128, 10)
SMALL = _size(32, 784, 256, 10)
NARROW = _size(128, 784, *[100] * 20, 10)
DEEP = _size(64, 784, *[32] * 50, 10)
TRIAL = _size(4, 20, 12, 5)


def workload(name: str, activation: str, sizes: tuple[Size, ...]) -> Workload:
    """Return the workload of taking steps in networks.

    Parameters
    ----------
    name : str
        Of the workload.
    activation : str
        ``"relu"`` or ``"tanh"``.
    sizes : tuple of Size
        Networks with their batches.

    Returns
    -------
    Workload
    """
    return Workload(
        name=name,
        methods=methods(activation),
        sizes=sizes,
        quick_sizes=(SMALL,),
        check=partial(_check, activation),
        amount=_operations,
        limit=_gemm,
        kernels=("train_epoch",),
        dtypes=("float32",),
        trial=TRIAL,
        pause_seconds=0.02,
    )


WORKLOAD = register(workload("train_step", "relu", (WIDE, SMALL, NARROW, DEEP)))
