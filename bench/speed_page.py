"""Page of speeds: tables of docs/speed.md, each beside the command that measures it again.

Usage: ``python bench/speed_page.py PART … [--page FILE] [--seconds N]``

Each part that is named is measured, on a machine that should do nothing else, and replaces its
section of the page; the others stay as they are. Methods take turns in one process. Code for
vectors of 256 bits, that of libraries too, is measured in processes of its own, which take turns
with those that use all that the processor has.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from initperf.benchmarks import first_use
from initperf.benchmarks.budget import Budget
from initperf.benchmarks.machine import describe, version_of
from initperf.benchmarks.roofline import choose_kernels, measure_kernels
from initperf.benchmarks.rows import Row, row_of
from initperf.benchmarks.speed import Selection, measure_workloads
from initperf.benchmarks.timing import compare_all
from initperf.benchmarks.workloads import WORKLOADS, is_installed, matrix

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"
HEADING = """# Speeds

Each section was written by the command that it begins with, on the machine that it names; only
ratios within one table compare. Intervals are of 95 % confidence. A share of the limit is the least
time that this machine allows, measured there and then, over the median: stores of as many bytes for
fills, matrix products for networks, and for kernels alone the larger of operations and bytes.
The first call of a method compiles, from empty caches and in the order of the rows, what no call
before it has compiled; it is in no other column. With 256 bits, Numba, the OpenBLAS of NumPy and
PyTorch are held to AVX2.
"""
WIDTHS = {
    "all": {},
    "256 bits": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",
        "OPENBLAS_CORETYPE": "Haswell",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
    },
}
"""Settings of numba, of NumPy's OpenBLAS and of PyTorch, by the width of vectors."""

ROUNDS = 3
"""Processes for each width of vectors, in which kernels are timed."""

LARGE, LARGE_RUNS = 2048, 5
"""Rows of the large orthogonal matrix, and processes for each width in which it is drawn."""

_CACHES = ("INITPERF_CACHE", "TORCHINDUCTOR_CACHE_DIR")
"""Directories of compiled code, which are new in a process that times first calls; JAX has none."""

_PEERS = ("torch", "jax", "mkl_random", "scikit-learn")
_FACTS = ("processor", "SIMD of LLVM", "usable cores", "python", "numpy", "BLAS of NumPy", "numba")


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes
    ----------
    title : str
        Its heading.
    table : callable
        ``table(seconds)`` measures, for so many seconds a row or a size, and returns the lines.
    """

    title: str
    table: Callable[[float], list[str]]


def lines_of(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table in Markdown.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    cells : iterable of sequence of str
        Rows.
    """
    rows = [columns, ["---"] * len(columns), *cells]
    return [f"| {' | '.join(row)} |" for row in rows]


def number(value: float, digits: int = 3) -> str:
    """Return a number to so many digits, without an exponent where it is of everyday size."""
    if math.isnan(value):
        return "–"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}" if value else "0"


def workload_lines(rows: Sequence[Row]) -> list[str]:
    """Return the table of workloads.

    Parameters
    ----------
    rows : sequence of Row
        Of one or several workloads and sizes, each with its methods.
    """
    several = len({row.workload for row in rows}) > 1
    cells = []
    for row in rows:
        beside = [one for one in rows if (one.workload, one.size) == (row.workload, row.size)]
        ours = min(one.median_s for one in beside if one.role == "ours")
        cells.append(
            [
                f"{row.workload}, {row.size}" if several else row.size,
                f"**{row.method}**" if row.role == "ours" else row.method,
                number(1e3 * row.median_s),
                f"{number(1e3 * row.low_s)} to {number(1e3 * row.high_s)}",
                f"{number(row.ratio)} ({number(row.ratio_low)} to {number(row.ratio_high)})",
                number(row.median_s / ours),
                f"{number(row.percent_of_limit)} % ({row.limit})",
                f"{row.first_call_s:.2f}",
            ]
        )
    headings = ["size", "method", "median, ms", "interval, ms", "baseline over it"]
    headings += ["over our fastest", "share of the limit", "first call, s"]
    return lines_of(headings, cells)


def _workload(words: str) -> Callable[[float], list[str]]:
    return lambda seconds: workload_lines(list(map(row_of, _from_empty_caches(words, seconds))))


