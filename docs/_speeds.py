"""The page of speeds: workloads timed when the documentation is built, beside their rivals."""

from pathlib import Path

from initperf._core.cells import cell
from initperf.benchmarks.machine import describe
from initperf.benchmarks.speed import Selection, measure_workloads

_SECONDS = 0.2
"""Seconds of each workload: enough for a table whose intervals say how well it is known."""

_FACTS = ("processor", "usable cores", "python", "numpy", "numba")

_HEAD = """# Speeds

Timed when this page was built, in float32: {facts}.
`initperf bench --quick` measures the same on your machine, `initperf bench --peers` with more
libraries, and `initperf report` draws it.

The ratio is the time of the first library over that of the method, above 1 faster, with its 95 %
interval; the share of the limit is the least time that the hardware allows over the time taken;
memory is the peak of a call beyond what was there before.
The NumPy reference is a specification and not meant to be fast.
"""

_COLUMNS = ("method", "median", "ratio", "of the limit", "memory")


def write_speeds(source: Path) -> None:
    """Time the workloads and write ``speeds.md``.

    Parameters
    ----------
    source : pathlib.Path
        Directory of the pages.
    """
    rows = measure_workloads(Selection(quick=True, peers=False), seconds=_SECONDS)
    machine = describe()
    facts = ", ".join(f"{name} {machine[name]}" for name in _FACTS if name in machine)
    parts = [_HEAD.format(facts=facts)]
    for workload, size in dict.fromkeys((row.workload, row.size) for row in rows):
        parts += [f"## {workload}, {size}", ""]
        parts += [
            "| method | median | ratio | of the limit | memory |",
            "|---|---:|---:|---:|---:|",
        ]
        for row in rows:
            if (row.workload, row.size) == (workload, size):
                known = row.peak_bytes is not None and row.peak_bytes == row.peak_bytes
                memory = f"{1e-6 * (row.peak_bytes or 0.0):.1f} MB" if known else ""
                ratio = f"{cell(row.ratio)} ({cell(row.ratio_low)} to {cell(row.ratio_high)})"
                median = f"{1e3 * (row.median_s or 0.0):.3g} ms"
                limit = f"{row.percent_of_limit:.0f} %" if row.percent_of_limit else ""
                parts.append(f"| {row.method} | {median} | {ratio} | {limit} | {memory} |")
        parts.append("")
    (source / "speeds.md").write_text("\n".join(parts), encoding="utf-8")
