import json
import math

import pytest
from test_workloads import SMALL, made, workload_of

from initperf._core.registry import Registry
from initperf.benchmarks import cold_start, speed
from initperf.benchmarks.workloads import Workload
from initperf.errors import DataError


@pytest.fixture
def workloads(monkeypatch):
    workload = workload_of(
        made(1, name="numpy_reference", label="NumPy reference", role="reference"),
        made(1, name="numpy", label="NumPy"),
        made(1, name="numba", label="Numba", role="ours", threads="each"),
    )
    registry = Registry("workload")
    for name in ("first", "second"):
        registry.register(name, Workload(**{**vars(workload), "name": name, "kernels": ("k", "l")}))
    monkeypatch.setattr(speed, "WORKLOADS", registry)
    monkeypatch.setattr(speed, "_FULL_SECONDS", 0.02)
    monkeypatch.setattr(speed, "_QUICK_SECONDS", 0.02)
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    monkeypatch.setattr(
        speed,
        "compile_seconds",
        lambda kernels, measure: dict.fromkeys(kernels, 1.5 if measure else math.nan),
    )


def test_the_table_has_a_row_for_each_work_size_and_method(workloads):
    steps = []
    table = speed.speed_table(progress=lambda *step: steps.append(step))
    assert tuple(table.columns) == speed.COLUMNS
    assert list(table["kernel"]) == ["first"] * 4 + ["second"] * 4
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
    assert table["compile_s"].isna().all()
    assert steps == [(0, 2, "first 24 x 16"), (1, 2, "second 24 x 16"), (2, 2, "")]


def test_a_work_of_a_missing_library_is_left_out(workloads):
    absent = workload_of(made(1, needs="initperf_no_such_module"))
    speed.WORKLOADS.register("third", Workload(**{**vars(absent), "name": "third"}))
    assert set(speed.speed_table()["kernel"]) == {"first", "second"}


def test_a_work_of_another_library_alone_is_left_out_without_peers(workloads):
    """As PyTorch's module is, wherever PyTorch is installed."""
    other = workload_of(made(1, needs="scipy"))
    speed.WORKLOADS.register("third", Workload(**{**vars(other), "name": "third"}))
    for peers, names in ((True, {"first", "second", "third"}), (False, {"first", "second"})):
        assert {workload.name for workload, _ in speed.choose_workloads(True, "", peers)} == names
        assert {one.row["kernel"] for one in speed.measure_workloads(True, peers=peers)} == names


def test_compiling_is_measured_when_asked(workloads):
    table = speed.speed_table(quick=True, measure_compilation=True)
    ours = table["role"] == "ours"
    assert set(table[ours]["compile_s"]) == {3.0}
    assert table[~ours]["compile_s"].isna().all()


def benchmark(name, **extra):
    stats = {"median": 2e-3, "iqr": 1e-4, "rounds": 4, "data": [1e-3, 2e-3, 2e-3, 3e-3]}
    return {"fullname": name, "stats": stats, "extra_info": extra}


def test_a_benchmark_file_gives_the_same_table(workloads, tmp_path):
    entry = next(iter(speed.WORKLOADS["first"].entries(SMALL, "float32")))
    described = speed.describe_entry(speed.WORKLOADS["first"], SMALL, "float32", entry)
    path = tmp_path / "x.json"
    rows = [benchmark("other"), benchmark("a", ratio=3.0, **described)]
    path.write_text(json.dumps({"benchmarks": rows}))
    table = speed.from_benchmark_json(path)
    assert tuple(table.columns) == speed.COLUMNS
    assert len(table) == 1
    row = table.iloc[0]
    assert {key: row[key] for key in described} == described
    assert (row["low_s"], row["median_s"], row["high_s"]) == (1e-3, 2e-3, 3e-3)
    assert row["rounds"] == 4
    assert math.isnan(row["compile_s"])


def test_a_file_without_works_is_an_error(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"benchmarks": [benchmark("other")]}))
    with pytest.raises(DataError, match="no benchmark of a workload"):
        speed.from_benchmark_json(path)


def test_imports_are_timed_in_a_fresh_process():
    assert 0 < cold_start.import_seconds("initperf") < 30


def test_first_calls_are_timed_in_a_fresh_process(tmp_path):
    found = cold_start.first_call_seconds(["squared_norm"])
    assert list(found) == ["squared_norm"]
    assert 0 < found["squared_norm"] < 120


def test_a_cache_that_is_given_is_used(tmp_path):
    cold_start.first_call_seconds([], tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["code"]


def test_compilation_is_measured_once(monkeypatch, tmp_path):
    asked = []

    def measured(kernels):
        asked.append(list(kernels))
        return dict.fromkeys(kernels, 2.0)

    monkeypatch.setattr(cold_start, "first_call_seconds", measured)
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", tmp_path)
    monkeypatch.setattr("numba.config.DISABLE_JIT", 0)
    assert math.isnan(cold_start.compile_seconds(["a"], measure=False)["a"])
    assert cold_start.compile_seconds(["a"]) == {"a": 2.0}
    assert cold_start.compile_seconds(["a", "b"]) == {"a": 2.0, "b": 2.0}
    assert cold_start.compile_seconds(["b", "a"], measure=False) == {"b": 2.0, "a": 2.0}
    assert asked == [["a"], ["b"]]


def test_nothing_is_compiled_without_the_compiler(monkeypatch, tmp_path):
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", tmp_path)
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    assert math.isnan(cold_start.compile_seconds(["a"])["a"])
