"""Steps of gradient descent on a perceptron: gather, forward, loss, backward, update.

A call takes eight steps, so that weights and work space are in the cache and the Python overhead
of a call is shared, as in training.

Instrumented methods also take statistics of weights, gradients and activations of every layer in
each step. Rivals are plain NumPy as one writes it by hand, scikit-learn's ``partial_fit``,
PyTorch's eager mode, instrumented by forward hooks, PyTorch compiled with a fused update, and JAX
compiled with ``lax.scan`` over the steps.
"""

import functools
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from initperf.benchmarks.limits import Limit, gemm
from initperf.benchmarks.workloads import _step_jax, _step_numpy, _step_torch
from initperf.benchmarks.workloads._step import (
    DEEP,
    NARROW,
    RATE,
    SMALL,
    STEPS,
    TRIAL,
    WIDE,
    Shape,
    problem,
)
from initperf.benchmarks.workloads._workload import Call, Method, Size, Workload, register
from initperf.jit.blas import blas_threads
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import Batches, Descent, Records

_GEMM_SIZE = 1024


def _ours(
    backend: str, activation: str, instrumented: bool, shape: Shape, dtype: str, threads: int
) -> Call:
    network, images, labels = problem(shape, dtype, activation, backend)
    arguments = (
        network.arrays(len(images)),
        Batches(images, labels, np.tile(np.arange(len(images)), STEPS), len(images)),
        Descent.plain(np.full(STEPS, RATE), network.parameters),
        Records.of(STEPS, network.depth, recorded=int(instrumented) * STEPS),
    )
    step = KERNELS["train_epoch"][backend]

    def call() -> Any:
        with blas_threads(threads):
            step(*arguments)
        return arguments[-1].losses

    return call


def _check(activation: str, losses: Any, shape: Shape, dtype: str) -> None:
    """Check the first loss: sums of at most 1,000 terms a layer, in the working precision."""
    expected = _first_loss(activation, shape, dtype)
    allowed = len(shape) * max(shape) * float(np.finfo(dtype).eps) * expected
    if not abs(float(losses[0]) - expected) <= allowed:
        raise ValueError(f"a loss of {losses[0]:.6g}, not {expected:.6g}")


@functools.cache
def _first_loss(activation: str, shape: Shape, dtype: str) -> float:
    """Return the loss of a network before its first step, computed in float64.

    Parameters
    ----------
    activation : str
    shape : tuple of int
        See `problem`.
    dtype : str
        Of the parameters.
    """
    network, images, labels = problem(shape, "float64", activation, "numpy")
    network.parameters[:] = problem(shape, dtype, activation)[0].parameters
    return network.evaluate(images, labels)[0]


def _operations(shape: Shape, dtype: str) -> float:
    batch, *sizes = shape
    products = [fan_in * fan_out for fan_in, fan_out in pairwise(sizes)]
    return 2.0 * STEPS * batch * (3 * sum(products) - products[0])


def _gemm(shape: Shape, dtype: str, threads: int) -> Limit:
    return gemm(_GEMM_SIZE, dtype, threads)


def methods(activation: str) -> tuple[Method, ...]:
    """Return the methods of a step in a network with an activation, relu or tanh."""
    ours, torch = partial(_ours, "numba", activation), partial(_step_torch.eager, activation)
    numpy = partial(_step_numpy.by_hand, activation)
    scikit_learn = partial(_step_numpy.scikit_learn, activation)
    compiled = partial(_step_torch.compiled, activation)
    jax = partial(_step_jax.scanned, activation)
    reference = partial(_ours, "numpy", activation, True)
    return (
        Method("numpy_reference", "NumPy reference, instrumented", "reference", reference),
        Method("numpy", "NumPy", "rival", numpy, "each"),
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
        Method(
            "torch_compiled",
            "PyTorch, compiled",
            "rival",
            compiled,
            "each",
            needs="torch",
            program="g++",
        ),
        Method("jax", "JAX", "rival", partial(jax, False), "all", needs="jax"),
        Method(
            "jax_instrumented", "JAX, instrumented", "rival", partial(jax, True), "all", needs="jax"
        ),
        Method("numba", "Numba", "ours", partial(ours, False), "each"),
        Method("numba_instrumented", "Numba, instrumented", "ours", partial(ours, True), "each"),
    )


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
