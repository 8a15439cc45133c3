"""``initperf bench``: what is chosen, what is shown, and the file that is kept."""

import inspect
import json
import math

import pytest
from small_workloads import SMALL

from initperf import cli
from initperf.benchmarks import speed
from initperf.benchmarks.limits import Limit
from initperf.benchmarks.passes import PASSES
from initperf.benchmarks.regressions import compare_files
from initperf.benchmarks.roofline import least_seconds
from initperf.kernels import KERNELS


def run(capsys, *words):
    code = cli.main(["bench", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.slow
def test_what_is_kept_can_be_compared(workloads, capsys, tmp_path):
    path = tmp_path / "kept.json"
    code, out, _ = run(capsys, "--filter", "first", "--json", "--save", str(path))
    rows = json.loads(out)
    assert code == 0
    assert {row["workload"] for row in rows} == {"first"}
    ours = rows[-1]
    assert ours["ratio_low"] <= ours["ratio"] <= ours["ratio_high"]
    assert ours["null_ratio"] > 0
    assert ours["percent_of_limit"] > 0
    assert ours["first_call_ms"] > 0
    content = json.loads(path.read_text())
    assert content["machine_info"]["initperf"]["processor"]
    table = compare_files(path, path).table.set_index("benchmark")
    assert table.loc[f"bench[first, float32, {SMALL.label}, NumPy]", "verdict"] == "control"
    assert len(table) == len(rows) + 1, "a control is kept and not shown"
    for row in content["benchmarks"]:
        medians = [one["median_s"] for one in row["extra_info"]["passes"]]
        assert len(medians) == PASSES
        assert min(medians) == row["extra_info"]["median_s"]


def test_what_cannot_be_measured_or_kept_is_one_line_before_all_else(
    workloads,
    capsys,
    tmp_path,
    monkeypatch,
):
    monkeypatch.setattr(speed, "measure_workloads", None)
    code, out, err = run(capsys, "--filter", "no such")
    assert (code, out) == (2, "")
    assert err.startswith("initperf: no workload has 'no such'")
    assert "first 24 x 16" in err
    assert err.count("\n") == 1
    code, _, err = run(capsys, "--filter", "first", "--save", str(tmp_path / "no" / "x.json"))
    assert code == 2
    assert err.startswith("initperf: --save must be a file in a directory that exists")
    assert err.count("\n") == 1


@pytest.mark.parametrize("kernel", list(KERNELS.values()), ids=list(KERNELS))
def test_every_kernel_has_loads_that_it_takes(kernel):
    """Called by the suites; interpreted, as some tests run, they would take hours."""
    loads = list(kernel.loads())
    assert loads
    for load in loads:
        for dtype in load.dtypes:
            assert load.operations[dtype] > 0
            assert load.bytes_moved(dtype) > 0
            inspect.signature(kernel["numpy"]).bind(*load.arguments(dtype))


def seconds(operations, moved, dtype, *, peak=5.0, asked=None):
    """Return the least seconds where triad moves 10 bytes a second."""

    def bandwidth(size, width):
        if asked is not None:
            asked.append((size, width))
        return Limit("triad", 10.0, "B/s", 1)

    return least_seconds(
        operations,
        moved,
        dtype,
        bandwidth=bandwidth,
        peak=lambda width: Limit("FMA", peak, "FLOP/s", 1),
    )


def test_a_kernel_is_limited_by_operations_or_by_bytes():
    assert seconds(10.0, 10.0, "float32") == (2.0, "FMA, 1 thread")
    assert seconds(10.0, 40.0, "uint32") == (4.0, "triad, 1 thread")
    assert seconds(10.0, 10.0, "float32", peak=math.nan) == (1.0, "triad, 1 thread")


def test_bandwidth_is_that_of_the_power_of_two_below():
    asked = []
    for moved, dtype in ((5000.0, "float32"), (1.0, "uint32"), (1e12, "float64")):
        seconds(1.0, moved, dtype, asked=asked)
    assert asked == [(2**12, "float32"), (2**12, "float32"), (2**26, "float64")]


@pytest.mark.slow
def test_a_kernel_is_timed_and_shown_with_its_limit(capsys):
    code, out, _ = run(capsys, "--kernels", "--quick", "--filter", "squared_norm", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["kernel"] == "squared_norm"
    assert row["intensity"] == 0.5
    assert row["percent_of_limit"] > 0
    code, _, err = run(capsys, "--kernels", "--filter", "nothing")
    assert code == 2
    assert "no kernel has 'nothing'" in err
