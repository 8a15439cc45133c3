"""The one schema of timings: columns, their units, and what follows from others."""

import math

import pytest

from initperf.benchmarks.results_file import UNITS
from initperf.benchmarks.rows import COLUMNS, Row, columns_of, row_of, table_of

KERNEL = Row(
    kernel="k",
    size="9",
    dtype="float32",
    threads=1,
    operations=100.0,
    bytes=50.0,
    median_s=2.0,
    limit_s=1.0,
    samples_s=[1.0, 2.0, 3.0],
)
WORKLOAD = Row(workload="w", method="NumPy", size="2 x 2", dtype="float32", median_s=4.0)


def test_every_column_says_what_it_means_and_in_which_unit():
    for name, column in COLUMNS.items():
        assert column.meaning
        assert (column.unit == "s") == name.endswith("_s")
        assert UNITS.get(name, "") == column.unit
    assert COLUMNS["bytes"].unit == "B"
    assert "samples_s" not in COLUMNS


def test_what_follows_from_other_columns_is_there():
    assert (KERNEL.percent_of_limit, KERNEL.intensity, KERNEL.rate) == (50.0, 2.0, 50.0)
    assert (WORKLOAD.percent_of_limit, WORKLOAD.intensity, WORKLOAD.rate) == (None, None, None)


def test_a_record_has_the_columns_that_apply_in_their_order():
    record = KERNEL.record()
    assert list(record) == [name for name in COLUMNS if name in record]
    assert record.keys() >= {"kernel", "rate"}
    assert not record.keys() & {"workload", "ratio", "samples_s"}


def test_names_tell_workloads_from_kernels():
    assert KERNEL.name == "kernel[k, float32, 9]"
    assert WORKLOAD.name == "bench[w, float32, 2 x 2, NumPy]"


def test_a_table_has_what_applies_to_any_row():
    table = table_of([KERNEL, WORKLOAD])
    assert list(table) == [name for name in COLUMNS if name in table]
    assert table["median_s"].tolist() == [2.0, 4.0]
    assert math.isnan(table["rate"][1])
    assert list(table_of([WORKLOAD], ("first_call_s", "workload"))) == ["first_call_s", "workload"]


def test_tables_of_workloads_and_of_kernels_share_their_timings():
    workloads, kernels = columns_of("workload"), columns_of("kernel")
    assert {"median_s", "low_s", "high_s", "rounds", "limit_s"} <= {*workloads} & {*kernels}
    assert {"kernel", "intensity"} <= {*kernels} - {*workloads}
    assert {"workload", "ratio"} <= {*workloads} - {*kernels}
    assert {*workloads, *kernels} == {*COLUMNS}


def test_a_row_is_read_from_what_a_benchmark_tells():
    told = {**KERNEL.record(), "passes": [], "taken_s": 1.0, "median_s": 9.0}
    assert row_of(told, median_s=2.0) == KERNEL
    assert row_of(told, median_s=4.0).percent_of_limit == pytest.approx(25.0)
