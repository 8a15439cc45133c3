"""Threads: their default number, by a variable, a mask or a quota, and what helpers hold."""

import sys
import threading
import weakref

import numpy as np
import pytest

from initperf._core.parallel import HELPERS, default_threads, quota_of_processors, split


def layout(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V2, V1 = "0::/a/b\n", "3:cpu,cpuacct:/a\n2:memory:/a\n"
GROUP = "sys/fs/cgroup"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, sys.maxsize),
        ({"proc/self/cgroup": V2}, sys.maxsize),
        ({"proc/self/cgroup": V2, f"{GROUP}/a/b/cpu.max": "max 100000"}, sys.maxsize),
        ({"proc/self/cgroup": V2, f"{GROUP}/a/b/cpu.max": "150000 100000"}, 2),
        ({"proc/self/cgroup": V2, f"{GROUP}/a/b/cpu.max": "1000 100000"}, 1),
        (
            {
                "proc/self/cgroup": V2,
                f"{GROUP}/cpu.max": "300000 100000",
                f"{GROUP}/a/b/cpu.max": "max 100000",
            },
            3,
        ),
        ({"proc/self/cgroup": "0::/\n", f"{GROUP}/cpu.max": "200000 100000"}, 2),
        ({"proc/self/cgroup": V2, f"{GROUP}/a/b/cpu.max": "nonsense"}, sys.maxsize),
        (
            {
                "proc/self/cgroup": V1,
                f"{GROUP}/cpu/a/cpu.cfs_quota_us": "250000",
                f"{GROUP}/cpu/a/cpu.cfs_period_us": "100000",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": V1,
                f"{GROUP}/cpu/a/cpu.cfs_quota_us": "-1",
                f"{GROUP}/cpu/a/cpu.cfs_period_us": "100000",
            },
            sys.maxsize,
        ),
    ],
)
def test_the_quota_of_control_groups_is_rounded_up(tmp_path, files, expected):
    assert quota_of_processors(layout(tmp_path, files)) == expected


def test_a_variable_goes_first(monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "7")
    assert default_threads() == 7
    monkeypatch.setenv("INITPERF_NUM_THREADS", "")
    assert default_threads() >= 1


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "٣", "9" * 400])
def test_a_variable_that_is_no_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("INITPERF_NUM_THREADS", value)
    with pytest.raises(ValueError, match=r"^INITPERF_NUM_THREADS must be a positive integer"):
        default_threads()


def test_a_helper_that_comes_late_keeps_no_array_of_a_finished_task():
    free, array = threading.Event(), np.zeros(3)
    alive = weakref.ref(array)
    HELPERS.ask(free.wait, max(1, len(HELPERS)))  # all helpers are busy
    try:
        split(4, 1, lambda start, stop, own=array: own.fill(start), 2)
        del array
        assert alive() is None
    finally:
        free.set()
