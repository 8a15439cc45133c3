"""A workload that is done in no time, made of methods that each return a number."""

import dataclasses

from initperf._core.registry import Registry
from initperf.benchmarks import controls, speed
from initperf.benchmarks.limits import Limit
from initperf.benchmarks.workloads import Method, Workload, matrix

SMALL = matrix(24, 16)


def made(value, **options):
    options = {"name": "m", "label": "M", "role": "rival", **options}
    return Method(prepare=lambda shape, dtype, threads: lambda: value, **options)


def check(array, shape, dtype):
    if array != 1:
        raise ValueError(f"made {array}")


def workload_of(*methods):
    return Workload(
        name="w",
        methods=methods,
        sizes=(SMALL,),
        quick_sizes=(SMALL,),
        check=check,
        amount=lambda shape, dtype: 100.0,
        limit=lambda shape, dtype, threads: Limit("stores", 50.0 * threads, "B/s", threads),
        kernels=(),
    )


def replace_workloads(monkeypatch):
    """Put a registry of two workloads in the place of the real one, timed for no time at all."""
    workload = workload_of(
        made(1, name="numpy_reference", label="NumPy reference", role="reference"),
        made(1, name="numpy", label="NumPy"),
        made(1, name="numba", label="Numba", role="ours", threads="each"),
    )
    registry = Registry("workload")
    for name in ("first", "second"):
        registry.register(name, dataclasses.replace(workload, name=name, kernels=("k", "l")))
    monkeypatch.setattr(speed, "WORKLOADS", registry)
    monkeypatch.setattr(speed, "FULL_SECONDS", 0.02)
    monkeypatch.setattr(speed, "QUICK_SECONDS", 0.02)
    monkeypatch.setattr(controls, "SECONDS", 0.0)
    monkeypatch.setattr(controls, "CONTROLS", controls.CONTROLS[:1])
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    return registry