def _from_empty_caches(words: str, seconds: float) -> list[dict[str, Any]]:
    """Return the records of rows that a process measures which finds nothing compiled.

    Parameters
    ----------
    words : str
        Select the workloads.
    seconds : float
        For each size.
    """
    command = [sys.executable, __file__, "--workloads", words, "--seconds", str(seconds)]
    with tempfile.TemporaryDirectory(prefix="initperf-first-call-") as directory:
        caches = {name: str(Path(directory, name)) for name in _CACHES}
        known = os.environ | caches
        made = subprocess.run(command, env=known, check=True, stdout=-1, text=True).stdout
    found: list[dict[str, Any]] = json.loads(made)
    return found


def _workloads(words: str, seconds: float) -> str:
    rows = measure_workloads(Selection(words=words), seconds=seconds)
    return json.dumps([row.record() for row in rows])


def _by_width(option: str, seconds: float, runs: int) -> dict[str, list[Any]]:
    """Return what processes print as JSON for an option of this script, by the width of vectors.

    Parameters
    ----------
    option : str
        Takes seconds.
    seconds : float
        Its value.
    runs : int
        Processes for each width, besides one before them that compiles.
    """
    found: dict[str, list[Any]] = {width: [] for width in WIDTHS}
    for turn in range(runs + 1):
        for width, settings in WIDTHS.items():
            command = [sys.executable, __file__, option, str(seconds if turn else 1e-3)]
            known = os.environ | settings
            made = subprocess.run(command, env=known, check=True, stdout=-1, text=True).stdout
            if turn:
                found[width].append(json.loads(made))
    return found


def kernel_lines(found: dict[str, list[list[dict[str, Any]]]]) -> list[str]:
    """Return the table of kernels for each width of vectors.

    Parameters
    ----------
    found : dict
        By width, for each process the rows as dictionaries, in one order.
    """
    names = [f"{row['kernel']} {row['size']}" for row in next(iter(found.values()))[0]]
    cells = []
    for place, name in enumerate(names):
        wide, narrow = (
            [process[place]["median_s"] for process in processes] for processes in found.values()
        )
        limit = median(process[place]["limit_s"] for process in found["all"])
        cells.append(
            [
                name,
                *_middle([1e6 * one for one in wide]),
                _ns_a_value(name, median(wide)),
                f"{number(100 * limit / median(wide))} %",
                *_middle([1e6 * one for one in narrow]),
                _ns_a_value(name, median(narrow)),
            ]
        )
    headings = ["kernel", "median, µs", "processes", "ns a value", "share of the limit"]
    return lines_of([*headings, "256 bits, µs", "processes", "ns a value"], cells)


def _ns_a_value(name: str, seconds: float) -> str:
    """Return the nanoseconds of a value of a fill, whose size is that of a matrix."""
    shape = re.fullmatch(r"(?:fill_\w+|philox) (\d+) x (\d+).*", name)
    return number(1e9 * seconds / math.prod(map(int, shape.groups()))) if shape else "–"


def _rows(seconds: float) -> str:
    rows = measure_kernels(choose_kernels(""), Budget(seconds=seconds))
    kept = ("kernel", "size", "median_s", "limit_s")
    return json.dumps([{name: asdict(row)[name] for name in kept} for row in rows])


def large_lines(found: dict[str, list[dict[str, dict[str, float]]]]) -> list[str]:
    """Return the table of methods that took turns in each of several processes.

    Parameters
    ----------
    found : dict
        By width of vectors, for each process by method: ``seconds``, and ``ratio`` of the baseline
        to it.
    """
    cells = []
    for width, runs in found.items():
        for method in runs[0]:
            seconds = [1e3 * run[method]["seconds"] for run in runs]
            ratios = [run[method]["ratio"] for run in runs]
            cells.append([width, method, *_middle(seconds), *_middle(ratios)])
    headings = ["vectors", "method", "median, ms", "processes", "PyTorch over it", "processes"]
    return lines_of(headings, cells)


def _middle(values: Sequence[float]) -> tuple[str, str]:
    """Return the median and the range of values."""
    return number(median(values)), f"{number(min(values))} to {number(max(values))}"


