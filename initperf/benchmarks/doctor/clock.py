"""How fast the processor's clock ticks, and whether that stays so."""

from collections.abc import Iterator

from initperf.benchmarks.doctor._check import Result, System, register

_CPU = "sys/devices/system/cpu"
_SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies")


@register("governor")
def governor(system: System) -> Iterator[Result]:
    """Find processors whose frequency follows the load."""
    found = sorted(set(system.each(f"{_CPU}/cpu[0-9]*/cpufreq/scaling_governor").values()))
    if not found:
        yield "note", "the system does not tell, as on most virtual machines", ""
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
    """Find a clock that depends on temperature and on how many cores are busy."""
    off, on = system.number(f"{_CPU}/intel_pstate/no_turbo"), system.number(f"{_CPU}/cpufreq/boost")
    if off is None and on is None:
        yield "note", "the system does not tell, as on most virtual machines", ""
    elif off == 1 or on == 0:
        yield "ok", "off", ""
    else:
        switch = "intel_pstate/no_turbo" if off is not None else "cpufreq/boost"
        yield (
            "note",
            "on: the clock depends on temperature and on how many cores are busy; ratios taken "
            "in turns bear that, times of one thread against many do not",
            f"echo {1 if off is not None else 0} | sudo tee /{_CPU}/{switch}",
        )


@register("heat")
def heat(system: System) -> Iterator[Result]:
    """Find processors that have slowed down because they were hot."""
    counts = system.each(f"{_CPU}/cpu[0-9]*/thermal_throttle/core_throttle_count").values()
    if not any(count.isdigit() for count in counts):
        return
    total = sum(int(count) for count in counts if count.isdigit())
    if total:
        words = f"slowed down {total:,} times since start because of heat"
        yield "note", words, "cool it better, or switch turbo off"
    else:
        yield "ok", "never slowed down because of heat", ""


@register("time_source")
def time_source(system: System) -> Iterator[Result]:
    """Find a clock whose reading takes a system call, microseconds instead of nanoseconds."""
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
