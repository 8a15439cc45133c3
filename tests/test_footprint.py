"""Peak memory and hardware counts of a call, and their columns in files and comparisons."""

import json
import math
import mmap
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from initperf.benchmarks import footprint, hardware_counters
from initperf.benchmarks.footprint import Footprint, peak_bytes
from initperf.benchmarks.hardware_counters import Counter, counted
from initperf.benchmarks.regressions import compare_files
from initperf.benchmarks.results_file import read_benchmarks, write_benchmarks
from initperf.benchmarks.rows import Row

MEGABYTE = 2**20
# The kernel counts resident pages by batches for each processor: 64 of 4 KiB; other allocations of
# a call are few.
UNKNOWN = (1 + 0.25 * (os.cpu_count() or 1)) * MEGABYTE


def peaks_are_told():
    """Return whether this process may begin its peak anew, as Linux alone lets it, and not all."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


told = pytest.mark.skipif(not peaks_are_told(), reason="this system tells no peaks")


def touched(megabytes):
    return np.ones(megabytes * MEGABYTE, np.uint8)


def mapped(megabytes):
    # From the system and not from malloc, which keeps freed memory where other blocks follow it;
    # in small pages, as huge ones reach into the memory beside it.
    memory = mmap.mmap(-1, megabytes * MEGABYTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # of a kernel without huge pages
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    np.frombuffer(memory, np.uint8).fill(1)
    return memory


@told
@pytest.mark.parametrize("megabytes", [8, 32])
def test_the_peak_is_what_a_call_held_at_most(megabytes):
    def call():
        mapped(megabytes).close()
        return mapped(megabytes // 2)

    for _ in range(2):
        assert abs(peak_bytes(call) - megabytes * MEGABYTE) < UNKNOWN


@told
def test_a_call_that_allocates_nothing_has_a_small_peak():
    array = np.frombuffer(mapped(16), np.uint8)
    assert peak_bytes(lambda: array.fill(2)) < UNKNOWN


def test_what_the_system_does_not_tell_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(footprint, "_PROCESS", tmp_path / "nowhere")
    assert math.isnan(peak_bytes(lambda: None))


def test_counters_that_a_machine_lacks_are_unknown_and_call_nothing():
    unknown = Counter(kind=2**31, config=0)
    assert all(map(math.isnan, counted(pytest.fail, (unknown, unknown))))


@pytest.mark.skipif(sys.platform != "linux", reason="counted by Linux alone")
@pytest.mark.parametrize("threaded", [False, True])
def test_page_faults_of_all_threads_are_counted(threaded):
    def call():
        if not threaded:
            return touched(64)
        with ThreadPoolExecutor(1) as pool:  # its thread starts while faults are counted
            return pool.submit(touched, 64).result()

    (found,) = counted(call, (hardware_counters.PAGE_FAULTS,))
    if math.isnan(found):
        pytest.skip("this system forbids perf_event_open")
    assert found >= 64 // 2  # huge pages of 2 MiB are the largest that a fault maps


def test_another_system_counts_nothing(monkeypatch):
    monkeypatch.setattr(hardware_counters.platform, "machine", lambda: "vax")
    assert all(map(math.isnan, counted(pytest.fail, (hardware_counters.PAGE_FAULTS,))))


def row(name, **taken):
    # seconds are equal: what differs is not judged
    return Row(workload=name, method="ours", role="ours", size="9", dtype="float32", threads=1,
               median_s=1e-3, rounds=8, samples_s=[1e-3] * 8, **taken)  # fmt: skip


def test_columns_are_written_and_read_and_unknown_ones_are_null(tmp_path):
    taken = Footprint(peak_bytes=3e6, instructions=math.nan, cycles=5.0)
    write_benchmarks(tmp_path / "one.json", [(row("w", **taken.record()), 0.0)])
    (written,) = json.loads((tmp_path / "one.json").read_text())["benchmarks"]
    assert written["extra_info"]["peak_bytes"] == 3e6
    assert written["extra_info"]["instructions"] is None
    (one,) = read_benchmarks(tmp_path / "one.json").benchmarks.values()
    assert (one.taken("peak_bytes"), one.taken("cycles")) == (3e6, 5.0)
    assert math.isnan(one.taken("instructions"))


def test_a_comparison_shows_memory_and_judges_time_alone(tmp_path):
    for file, factor in (("old", 1.0), ("new", 4.0)):
        rows = [
            row("w", peak_bytes=factor * 1e6, instructions=100.0 * factor),
            row("v", peak_bytes=0.0, instructions=math.nan),
        ]
        write_benchmarks(tmp_path / f"{file}.json", [(one, 0.0) for one in rows])
    table = compare_files(tmp_path / "old.json", tmp_path / "new.json").table
    first, second = table.to_dict("records")
    assert (first["peak_ratio"], first["instructions_ratio"]) == (4.0, 4.0)
    assert math.isnan(second["peak_ratio"])
    assert math.isnan(second["instructions_ratio"])
    assert "regressed" not in set(table["verdict"])
