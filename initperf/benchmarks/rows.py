"""The row of every timing: one schema for workloads, kernels and rows of pytest-benchmark.

Each field says once what it means and in which unit; tables, the units in a file of results and
the command line take that from here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


Subject = Literal["workload", "kernel"]


class Column(NamedTuple):
    """Meaning and unit of a column, and whether it is of workloads or of kernels only."""

    meaning: str
    unit: str = ""
    only: Subject | None = None


def _column(
    meaning: str, unit: str = "", only: Subject | None = None, *, derived: bool = False
) -> Any:
    return field(default=None, init=not derived, metadata={"column": Column(meaning, unit, only)})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One timing; a field that does not apply is None, a value that is not known is NaN.

    The columns are described in `COLUMNS`. ``percent_of_limit``, ``intensity`` and ``rate``
    follow from the others.

    Attributes
    ----------
    samples_s : sequence of float
        Seconds a call took in each round; no column.
    """

    workload: str | None = _column("workload that a method did", only="workload")
    kernel: str | None = _column("kernel whose Numba twin was called", only="kernel")
    method: str | None = _column(
        "method, with its threads where it can have several", only="workload"
    )
    role: str | None = _column("reference, rival, ours, or control", only="workload")
    size: str | None = _column("size of the arguments")
    values: int | None = _column("values that come out", only="workload")
    dtype: str | None = _column("type of the values")
    threads: int | None = _column("threads that the method takes")
    operations: float | None = _column("operations of a call", "FLOP", only="kernel")
    bytes: float | None = _column(
        "bytes that a call reads or writes, each once", "B", only="kernel"
    )
    median_s: float | None = _column("median time of a call", "s")
    low_s: float | None = _column("lower end of the median's 95 % interval", "s")
    high_s: float | None = _column("upper end of the median's 95 % interval", "s")
    rounds: int | None = _column("samples")
    limit_s: float | None = _column("least time that the hardware allows", "s")
    limit: str | None = _column("what the hardware limits")
    percent_of_limit: float | None = _column("least time over median time", "%", derived=True)
    intensity: float | None = _column(
        "operations for each byte", "FLOP/B", only="kernel", derived=True
    )
    rate: float | None = _column("operations a second", "FLOP/s", only="kernel", derived=True)
    ratio: float | None = _column(
        "median time of the baseline over that of the method", only="workload"
    )
    ratio_low: float | None = _column("lower end of the ratio's 95 % interval", only="workload")
    ratio_high: float | None = _column("upper end of the ratio's 95 % interval", only="workload")
    null_ratio: float | None = _column("ratio of the baseline to itself", only="workload")
    null_low: float | None = _column("lower end of the null ratio's 95 % interval", only="workload")
    null_high: float | None = _column(
        "upper end of the null ratio's 95 % interval", only="workload"
    )
    first_call_s: float | None = _column(
        "time of the method's first call, which compiles what no cache or call before has compiled",
        "s",
        only="workload",
    )
    peak_bytes: float | None = _column(
        "resident memory at the peak of a call, less that before it", "B"
    )
    instructions: float | None = _column(
        "instructions of a call; empty where the machine does not count them"
    )
    cycles: float | None = _column(
        "processor cycles of a call; empty where the machine does not count them"
    )
    samples_s: Any = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.median_s is not None and self.limit_s is not None:
            self._set("percent_of_limit", 100.0 * self.limit_s / self.median_s)
        if self.operations is not None and self.bytes:
            self._set("intensity", self.operations / self.bytes)
        if self.operations is not None and self.median_s:
            self._set("rate", self.operations / self.median_s)

    def _set(self, name: str, value: float) -> None:
        object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """What tells it from all others in a file."""
        if self.kernel is not None:
            return f"kernel[{self.kernel}, {self.dtype}, {self.size}]"
        return f"bench[{self.workload}, {self.dtype}, {self.size}, {self.method}]"

    def record(self) -> dict[str, Any]:
        """Return the columns that apply, in the order of `COLUMNS`."""
        found = {name: getattr(self, name) for name in COLUMNS}
        return {name: value for name, value in found.items() if value is not None}


COLUMNS: Mapping[str, Column] = {
    one.name: one.metadata["column"] for one in fields(Row) if "column" in one.metadata
}
"""Every column by name, in the order of tables; ratios above 1 are faster than the baseline."""


def columns_of(subject: Subject) -> tuple[str, ...]:
    """Return the columns of a table of workloads, or of kernels."""
    return tuple(name for name, column in COLUMNS.items() if column.only in (None, subject))


_GIVEN = frozenset(one.name for one in fields(Row) if one.init and one.name in COLUMNS)


def row_of(facts: Mapping[str, Any], **timing: Any) -> Row:
    """Return the row of a benchmark.

    Parameters
    ----------
    facts : mapping of str to any
        What a benchmark tells of itself, as its ``extra_info``; what is no column is left out.
    **timing
        Columns that go before those of `facts`.

    Returns
    -------
    Row
    """
    known = {name: value for name, value in facts.items() if name in _GIVEN}
    return Row(**{**known, **timing})


def table_of(rows: Iterable[Row], columns: Sequence[str] = ()) -> "pd.DataFrame":
    """Return the table of rows.

    Parameters
    ----------
    rows : iterable of Row
        What the table holds.
    columns : sequence of str
        Its columns, by default all that apply to any row; NaN where one does not.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    records = [row.record() for row in rows]
    shown = columns or [name for name in COLUMNS if any(name in one for one in records)]
    return pd.DataFrame(
        [[one.get(name, math.nan) for name in shown] for one in records], columns=list(shown)
    )
