import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import scipy

from initperf.benchmarks import machine


def test_describes_what_timings_depend_on():
    facts = machine.describe()
    assert facts["numpy"] == np.__version__
    assert facts["scipy"] == scipy.__version__
    assert facts["numba"] == numba.__version__
    assert facts["python"].endswith(platform.python_version())
    assert int(facts["cores"]) >= 1
    for key in ("processor", "SIMD of NumPy", "SIMD of LLVM", "BLAS of NumPy", "BLAS of SciPy"):
        assert facts[key] not in ("", "unknown"), key
    assert "threads" in facts["BLAS of NumPy"]
    assert set(machine.PASSING) - {"git commit"} <= facts.keys()


@pytest.mark.parametrize(
    ("numbers", "written"),
    [([], ""), ([5], "5"), ([0, 1], "0-1"), ([0, 1, 2, 3, 8, 10, 11], "0-3,8,10-11")],
)
def test_processors_are_listed_as_linux_lists_them(numbers, written):
    assert machine.ranges(numbers) == written


def test_which_processors_may_be_used_is_said(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 1, 2, 7}, raising=False)
    assert machine.describe()["usable cores"].startswith("4 (1-3,7)")


def test_the_description_is_words_without_paths():
    facts = machine.describe()
    assert json.loads(json.dumps(facts)) == facts
    assert not any(str(Path.home()) in value or sys.prefix in value for value in facts.values())


@pytest.mark.slow
def test_describing_starts_no_threading_layer():
    code = (
        "import numba\n"
        "from initperf.benchmarks.machine import describe\n"
        "assert describe()['Numba threading layer'].startswith('not started')\n"
        "try:\n    print(numba.threading_layer())\nexcept ValueError:\n    print('none')\n"
    )
    home = str(Path(machine.__file__).parents[2])
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "none"


def test_a_shared_blas_is_that_of_both(monkeypatch):
    pool = {
        "user_api": "blas",
        "internal_api": "mkl",
        "version": "2025.1",
        "num_threads": 4,
        "filepath": "/usr/lib/libmkl_rt.so",
    }
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [{"user_api": "openmp"}, pool])
    facts = machine.describe()
    assert (
        facts["BLAS of NumPy"] == facts["BLAS of SciPy"] == "mkl 2025.1, 4 threads, unknown kernels"
    )


def stat(user, idle, wait=0, steal=0):
    return f"cpu  {user} 0 0 {idle} {wait} 0 0 {steal} 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"


@pytest.mark.parametrize(
    ("after", "share"),
    [
        (stat(100, 300), 0.0),
        (stat(150, 250), 0.5),
        (stat(200, 200), 1.0),
        (stat(100, 250, wait=50), 0.0),
        (stat(100, 275, steal=25), 0.25),
        (stat(100, 200), 0.0),
    ],
)
def test_the_share_in_use_is_what_was_not_idle(after, share):
    assert machine.share_in_use(stat(100, 200), after) == pytest.approx(share)


def test_a_busy_machine_is_said_to_be(tmp_path):
    file = tmp_path / "proc" / "stat"
    file.parent.mkdir()

    def watched(*shares):
        spent, left = [0, 0], iter(shares)
        file.write_text(stat(*spent))

        def sleep(seconds):
            share = next(left)
            spent[:] = spent[0] + share, spent[1] + 100 - share
            file.write_text(stat(*spent))

        return machine.busy(root=tmp_path, sleep=sleep)

    assert watched(50, 90, 30) == (
        "the machine is busy: 30% of its processor time is in use by others"
    )
    assert watched(5) is None
    assert watched(90, 90, 5) is None


def test_elsewhere_the_load_average_tells(monkeypatch, tmp_path):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("os.getloadavg", lambda: (2.0, 0.0, 0.0), raising=False)
    assert "50%" in machine.busy(root=tmp_path)
    monkeypatch.setattr("os.getloadavg", lambda: (0.2, 9.0, 9.0), raising=False)
    assert machine.busy(root=tmp_path) is None
    monkeypatch.delattr("os.getloadavg")
    assert machine.busy(root=tmp_path) is None
    assert machine.describe()["load"] == "unknown"


def test_the_commit_is_that_of_the_own_checkout_only(tmp_path):
    answers = {"rev-parse": "0123456789ab", "status": ""}

    def commit():
        return machine.commit_of(tmp_path, lambda *command: answers[command[3]])

    assert commit() == ""
    (tmp_path / ".git").mkdir()
    assert commit() == ""
    (tmp_path / "pyproject.toml").touch()
    assert commit() == "0123456789ab"
    answers["status"] = " M file"
    assert commit() == "0123456789ab with changes"


def test_what_cannot_be_asked_is_not_an_error(tmp_path):
    assert machine.output_of("initperf-no-such-command") == ""
    assert machine.output_of(sys.executable, "-c", "raise SystemExit(1)") == ""
    assert machine.describe(tmp_path)["governor"] == "unknown"
    assert machine.version_of("initperf-no-such-package") == "unknown"


@pytest.mark.parametrize(
    ("quota", "said"), [("150000 100000\n", "of which a quota allows 1.5"), ("max 100000\n", "")]
)
def test_a_quota_is_told(tmp_path, quota, said):
    file = tmp_path / "sys" / "fs" / "cgroup" / "cpu.max"
    file.parent.mkdir(parents=True)
    file.write_text(quota)
    _, _, found = machine.describe(tmp_path)["usable cores"].partition(", ")
    assert found == said
