"""Several instrumented training runs, side by side or one after another.

There are as many runs as processors, each with arrays of its own. Ours run side by side, one thread
each; a rival's run one after another, each at its best number of threads, as a loop over
experiments does, and JAX's as one computation by ``vmap``. Plain NumPy, which replaces PyTorch
where that is missing, takes no statistics. Ours one after another on one thread show the cost of
running side by side: two runs then take twice the time of one.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from initperf._core.parallel import default_threads, side_by_side
from initperf.benchmarks.limits import Limit
from initperf.benchmarks.workloads import _step, _step_jax, train_step
from initperf.benchmarks.workloads._workload import Call, Method, Size, Workload, register

Prepare = Callable[[tuple[int, ...], str, int], Call]

_PEER = {method.name: method.prepare for method in train_step.methods("relu")}


def _size(network: Size) -> Size:
    runs = default_threads()
    label = f"{network.label}, {runs} run{'s' if runs > 1 else ''}"
    return Size(label, network.shape, runs * network.values)


def _runs(prepare: Prepare, shape: tuple[int, ...], dtype: str, threads: int) -> list[Call]:
    return [prepare(shape, dtype, threads) for _ in range(default_threads())]


def _in_turn(prepare: Prepare, shape: tuple[int, ...], dtype: str, threads: int) -> Call:
    runs = _runs(prepare, shape, dtype, threads)
    return lambda: np.array([run() for run in runs])


def _side_by_side(prepare: Prepare, shape: tuple[int, ...], dtype: str, threads: int) -> Call:
    runs = _runs(prepare, shape, dtype, threads)

    def call() -> Any:
        return np.array(list(side_by_side(lambda run: run(), runs, len(runs))))

    return call


def _by_vmap(shape: tuple[int, ...], dtype: str, threads: int) -> Call:
    return _step_jax.over_seeds(default_threads(), shape, dtype, threads)


def _check(losses: Any, shape: tuple[int, ...], dtype: str) -> None:
    if len(losses) != default_threads():
        raise ValueError(f"{len(losses)} runs, not {default_threads()}")
    for run in losses:
        train_step.WORKLOAD.check(run, shape, dtype)


def _operations(shape: tuple[int, ...], dtype: str) -> float:
    return default_threads() * train_step.WORKLOAD.amount(shape, dtype)


def _gemm(shape: tuple[int, ...], dtype: str, threads: int) -> Limit:
    return train_step.WORKLOAD.limit(shape, dtype, default_threads())


register(
    Workload(
        name="training_sweep",
        methods=(
            Method(
                "numpy_reference",
                "NumPy reference, in turn",
                "reference",
                partial(_in_turn, _PEER["numpy_reference"]),
                largest=2**18,
            ),
            Method("numpy", "NumPy, plain, in turn", "rival", partial(_in_turn, _PEER["numpy"])),
            Method(
                "torch_instrumented",
                "PyTorch, in turn",
                "rival",
                partial(_in_turn, _PEER["torch_instrumented"]),
                "each",
                needs="torch",
            ),
            Method(
                "torch_compiled",
                "PyTorch, compiled, in turn",
                "rival",
                partial(_in_turn, _PEER["torch_compiled"]),
                "each",
                needs="torch",
                program="g++",
            ),
            Method("jax", "JAX, vmap over runs", "rival", _by_vmap, "all", needs="jax"),
            Method(
                "numba_in_turn",
                "Numba, in turn",
                "ours",
                partial(_in_turn, _PEER["numba_instrumented"]),
            ),
            Method(
                "numba_instrumented",
                "Numba, side by side",
                "ours",
                partial(_side_by_side, _PEER["numba_instrumented"]),
            ),
        ),
        sizes=(_size(_step.WIDE), _size(_step.DEEP)),
        quick_sizes=(_size(_step.DEEP),),
        check=_check,
        amount=_operations,
        limit=_gemm,
        kernels=("train_epoch",),
        dtypes=("float32",),
        trial=_size(_step.TRIAL),
        pause_seconds=0.02,
    )
)
