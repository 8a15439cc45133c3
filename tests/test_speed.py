import dataclasses
import json
import math
import time
from types import SimpleNamespace

import pytest
from small_workloads import made, workload_of

from initperf.benchmarks import cold_start, speed
from initperf.benchmarks.speed import Selection
from initperf.benchmarks.workloads import Method
from initperf.errors import DataError


def measured(selection, **options):
    return speed.measure_workloads(selection, seconds=0.01, **options)


@pytest.mark.slow
def test_the_table_has_a_row_for_each_workload_size_and_method(workloads):
    steps = []
    table = speed.speed_table(progress=lambda *step: steps.append(step))
    assert tuple(table.columns) == speed.COLUMNS
    assert list(table["workload"]) == ["first"] * 4 + ["second"] * 4
    methods = ["NumPy reference", "NumPy", "Numba, 1 thread", "Numba, 2 threads"]
    assert list(table["method"]) == methods * 2
    assert list(table["role"])[:4] == ["reference", "rival", "ours", "ours"]
    assert list(table["threads"])[:4] == [1, 1, 1, 2]
    assert set(table["size"]) == {"24 x 16"}
    assert set(table["values"]) == {384}
    assert set(table["dtype"]) == {"float32"}
    assert (table["low_s"] <= table["median_s"]).all()
    assert (table["median_s"] <= table["high_s"]).all()
    assert (table["rounds"] >= 3).all()
    assert list(table["limit_s"])[:4] == [2.0, 2.0, 2.0, 1.0]
    assert list(table["limit"])[2:4] == ["stores, 1 thread", "stores, 2 threads"]
    assert (table["first_call_s"] > 0).all()
    assert steps == [(0, 2, "first 24 x 16"), (1, 2, "second 24 x 16"), (2, 2, "")]


@pytest.mark.slow
def test_a_workload_of_a_missing_library_is_left_out(workloads):
    absent = workload_of(made(1, needs="initperf_no_such_module"))
    workloads.register("third", dataclasses.replace(absent, name="third"))
    rows = measured(Selection(workloads=workloads))
    assert {row.workload for row in rows} == {"first", "second"}


@pytest.mark.slow
def test_a_workload_of_another_library_alone_is_left_out_without_peers(workloads):
    """As PyTorch's module is, wherever PyTorch is installed."""
    other = workload_of(made(1, needs="scipy"))
    workloads.register("third", dataclasses.replace(other, name="third"))
    for peers, names in ((True, {"first", "second", "third"}), (False, {"first", "second"})):
        selection = Selection(quick=True, peers=peers, workloads=workloads)
        assert {workload.name for workload, _ in selection.steps()} == names
        assert {row.workload for row in measured(selection)} == names


def test_a_quick_measurement_leaves_out_what_specifies(workloads):
    methods = {quick: {row.method for row in measured(Selection(quick))} for quick in (True, False)}
    assert methods[False] - methods[True] == {"NumPy reference"}
    assert len(methods[True]) == 3


def test_the_share_of_time_is_the_same_whichever_are_selected(workloads):
    assert Selection(words="first", workloads=workloads).seconds() == 0.02 / 2


@pytest.mark.parametrize("preparations", [1, 2])
def test_the_first_call_of_every_method_is_timed_apart(monkeypatch, workloads, preparations):
    """On a clock that only the compilation moves, which takes nine seconds of the first call."""
    now, compiled = [0.0], []

    def prepare(shape, dtype, threads):
        def call():
            if not compiled:
                now[0] += 9.0
                compiled.append(shape)
            return 1

        return call

    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr("initperf.benchmarks.workloads._workload.time", clock)
    plain = workloads["first"]
    compiling = Method("jit", "Jit", "rival", prepare, threads="each")
    third = dataclasses.replace(plain, name="third", methods=(*plain.methods, compiling))
    workloads.register("third", third)
    selection = Selection(words="third", workloads=workloads)
    rows = measured(selection, preparations=preparations)
    assert {row.method: row.first_call_s for row in rows} == {
        "NumPy reference": 0.0,
        "NumPy": 0.0,
        "Numba, 1 thread": 0.0,
        "Numba, 2 threads": 0.0,
        "Jit, 1 thread": 9.0,
        "Jit, 2 threads": 0.0,
    }
    assert all(row.median_s < 9.0 for row in rows)


