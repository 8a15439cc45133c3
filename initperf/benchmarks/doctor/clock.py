"""The frequency of the processor, its stability, and the clock that timings read."""

from collections.abc import Iterator

from initperf.benchmarks.doctor._check import Result, System, register

_CPU = "sys/devices/system/cpu"
_SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies")


@register("governor")
def governor(system: System) -> Iterator[Result]:
    """Find processors whose frequency follows the load."""
    found = sorted(set(system.each(f"{_CPU}/cpu[0-9]*/cpufreq/scaling_governor").values()))
    if not found:
        yield "note", "unknown to the system, as on most virtual machines", ""
    elif found == ["performance"]:
        yield "ok", "performance", ""
    else:
        yield (
            "warning",
            f"{', '.join(found)}: the clock speeds up only after a while under load",
            "sudo cpupower frequency-set -g performance",
        )


@register("turbo")
def turbo(system: System) -> Iterator[Result]:
    """Check for a frequency that depends on temperature and on the number of busy cores."""
    off, on = system.number(f"{_CPU}/intel_pstate/no_turbo"), system.number(f"{_CPU}/cpufreq/boost")
    if off is None and on is None:
        yield "note", "unknown to the system, as on most virtual machines", ""
    elif off == 1 or on == 0:
        yield "ok", "off", ""
    else:
        switch = "intel_pstate/no_turbo" if off is not None else "cpufreq/boost"
        yield (
            "note",
            "on: the clock depends on temperature and on how many cores are busy; ratios of "
            "interleaved methods are sound, times of one thread against many are not",
            f"echo {1 if off is not None else 0} | sudo tee /{_CPU}/{switch}",
        )


@register("heat")
def heat(system: System) -> Iterator[Result]:
    """Find processors that were throttled because of heat."""
    counts = system.each(f"{_CPU}/cpu[0-9]*/thermal_throttle/core_throttle_count").values()
    if not any(count.isdigit() for count in counts):
        return
    total = sum(int(count) for count in counts if count.isdigit())
    if total:
        words = f"throttled {total:,} times since boot because of heat"
        yield "note", words, "cool it better, or switch turbo off"
    else:
        yield "ok", "never throttled because of heat", ""


@register("time_source")
def time_source(system: System) -> Iterator[Result]:
    """Find a clock that is read by a system call, in microseconds instead of nanoseconds."""
    source = system.text("sys/devices/system/clocksource/clocksource0/current_clocksource")
    if source in _SLOW_CLOCKS:
        words = f"{source}: reading it takes microseconds"
        yield (
            "warning",
            words,
            "boot with a stable TSC; see the kernel's log for why it is not used",
        )
    elif source:
        yield "ok", source, ""
