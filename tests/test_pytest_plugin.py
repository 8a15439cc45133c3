import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]

SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["tests"]
python_files = ["test_*.py", "bench_*.py"]
addopts = ["--strict-markers", "--strict-config"]
filterwarnings = ["error"]
"""

SUITE = """
import time
import pytest

@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_fill(ab, benchmark, distribution):
    benchmark.extra_info["percent_of_limit"] = 12.5
    found = ab(lambda: time.sleep(0.004), lambda: time.sleep(0.001), seconds=0.05)
    print("compared", found)

@pytest.mark.benchmark(group="own")
def test_recorded_normal_fill(recorded):
    recorded(x / 1000 for x in (5, 1, 3))

def test_plain(benchmark):
    benchmark.pedantic(int, rounds=2)

def test_without_benchmark():
    raise AssertionError("this is no benchmark")
"""


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    other = SUITE.replace("test_fill", "test_other_fill")
    for path, text in (("bench/bench_kernels.py", SUITE), ("tests/test_other.py", other)):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text)
    return tmp_path


def run(
    folder, *arguments, plugins=("pytest_benchmark.plugin", "initperf.benchmarks.pytest_plugin")
):
    """Run pytest as a user does, with these plugins whether installed or not."""
    loaded = [word for plugin in plugins for word in ("-p", plugin)]
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]),
    }
    for ours in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        environment.pop(ours, None)
    # without colours, which an environment may ask for
    options = ("--color=no", "-p", "no:cacheprovider")
    command = [sys.executable, "-m", "pytest", *loaded, *options, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_typed_literally_it_runs_the_suites(suite):
    found = run(suite, "--benchmark", "-k", "fill and normal", "--benchmark-json=x.json")
    assert found.returncode == 0, found.stdout
    assert "4 passed" in found.stdout, "the comparison three times, the recorded one once"
    assert "initperf: 1 comparison or timing is run 3 times each, in passes" in found.stdout
    assert "times as fast as the baseline" in found.stdout
    assert "12.5 %" in found.stdout
    content = json.loads((suite / "x.json").read_text())
    rows = {row["name"]: row for row in content["benchmarks"]}
    assert set(rows) == {"test_fill[normal]", "test_recorded_normal_fill"}

    compared = rows["test_fill[normal]"]
    extra = compared["extra_info"]
    assert extra["ratio_low"] <= extra["ratio"] <= extra["ratio_high"]
    assert extra["null_ratio"] > 0
    assert len(extra["passes"]) == 3
    medians = [one["median_s"] for one in extra["passes"]]
    # the baseline's median, whose sleeps are never too short, but for the rounding of the quotient
    assert extra["ratio"] * min(medians) >= 0.004 * (1 - 1e-12)
    assert extra["ratio"] == extra["passes"][medians.index(min(medians))]["ratio"]
    assert sum(one["rounds"] for one in extra["passes"]) == compared["stats"]["rounds"]
    assert compared["stats"]["min"] >= 0.001
    assert compared["stats"]["rounds"] >= 5

    recorded = rows["test_recorded_normal_fill"]
    assert recorded["group"] == "own"
    assert recorded["stats"]["data"] == pytest.approx([0.005, 0.001, 0.003], rel=1e-12)
    assert recorded["options"]["timer"] == "initperf.benchmarks.timing"

    assert content["machine_info"]["initperf"]["processor"]
    assert "date" not in content["machine_info"]["initperf"]
    assert content["initperf"]["date"]
    assert content["initperf"]["units"]["stats"] == "s"


def test_nothing_selected_is_said_without_a_traceback(suite):
    found = run(suite, "--benchmark", "-k", "no_such_name", "--benchmark-json=x.json")
    assert found.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "5 deselected" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


@pytest.mark.slow
def test_runs_of_another_machine_can_be_compared(suite):
    options = ("--benchmark", "-k", "plain", "--benchmark-save=x")
    assert run(suite, *options).returncode == 0
    (saved,) = suite.glob(".benchmarks/*/*.json")
    content = json.loads(saved.read_text())
    content["machine_info"]["processor"] = "another"
    saved.write_text(json.dumps(content))
    found = run(suite, *options, "--benchmark-compare")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Traceback" not in found.stdout + found.stderr


def test_only_benchmarks_run_each_once_when_disabled(suite):
    found = run(suite, "--benchmark", "--benchmark-disable", "-s")
    assert found.returncode == 0, found.stdout
    assert "4 passed, 1 deselected" in found.stdout
    assert found.stdout.count("compared None") == 2


@pytest.mark.slow
def test_paths_are_used_where_given(suite):
    found = run(suite, "--benchmark", "tests/test_other.py", "-k", "plain", "-v")
    assert "tests/test_other.py::test_plain PASSED" in found.stdout
    found = run(suite, "bench", "-k", "plain", "-v")
    assert "bench/bench_kernels.py::test_plain PASSED" in found.stdout


def test_without_the_option_nothing_changes(suite):
    found = run(suite, "-k", "plain or without", "--benchmark-json=x.json")
    assert "1 failed, 1 passed" in found.stdout
    assert "tests/test_other.py" in found.stdout
    assert "bench" not in found.stdout.split("collected")[1].split("FAILURES")[0]
    content = json.loads((suite / "x.json").read_text())
    assert "initperf" not in content
    assert "initperf" not in content["machine_info"]


def test_a_folder_without_suites_is_a_usage_error(tmp_path):
    found = run(tmp_path, "--benchmark")
    assert found.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"--benchmark runs the suites in bench/, and {tmp_path} has none" in found.stderr
    assert "Traceback" not in found.stderr


def test_pytest_benchmark_is_asked_for_only_when_needed(suite):
    plugins = ("initperf.benchmarks.pytest_plugin",)
    found = run(suite, "--benchmark", plugins=plugins)
    assert found.returncode == pytest.ExitCode.USAGE_ERROR
    assert "pip install pytest-benchmark" in found.stderr
    (suite / "tests" / "test_other.py").write_text("def test_nothing():\n    pass\n")
    assert run(suite, plugins=plugins).returncode == 0


OTHERS = """
import pytest

