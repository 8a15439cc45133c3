"""Other users of the processors: processes, and guests of the same host."""

from collections.abc import Iterator

from initperf.benchmarks.doctor._check import Result, System, register
from initperf.benchmarks.machine import share_in_use

_SECONDS = 0.3
_BUSY = 0.1
_STOLEN = 0.01


@register("load")
def load(system: System) -> Iterator[Result]:
    """Check for other running processes."""
    before, after = system.twice("proc/stat", _SECONDS)
    if not before:
        return
    share = share_in_use(before, after)
    if share > _BUSY:
        words = f"{share:.0%} of all processors' time is in use by others now"
        yield "warning", words, "stop them or wait: top names them"
    else:
        yield "ok", f"{share:.0%} of all processors' time is in use", ""


@register("steal")
def steal(system: System) -> Iterator[Result]:
    """Find time that a hypervisor gave to other guests, now or since boot."""
    before, after = system.twice("proc/stat", _SECONDS)
    if not before:
        return
    now, ever = _stolen(before, after), _stolen("cpu" + " 0" * 8, after)
    if max(now, ever) > _STOLEN:
        yield (
            "warning" if now > _STOLEN else "note",
            f"the host gave {now:.1%} of this machine's time to other guests just now, {ever:.1%} "
            "since boot",
            "measure longer and at another hour, or on dedicated processors",
        )
    else:
        yield "ok", f"{ever:.2%} of the time since boot", ""


def _stolen(before: str, after: str) -> float:
    old, new = (
        [int(ticks) for ticks in reading.split("\n", 1)[0].split()[1:9]]
        for reading in (before, after)
    )
    spent = [later - earlier for earlier, later in zip(old, new, strict=True)]
    return spent[7] / sum(spent) if sum(spent) > 0 else 0.0


@register("virtual_machine")
def virtual_machine(system: System) -> Iterator[Result]:
    """Find a hypervisor."""
    flags = next(
        (
            line.partition(":")[2].split()
            for line in system.text("proc/cpuinfo").splitlines()
            if line.startswith("flags")
        ),
        [],
    )
    if "hypervisor" in flags:
        yield (
            "note",
            "this is a virtual machine: clock, caches and neighbours are the host's",
            "rely on ratios of interleaved methods, not on times from different days",
        )
    elif flags:
        yield "ok", "none", ""