def _large(seconds: float) -> str:
    workload, size = WORKLOADS["orthogonal"], matrix(LARGE, LARGE)
    every = [one for one in workload.entries(size, "float32") if one.threads > 1]
    chosen = [one for one in every if one.method.name in ("torch", "numba")]
    found = compare_all(
        {one.label: workload.prepare(one, size, "float32") for one in chosen},
        Budget(seconds=seconds, pause_seconds=0.1),
        baseline=chosen[0].label,
    )
    return json.dumps(
        {
            label: {"seconds": one.candidate.median_s, "ratio": one.ratio}
            for label, one in found.items()
        }
    )


def _first_uses(seconds: float) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="initperf-first-use-") as directory:
        found = first_use.costs(Path(directory), ROUNDS)
    ratios = first_use.ratios(found)
    cells = []
    for name, costs in found.items():
        spent = [one.processor_s for one in costs]
        cells.append(
            [
                name,
                number(median(spent)),
                f"{number(min(spent))} to {number(max(spent))}" if len(spent) > 1 else "–",
                number(ratios[name]),
                number(median(one.wall_s for one in costs)),
            ]
        )
    headings = ["command", "processor seconds", "runs"]
    return lines_of([*headings, f"over {first_use.IMPORT}", "seconds elapsed"], cells)


PARTS = {
    "first_use": Part("First use", _first_uses),
    "fill_uniform": Part("Uniform fill, float32", _workload("fill_uniform")),
    "fill_normal": Part("Normal fill, float32", _workload("fill_normal")),
    "fill_truncated_normal": Part(
        "Truncated normal fill, float32", _workload("fill_truncated_normal")
    ),
    "orthogonal": Part("Orthogonal draw, float32", _workload("orthogonal")),
    "large_orthogonal": Part(
        f"Orthogonal draw, {LARGE} x {LARGE}, {LARGE_RUNS} processes",
        lambda seconds: large_lines(_by_width("--large", seconds, LARGE_RUNS)),
    ),
    "train_step": Part("Training steps, float32", _workload("train_step 784")),
    "training_sweep": Part("Sweeps, float32", _workload("training_sweep")),
    "kernels": Part(
        "Kernels alone, one thread, float32",
        lambda seconds: kernel_lines(_by_width("--rows", seconds, ROUNDS)),
    ),
}


def section(name: str, seconds: float) -> str:
    """Measure a part and return its section of the page.

    Parameters
    ----------
    name : str
        One of `PARTS`.
    seconds : float
        As `Part.table` takes it.
    """
    facts = describe()
    peers = [f"{peer} {version_of(peer)}" for peer in _PEERS if is_installed(_module(peer))]
    machine = [f"{key} {facts[key]}" for key in _FACTS] + peers
    lines = [
        f"## {PARTS[name].title}",
        "",
        f"`python bench/speed_page.py {name} --seconds {seconds:g}`, {facts['date'][:10]}:",
        "; ".join(machine) + ".",
        "",
        *PARTS[name].table(seconds),
    ]
    return "\n".join(lines) + "\n"


def _module(peer: str) -> str:
    return {"scikit-learn": "sklearn"}.get(peer, peer)


def placed(page: str, title: str, text: str) -> str:
    """Return a page with a section in place of the one with its title.

    Parameters
    ----------
    page : str
        Empty for a new page.
    title, text : str
        The section's heading, and its whole text.
    """
    _, *rest = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    sections = {one.split("\n", 1)[0][3:]: one.strip() + "\n" for one in rest} | {title: text}
    order = [part.title for part in PARTS.values()]
    return "\n".join([HEADING, *(sections[one] for one in order if one in sections)])


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are named and write their sections."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--page", type=Path, default=PAGE, help="the page's file")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="for each size of a workload, or each kernel"
    )
    parser.add_argument("--rows", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--large", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--workloads", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.rows is not None:
        print(_rows(chosen.rows))
    if chosen.large is not None:
        print(_large(chosen.large))
    if chosen.workloads is not None:
        print(_workloads(chosen.workloads, chosen.seconds))
    for name in chosen.parts:
        text = section(name, chosen.seconds)
        page = chosen.page.read_text() if chosen.page.exists() else ""
        chosen.page.write_text(placed(page, PARTS[name].title, text))


if __name__ == "__main__":
    main()