@pytest.fixture
def recorded():
    return 3

@pytest.fixture
def ab():
    return "letters"

def test_own_fixtures(recorded, ab):
    assert (recorded, ab) == (3, "letters")
"""


@pytest.mark.parametrize(
    "plugins",
    [
        ("initperf.benchmarks.pytest_plugin",),
        ("pytest_benchmark.plugin", "initperf.benchmarks.pytest_plugin"),
    ],
)
def test_fixtures_of_the_same_names_elsewhere_are_left_alone(tmp_path, plugins):
    (tmp_path / "test_others.py").write_text(OTHERS)
    found = run(tmp_path, plugins=plugins)
    assert "1 passed" in found.stdout, found.stdout + found.stderr


@pytest.mark.slow
def test_profiles_can_be_asked_for(suite):
    words = ("--benchmark", "--benchmark-cprofile=tottime", "-k", "fill and normal")
    found = run(suite, *words, "--benchmark-passes=1")
    assert found.returncode == 0, found.stdout
    assert "2 passed" in found.stdout
    assert "initperf: " not in found.stdout


def test_the_plugin_is_light():
    code = (
        "import sys, initperf.benchmarks.pytest_plugin\n"
        "print(*{'numpy', 'numba', 'scipy', 'pandas'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


@pytest.mark.slow
def test_the_suites_of_this_checkout_are_found():
    found = run(CHECKOUT, "--benchmark", "--collect-only", "-q", "-k", "fill and normal")
    assert found.returncode == 0, found.stdout + found.stderr
    assert (
        "bench/bench_workloads.py::test_workload[fill_normal-float32-4096x4096-numpy]"
        in found.stdout
    )
