import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_workloads import SMALL, made, workload_of

from initperf.benchmarks.limits import Limit
from initperf.benchmarks.workloads import WORKLOADS, Entry, Size, Workload, matrix


def all_rows():
    for workload in WORKLOADS.values():
        for dtype in workload.dtypes:
            for entry in workload.entries(workload.quick_sizes[0], dtype):
                yield pytest.param(workload, dtype, entry, id=f"{workload.name}-{dtype}-{entry}")


@pytest.mark.parametrize(("workload", "dtype", "entry"), list(all_rows()))
def test_every_method_does_the_same_work(workload, dtype, entry):
    """Preparing checks the first result, and raises where it is another; later ones may go on."""
    call = workload.prepare(entry, workload.trial or workload.quick_sizes[0], dtype)
    assert call() is not None


def needs_nothing(workload):
    return any(method.needs == "numpy" for method in workload.methods)


@pytest.mark.parametrize("workload", list(WORKLOADS.values()), ids=list(WORKLOADS))
def test_every_workload_has_a_reference_a_rival_and_ours_at_a_small_size(workload):
    assert {method.role for method in workload.methods} == {"reference", "rival", "ours"}
    assert workload.sizes
    for size in (*workload.sizes, *workload.quick_sizes):
        assert workload.amount(size.shape, "float32") > 0
        if needs_nothing(workload):
            assert workload.baseline(size, "float32").method.role == "rival"


@pytest.mark.parametrize("workload", list(WORKLOADS.values()), ids=list(WORKLOADS))
def test_names_and_labels_of_methods_differ(workload):
    entries = list(workload.entries(workload.quick_sizes[0], "float32"))
    assert len({str(entry) for entry in entries}) == len(entries)
    assert len({entry.label for entry in entries}) == len(entries)


FILLS = [WORKLOADS[f"fill_{name}"] for name in ("uniform", "normal", "truncated_normal")]
SHAPE = (50, 40)
RIGHT = {
    "fill_uniform": lambda rng: rng.random(SHAPE, np.float32),
    "fill_normal": lambda rng: rng.standard_normal(SHAPE, np.float32),
    "fill_truncated_normal": lambda rng: (
        2
        * np.sin(rng.uniform(-np.pi / 2, np.pi / 2, SHAPE)).astype(np.float32)
        * np.float32(0.87962566 / math.sqrt(2))
    ),
}

MESSAGES = {
    "dtype": "made float64",
    "shape": "of shape",
    "mean": "mean 0",
    "std": "std 0",
    "nan": "values from nan to nan",
    "support": "values from",
}


@pytest.mark.parametrize("workload", FILLS, ids=lambda workload: workload.name)
def test_other_work_is_refused(workload):
    right = RIGHT[workload.name](np.random.default_rng(0))
    workload.check(right, SHAPE, "float32")
    wrong = {
        "dtype": right.astype(np.float64),
        "shape": right.T.copy(),
        "mean": right * 0.8 + np.float32(0.15 if workload.name != "fill_uniform" else 0.1) * 2,
        "std": 0.7 * (right - right.mean()) + right.mean(),
        "nan": np.where(right == right.max(), np.nan, right),
    }
    if workload.name != "fill_normal":
        wrong["support"] = np.where(right == right.max(), 2.01, right).astype(np.float32)
    for fault, array in wrong.items():
        with pytest.raises(ValueError, match=MESSAGES[fault]):
            workload.check(array, SHAPE, "float32")


def test_clipping_is_not_truncating():
    clipped = np.clip(np.random.default_rng(0).standard_normal((784, 256), np.float32), -2, 2)
    with pytest.raises(ValueError, match=r"std 0\.9"):
        WORKLOADS["fill_truncated_normal"].check(clipped, (784, 256), "float32")


def test_a_sweep_has_as_many_runs_as_processors(monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "3")
    workload = WORKLOADS["training_sweep"]
    for entry in workload.entries(workload.trial, "float32"):
        losses = workload.prepare(entry, workload.trial, "float32")()
        assert losses.shape[0] == 3
    with pytest.raises(ValueError, match="2 runs, not 3"):
        workload.check(losses[:2], workload.trial.shape, "float32")
    losses[2] += 1
    with pytest.raises(ValueError, match="a loss of"):
        workload.check(losses, workload.trial.shape, "float32")


