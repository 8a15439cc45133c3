"""Settings of compiler and libraries: from the environment, the build, or by default."""

import importlib
import os
from collections.abc import Iterable, Iterator

from initperf.benchmarks.doctor._check import Result, System, register

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "INITPERF_NUM_THREADS",
)
_INSTRUCTIONS = (
    "OPENBLAS_CORETYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_CPU_FEATURES",
)
_BLAS_THREADS = {
    "openblas": "OPENBLAS_NUM_THREADS",
    "mkl": "MKL_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
}
_SLOW = {
    "DISABLE_JIT": (0, "nothing is compiled"),
    "OPT": (3, "the compiler optimises less"),
    "BOUNDSCHECK": (None, "every index is checked"),
    "DEBUGINFO_DEFAULT": (0, "debugging disables optimisations"),
    "LOOP_VECTORIZE": (1, "loops are not vectorised"),
}


@register("compiler")
def compiler(system: System) -> Iterator[Result]:
    """Find settings of Numba under which compiled code is slow, and what a release lacks."""
    import numba

    from initperf.jit.internals import PARTS, missing

    lacks = {part: names for part in PARTS if (names := missing(part))}
    for part, names in lacks.items():
        words = f"numba {numba.__version__} lacks {', '.join(names)}: initperf does without {part}"
        yield "warning", words, "install an older numba or a newer initperf"
    slow = [
        f"NUMBA_{name}={value}: {words}"
        for name, (usual, words) in _SLOW.items()
        if (value := _setting(numba.config, name)) != usual and (value or usual)
    ]
    for words in slow:
        yield "warning", words, f"unset {words.partition('=')[0]}"
    if not slow and not lacks:
        yield "ok", "the settings that initperf expects", ""


def _setting(config: object, name: str) -> object:
    value = getattr(config, name, _SLOW[name][0])
    return int(str(value)) if str(value).isdigit() else value


@register("threading_layer")
def threading_layer(system: System) -> Iterator[Result]:
    """Report the threading layer of ``prange`` in other code; initperf uses plain threads."""
    import numba

    from initperf.jit.internals import threading_layers

    wanted = str(numba.config.THREADING_LAYER)
    here = threading_layers()
    words = f"setting {wanted}, built in: {', '.join(here) or 'unknown'}; initperf uses none"
    if wanted == "workqueue" or here == ["workqueue"]:
        advice = "for prange called from several threads at once, which workqueue aborts: use omp"
        yield "note", words, advice
    else:
        yield "ok", words, ""


@register("blas_pools")
def blas_pools(system: System) -> Iterator[Result]:
    """Find more BLAS threads than processors, and two pools that compete."""
    from threadpoolctl import threadpool_info

    importlib.import_module("scipy.linalg")  # loads the pools of NumPy and of SciPy
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    words = ", ".join(
        f"{pool['internal_api']} {pool['version']} with {pool['num_threads']} threads"
        for pool in pools
    )
    count = len(system.processors)
    most = max((pool["num_threads"] for pool in pools), default=0)
    if most > count:
        largest = max(pools, key=lambda pool: int(pool["num_threads"]))
        variable = _BLAS_THREADS.get(largest["internal_api"], "OMP_NUM_THREADS")
        yield "warning", f"{words}, on {count} processors", f"{variable}={count}"
    elif len(pools) > 1 and most > 1:
        yield (
            "note",
            f"{words}: those of NumPy and of SciPy; where calls alternate, threads that spin "
            "in one pool slow the other",
            "initperf limits both in its timings; in your own code, use one, or threadpoolctl",
        )
    else:
        yield "ok", words or "none found", ""


@register("environment")
def environment(system: System) -> Iterator[Result]:
    """List the variables that set numbers of threads, and those that choose instructions."""
    threads, instructions = (_set(names) for names in (_THREADS, _INSTRUCTIONS))
    if threads:
        yield "note", threads, "report them with every result"
    if instructions:
        words = f"{instructions}: a library may use other instructions than this processor's best"
        yield "note", words, "unset them to time what this processor can do"
    if not threads and not instructions:
        yield "ok", "no variable sets a number of threads or chooses instructions", ""


def _set(names: Iterable[str]) -> str:
    """Return the variables among these that have a value, as ``NAME=value``."""
    return ", ".join(f"{name}={os.environ[name]}" for name in names if os.environ.get(name))
