"""Cache of compiled code on disk: its place, its contents, and stale remains."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from initperf.benchmarks.doctor._check import Result, System, register

_MEGABYTE = 1e6


@register("compiled_kernels")
def compiled_kernels(system: System) -> Iterator[Result]:
    """Check whether kernels are compiled already: other tools would time the compilation too."""
    from initperf.jit.code_cache import damaged, kept, refusal
    from initperf.jit.policy import CODE_CACHE

    if words := refusal(CODE_CACHE):
        yield (
            "warning",
            f"{words}: compiled code is neither loaded nor kept, and each process compiles anew",
            "make it and what is above it your own and writable by you alone (chown, chmod "
            "go-w), or point INITPERF_CACHE elsewhere",
        )
        return
    count = len(kept(CODE_CACHE))
    bad = list(damaged(CODE_CACHE))
    if bad:
        path, reason = bad[0]
        words = f"{len(bad)} of {count} files are damaged: {path.name} {reason}"
        yield "warning", f"{words}; the first use of each compiles anew", "initperf warmup"
    elif count:
        yield "ok", f"{count} functions of this very source and these versions in the cache", ""
    else:
        yield "note", "none yet: a first call compiles for seconds", "initperf warmup"


@register("stale_caches")
def stale_caches(system: System) -> Iterator[Result]:
    """Find code of other sources or versions, which is never run and takes space."""
    import initperf
    from initperf.jit.policy import CODE_CACHE

    above = CODE_CACHE.parent
    others = [path for path in above.glob("*") if path.is_dir() and path != CODE_CACHE]
    if others:
        size = sum(file.stat().st_size for path in others for file in path.rglob("*.nb?"))
        words = f"{len(others)} directories of other sources or versions, {size / _MEGABYTE:.0f} MB"
        yield "note", f"{words}; none of it is run", f"delete what lies beside {CODE_CACHE}"
    beside = list(Path(initperf.__file__).parent.rglob("__pycache__/*.nb[ci]"))
    if beside:
        words = f"{len(beside)} files of machine code beside the sources: some code was compiled "
        yield "warning", f"{words}by another policy", f"delete {beside[0].parent}/*.nb?"
    if not others and not beside:
        yield "ok", "none", ""


@register("cache_directory")
def cache_directory(system: System) -> Iterator[Result]:
    """Check the place of the cache: whether it is permanent, and has free space."""
    from initperf._core.storage import is_fallback
    from initperf.jit.policy import CODE_CACHE

    if not os.access(CODE_CACHE, os.W_OK):
        words = f"{CODE_CACHE}: cannot be written: what is not in it is compiled in each process"
        yield "warning", words, "point INITPERF_CACHE at a writable directory"
        return
    free = shutil.disk_usage(CODE_CACHE).free
    if free < 200 * _MEGABYTE:
        words = f"{CODE_CACHE}: {free / _MEGABYTE:.0f} MB of free space"
        yield "warning", words, "free some space, or point INITPERF_CACHE elsewhere"
    elif is_fallback(CODE_CACHE):
        words = f"{CODE_CACHE}: the home cannot be written, and temporary files may not last"
        yield "note", words, "point INITPERF_CACHE at a writable directory"
    else:
        yield "ok", str(CODE_CACHE), ""