def test_missing_libraries_are_named():
    absent = workload_of(made(1, needs="initperf_no_such_module"), made(1))
    assert speed.missing_peers({"w": absent}) == ["initperf_no_such_module"]


def benchmark(name, **extra):
    stats = {"median": 2e-3, "iqr": 1e-4, "rounds": 4, "data": [1e-3, 2e-3, 2e-3, 3e-3]}
    return {"fullname": name, "stats": stats, "extra_info": extra}


@pytest.mark.parametrize("column", ["workload", "kernel"])
def test_a_benchmark_file_gives_the_same_table(tmp_path, column):
    """Files of before called a workload a kernel."""
    told = {
        "method": "NumPy",
        "role": "rival",
        "size": "24 x 16",
        "values": 384,
        "dtype": "float32",
        "threads": 1,
        "limit_s": 1e-3,
        "limit": "stores, 1 thread",
    }
    path = tmp_path / "x.json"
    control = benchmark("c", workload="plain_stores", role="control", method="control, 2 threads")
    work = benchmark("a", ratio=3.0, **{column: "first"}, **told)
    rows = [benchmark("other", kernel="k"), control, work]
    path.write_text(json.dumps({"benchmarks": rows}))
    table = speed.from_benchmark_json(path)
    assert tuple(table.columns) == speed.COLUMNS
    assert len(table) == 1
    row = table.iloc[0]
    assert {key: row[key] for key in told} == told
    assert row["workload"] == "first"
    # Student's interval of the logarithm: symmetric by ratio, of four rounds wider than quartiles
    assert row["median_s"] == 2e-3
    assert row["low_s"] * row["high_s"] == pytest.approx(row["median_s"] ** 2)
    assert row["low_s"] < 1.5e-3
    assert (row["rounds"], row["ratio"], row["percent_of_limit"]) == (4, 3.0, 50.0)
    assert math.isnan(row["first_call_s"])


TOLD = {
    "workload": "first",
    "method": "NumPy",
    "role": "rival",
    "size": "24 x 16",
    "values": 384,
    "dtype": "float32",
    "threads": 1,
    "limit_s": 1e-3,
    "limit": "stores, 1 thread",
}


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        *((fact, value) for fact in ("method", "role", "size", "dtype") for value in (None, 5, "")),
        *(("values", value) for value in (None, "x", True, -1, float("nan"), 10**400, [])),
        *(
            (fact, "x")
            for fact in ("threads", "limit_s", "first_call_s", "ratio_low", "ratio_high")
        ),
        ("workload", ["a"]),
    ],
)
def test_facts_that_figures_cannot_show_are_damage(tmp_path, fact, value):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"benchmarks": [benchmark("a", **{**TOLD, fact: value})]}))
    with pytest.raises(DataError, match=rf"x\.json: the {fact} of 'a' must be") as caught:
        speed.from_benchmark_json(path)
    assert "\n" not in str(caught.value)


def test_a_file_without_workloads_is_an_error(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"benchmarks": [benchmark("other")]}))
    with pytest.raises(DataError, match="no benchmark of a workload"):
        speed.from_benchmark_json(path)


def test_imports_are_timed_in_a_fresh_process():
    begin = time.perf_counter()
    taken = cold_start.import_seconds("initperf")
    assert 0 < taken < time.perf_counter() - begin  # which starts the process, too


@pytest.mark.slow
def test_first_calls_are_timed_in_a_fresh_process(tmp_path):
    begin = time.perf_counter()
    found = cold_start.first_call_seconds(["squared_norm"])
    assert list(found) == ["squared_norm"]
    assert 0 < found["squared_norm"] < time.perf_counter() - begin  # as above


@pytest.mark.slow
def test_a_cache_that_is_given_is_used(tmp_path):
    cold_start.first_call_seconds([], tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["code"]
