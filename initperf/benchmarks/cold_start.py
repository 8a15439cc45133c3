"""One-time costs: importing, compiling a kernel, loading machine code from the cache.

Each is timed in a fresh process, by the process itself, so that starting Python is not in it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from initperf._core.child_python import python_command, python_environment

_IMPORT = """
import time
begin = time.perf_counter()
import {module}
print(time.perf_counter() - begin)
"""


def import_seconds(module: str = "initperf") -> float:
    """Return the seconds that importing a module takes in a fresh process."""
    return float(_child("-c", _IMPORT.format(module=module)))


def first_call_seconds(kernels: Sequence[str], cache: Path | None = None) -> dict[str, float]:
    """Return the seconds that the first call of each kernel's Numba twin takes.

    Parameters
    ----------
    kernels : sequence of str
        Names in ``KERNELS``; each is called with the arguments of its first test case. One
        process calls them all, in this order, after Numba has compiled a trivial function.
    cache : pathlib.Path, optional
        Directory of machine code: kernels that it lacks are compiled and kept there. Without
        it, a new one, so that all are compiled.

    Returns
    -------
    dict of str to float
    """
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="initperf-cold-") as fresh:
            return first_call_seconds(kernels, Path(fresh))
    found: dict[str, float] = json.loads(_child("-m", __name__, *kernels, cache=cache))
    return found


def _child(*arguments: str, cache: Path | None = None) -> str:
    changes = {} if cache is None else {"INITPERF_CACHE": str(cache)}
    environment = python_environment(**changes)
    return subprocess.run(
        python_command(*arguments),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _main(kernels: Sequence[str]) -> None:
    import numba

    from initperf.kernels import KERNELS

    numba.njit(lambda x: x + 1.0)(1.0)
    seconds = {}
    for name in kernels:
        arguments = next(KERNELS[name].cases()).arguments()
        begin = time.perf_counter()
        KERNELS[name]["numba"](*arguments)
        seconds[name] = time.perf_counter() - begin
    print(json.dumps(seconds))


if __name__ == "__main__":
    _main(sys.argv[1:])
