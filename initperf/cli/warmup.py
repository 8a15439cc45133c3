"""``initperf warmup``: compilation of kernels, ahead of their first use."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.cli._arguments import named
from initperf.cli._output import progress, usage

if TYPE_CHECKING:
    from initperf.jit.policy import Function

OF_KERNELS = "initperf.kernels:KERNELS"

HELP = "compile kernels into the cache, so that no first use waits for it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    names = parser.add_argument(
        "names", metavar="KERNEL", nargs="*", help="kernels to compile; by default all"
    )
    named(names, OF_KERNELS)


def run(arguments: argparse.Namespace) -> None:
    """Say what it will cost, compile on all processors and print the seconds that it took.

    Raises
    ------
    UsageError
        For a name that no kernel has.
    """
    from initperf._core.parallel import default_threads
    from initperf._core.sharing import claims_directory, helpers
    from initperf.jit.policy import CODE_CACHE
    from initperf.kernels import KERNELS

    with usage():
        names = list(dict.fromkeys(map(KERNELS.canonical, arguments.names))) or list(KERNELS)
    begin = time.perf_counter()
    processes = min(default_threads(), len(names))
    _announce(names, processes)
    with claims_directory() as claims:
        words = [str(claims), *names]
        with helpers(__name__, words, processes - 1) as others, progress("compiling") as tell:
            for done, name in enumerate(_compile(claims, names)):
                tell(min(done * processes, len(names)), len(names), name)
            for other in others:
                other.wait()
            if not arguments.names:
                compile_team(KERNELS["fill_uniform"]["numba"])
    count = "1 kernel" if len(names) == 1 else f"{len(names)} kernels"
    print(f"{count} ready in {time.perf_counter() - begin:.1f} s, in {CODE_CACHE}")


def compile_team(fill: "Function") -> None:
    """Compile what threads run that share the fills of a hot loop.

    Parameters
    ----------
    fill : callable
        Numba twin of any fill.
    """
    import numpy as np

    from initperf.kernels import team

    zero = np.uint64(0)
    team().fill(fill, np.empty(1, np.float32), (zero, zero, zero), (0.0, 1.0), 2)


def _compile(claims: Path, names: list[str]) -> Iterator[str]:
    """Yield the name of each kernel that no other process has taken, then compile it."""
    from initperf._core.sharing import claimed
    from initperf.jit.internals import install_recorder
    from initperf.kernels import KERNELS

    for name in claimed(claims, names):
        yield name
        begin = time.process_time()
        with install_recorder("numba:compile") as compiled:
            for case in KERNELS[name].cases():
                KERNELS[name]["numba"](*case.arguments())
        file = _seconds_file(name)
        if not file.exists():
            # what another verb has compiled is loaded, which says nothing of the compiler
            seconds = f"{time.process_time() - begin:.2f}" if compiled.buffer else ""
            file.write_text(seconds, encoding="utf-8")


def _seconds_file(name: str) -> Path:
    """Return the file of the seconds that compiling a kernel took, in this state of the sources.

    It is empty where the kernel was compiled before it was timed.
    """
    from initperf.jit.policy import CODE_CACHE

    return CODE_CACHE / f"warmup-{name}.seconds"


def _announce(names: list[str], processes: int) -> None:
    """Say how many kernels are compiled already, and what the others took when they last were."""
    waiting = [name for name in names if not _seconds_file(name).exists()]
    if not waiting:
        return
    known = [seconds for name in waiting if (seconds := _last_seconds(name)) is not None]
    each = sum(known) / len(known) if known else 0.0
    cost = (
        f"about {each * len(waiting):.0f} s of processor time"
        if known
        else "some seconds each where no other verb has compiled it"
    )
    share = f"{processes} processes" if processes > 1 else "1 process"
    of_all = "1 kernel" if len(names) == 1 else f"{len(names)} kernels"
    print(
        f"initperf: {len(waiting)} of {of_all} to compile, {cost}, in {share}",
        file=sys.stderr,
    )


def _last_seconds(name: str) -> float | None:
    """Return what a kernel took in another state of the sources; None where it is not known."""
    file = _seconds_file(name)
    texts = [path.read_text(encoding="utf-8") for path in file.parents[1].glob(f"*/{file.name}")]
    return max((float(text) for text in texts if text), default=None)


if __name__ == "__main__":
    for _ in _compile(Path(sys.argv[1]), sys.argv[2:]):
        pass
