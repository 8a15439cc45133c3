"""``initperf warmup``: compilation of all kernels, ahead of their first use."""

import argparse

HELP = "compile all kernels into the cache, so that no first use waits for it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add no options."""


def run(arguments: argparse.Namespace) -> None:
    """Compile and print the seconds that it took."""
    import time

    from initperf.cli._output import progress
    from initperf.jit.policy import CODE_CACHE
    from initperf.kernels import KERNELS

    begin = time.perf_counter()
    with progress("compiling") as tell:
        for done, (name, kernel) in enumerate(KERNELS.items()):
            tell(done, len(KERNELS), name)
            for case in kernel.cases():
                kernel["numba"](*case.arguments())
    print(f"{len(KERNELS)} kernels ready in {time.perf_counter() - begin:.1f} s, in {CODE_CACHE}")
