"""The cache of machine code on disk: its place, its contents, and stale remains."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from initperf.benchmarks.doctor._check import Result, System, register

_MEGABYTE = 1e6


@register("compiled_kernels")
def compiled_kernels(system: System) -> Iterator[Result]:
    """Check whether kernels are compiled already: other tools would time the compilation too."""
    from initperf.jit.policy import CODE_CACHE

    count = sum(1 for _ in CODE_CACHE.rglob("*.nbc"))
    if count:
        yield "ok", f"{count} functions of this very source and these versions in the cache", ""
    else:
        yield "note", "none yet: a first call compiles for seconds", "initperf warmup"


@register("stale_caches")
def stale_caches(system: System) -> Iterator[Result]:
    """Find code of other sources or versions, which is never run and takes space."""
    import initperf
    from initperf.jit.policy import CODE_CACHE

    others = [path for path in CODE_CACHE.parent.iterdir() if path.is_dir() and path != CODE_CACHE]
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

    free = shutil.disk_usage(CODE_CACHE).free
    if free < 200 * _MEGABYTE:
        words = f"{CODE_CACHE}: {free / _MEGABYTE:.0f} MB of free space"
        yield "warning", words, "free some space, or point INITPERF_CACHE elsewhere"
    elif is_fallback(CODE_CACHE):
        words = f"{CODE_CACHE}: the home cannot be written, and temporary files may not last"
        yield "note", words, "point INITPERF_CACHE at a writable directory"
    else:
        yield "ok", str(CODE_CACHE), ""
