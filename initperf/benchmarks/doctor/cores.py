"""The processors that this process can use: affinity, shared cores, and quotas."""

import os
from collections.abc import Iterator
from pathlib import PurePosixPath

from initperf._core.parallel import default_threads
from initperf.benchmarks.doctor._check import Result, System, members, register

_CPU = "sys/devices/system/cpu"


@register("affinity")
def affinity(system: System) -> Iterator[Result]:
    """Find processors that this process may not use, and more threads than it may."""
    usable, online = system.processors, members(system.text(f"{_CPU}/online"))
    threads, count = default_threads(), len(usable)
    if threads > count:
        words = f"{threads} threads are asked for on {count} processors"
        yield "warning", words, f"INITPERF_NUM_THREADS={count}"
    elif online and usable < online:
        words = f"{count} of {len(online)} processors may be used"
        yield "note", words, "give the number of threads with every result; taskset widens it"
    else:
        yield "ok", f"all {count} processors may be used", ""


@register("siblings")
def siblings(system: System) -> Iterator[Result]:
    """Find processors that are threads of one core."""
    usable = system.processors
    lists = system.each(f"{_CPU}/cpu[0-9]*/topology/thread_siblings_list")
    groups = {members(text) & usable for text in lists.values()} - {frozenset()}
    if not groups:
        return
    if len(groups) == len(usable):
        yield "ok", "each processor is a core of its own", ""
        return
    words = f"{len(usable)} processors are threads of {len(groups)} cores: two share one's units"
    firsts = ",".join(str(min(group)) for group in sorted(groups, key=min))
    advice = f"INITPERF_NUM_THREADS={len(groups)} taskset -c {firsts} …"
    yield "warning" if default_threads() > len(groups) else "note", words, advice


@register("quota")
def quota(system: System) -> Iterator[Result]:
    """Find a control group with a quota below the number of processors, and its throttling.

    Version 2 of control groups has ``cpu.max`` in the group and in those above it; version 1 has
    ``cpu.cfs_quota_us``.
    """
    allowed, held, periods = _limits(system)
    count = len(system.processors)
    if allowed < count:
        yield (
            "warning",
            f"the control group allows {allowed:g} processors' time, of {count} visible: threads "
            "run, then all stop until the next period",
            f"INITPERF_NUM_THREADS={max(1, int(allowed))}, or raise the container's limit",
        )
    else:
        yield "ok", "no quota", ""
    if held:
        words = f"throttled in {held:,} of {periods:,} periods since the group began"
        yield "note" if held < 0.01 * periods else "warning", words, "raise the container's limit"


def _limits(system: System) -> tuple[float, int, int]:
    """Return the processors allowed, and the throttled and all periods, of the tightest groups."""
    allowed, held, periods = float("inf"), 0, 0
    for group in _groups(system):
        quota, _, period = system.text(f"{group}/cpu.max").partition(" ")
        if not quota:
            quota = system.text(f"{group}/cpu.cfs_quota_us")
            period = system.text(f"{group}/cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            allowed = min(allowed, int(quota) / int(period))
        lines = (line.split() for line in system.text(f"{group}/cpu.stat").splitlines())
        stat = {words[0]: int(words[1]) for words in lines if len(words) == 2}
        if stat.get("nr_throttled", 0) > held:
            held, periods = stat["nr_throttled"], stat.get("nr_periods", 0)
    return allowed, held, periods


def _groups(system: System) -> Iterator[str]:
    """Give the directories of the group of this process, and of all groups above it."""
    for line in system.text("proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = ("cpu", "cpu,cpuacct") if controllers else ("", "unified")
        for mount in mounts:
            base = PurePosixPath("sys/fs/cgroup", mount)
            inner = PurePosixPath(os.path.normpath(path.lstrip("/") or "."))
            for above in (inner, *inner.parents):
                yield str(base / above)