def test_unequal_work_is_named_before_it_is_timed():
    workload = workload_of(made(1), made(2, label="Cheat"))
    right, wrong = workload.entries(SMALL, "float32")
    assert workload.prepare(right, SMALL, "float32")() == 1
    with pytest.raises(ValueError, match="Cheat does not do the workload w: made 2"):
        workload.prepare(wrong, SMALL, "float32")


def test_threads_are_one_all_or_each(monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "3")
    methods = [made(1, name=threads, threads=threads) for threads in ("one", "all", "each")]
    entries = list(workload_of(*methods).entries(SMALL, "float32"))
    assert [str(entry) for entry in entries] == ["one", "all_3", "each_1", "each_3"]
    assert [entry.label for entry in entries] == [
        "M",
        "M, 3 threads",
        "M, 1 thread",
        "M, 3 threads",
    ]
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    entries = list(workload_of(*methods).entries(SMALL, "float32"))
    assert [str(entry) for entry in entries] == ["one", "all_1", "each_1"]


def test_what_is_missing_too_large_or_of_another_dtype_is_left_out():
    workload = workload_of(
        made(1, name="here"),
        made(1, name="absent", needs="initperf_no_such_module"),
        made(1, name="slow", largest=SMALL.values - 1),
        made(1, name="double", dtypes=("float64",)),
    )
    assert [str(entry) for entry in workload.entries(SMALL, "float32")] == ["here"]
    assert [str(entry) for entry in workload.entries(SMALL, "float64")] == ["here", "double"]


def test_the_baseline_is_the_first_rival():
    workload = workload_of(made(1, role="reference"), made(1, name="b"), made(1, name="c"))
    assert str(workload.baseline(SMALL, "float32")) == "b"


def test_a_limit_is_measured_once_and_gives_seconds():
    asked = []
    workload = workload_of(made(1))

    def limit(shape, dtype, threads):
        asked.append(threads)
        return Limit("stores", 50.0, "B/s", threads)

    workload = Workload(**{**vars(workload), "limit": limit})
    entry = Entry(made(1), 1)
    assert workload.limit_seconds(entry, SMALL, "float32") == (2.0, "stores, 1 thread")
    assert workload.limit_seconds(entry, SMALL, "float32") == (2.0, "stores, 1 thread")
    assert asked == [1]


def test_a_size_reads_as_a_table_does():
    assert matrix(784, 256) == Size("784 x 256", (784, 256), 200_704)
    assert str(matrix(784, 256)) == "784x256"


PLUG_IN = """
from initperf.benchmarks.limits import Limit
from initperf.benchmarks.workloads import Method, Workload, matrix, register


def prepare(shape, dtype, threads):
    return lambda: 1.0


def check(made, shape, dtype):
    if made != 1.0:
        raise ValueError("not one")


register(
    Workload(
        name="ones",
        methods=(Method("numpy", "NumPy", "rival", prepare), Method("own", "Own", "ours", prepare)),
        sizes=(matrix(1, 1),),
        quick_sizes=(matrix(1, 1),),
        check=check,
        amount=lambda shape, dtype: 1.0,
        limit=lambda shape, dtype, threads: Limit("ones", 1.0, "B/s", threads),
        kernels=(),
    )
)
"""


@pytest.mark.slow
def test_another_distribution_adds_a_workload_by_an_entry_point(tmp_path):
    (tmp_path / "plug_in_of_ones.py").write_text(PLUG_IN)
    facts = tmp_path / "plug_in_of_ones-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in-of-ones\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[initperf.workloads]\nones = plug_in_of_ones\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "initperf", "bench", "--quick", "--filter", "ones 1"]
    found = subprocess.run(
        [*command, "--json"],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert [row["method"] for row in json.loads(found.stdout)] == ["NumPy", "Own"]
