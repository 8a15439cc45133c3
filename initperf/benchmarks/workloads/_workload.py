"""What a workload is: sizes, methods of doing it, a check that they do the same, and its limit.

A benchmark and a table of speeds are made from every workload that is registered here. The NumPy
reference, which is a specification, is a method like others; the baseline that speeds are
compared with is what a user would otherwise call.
"""

import functools
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from initperf._core.parallel import default_threads
from initperf._core.registry import Registry
from initperf.benchmarks.limits import Limit

Call = Callable[[], Any]

PREPARATIONS = 10
"""How often a benchmark prepares its methods anew; see `initperf.benchmarks.timing.compare_all`."""


@dataclass(frozen=True)
class Size:
    """How large a workload is.

    Attributes
    ----------
    label : str
        As tables show it.
    shape : tuple of int
        What the methods are told.
    values : int
        How many values come out.
    """

    label: str
    shape: tuple[int, ...]
    values: int

    def __str__(self) -> str:
        return self.label.replace(" ", "")


def matrix(rows: int, columns: int) -> Size:
    """Return the size of a matrix of so many rows and columns."""
    return Size(f"{rows} x {columns}", (rows, columns), rows * columns)


@dataclass(frozen=True)
class Method:
    """One way of doing a workload.

    Attributes
    ----------
    name, label : str
        In the names of benchmarks, and in tables.
    role : str
        ``"reference"``, ``"rival"`` or ``"ours"``.
    prepare : callable
        ``prepare(shape, dtype, threads)`` allocates and seeds, outside the clock, and returns
        the call to be timed, which returns the array that it made.
    threads : str
        Whether it takes one thread, all, or is to be shown with each of the two.
    needs : str
        A module that must be installed.
    dtypes : tuple of str
        What it can make.
    largest : int
        Above so many values a call takes too long to be measured.
    """

    name: str
    label: str
    role: Literal["reference", "rival", "ours"]
    prepare: Callable[[tuple[int, ...], str, int], Call]
    threads: Literal["one", "all", "each"] = "one"
    needs: str = "numpy"
    dtypes: tuple[str, ...] = ("float32", "float64")
    largest: int = 2**62


@dataclass(frozen=True)
class Entry:
    """A method with a number of threads: one row of a table."""

    method: Method
    threads: int

    @property
    def label(self) -> str:
        """The method's label, with the threads where it can have several."""
        if self.method.threads == "one":
            return self.method.label
        return f"{self.method.label}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def __str__(self) -> str:
        if self.method.threads == "one":
            return self.method.name
        return f"{self.method.name}_{self.threads}"


@dataclass(frozen=True)
class Workload:
    """Something to be done, and the methods that do it.

    Attributes
    ----------
    name : str
        As tables call it.
    methods : tuple of Method
        The first that is a rival is the baseline.
    sizes, quick_sizes : tuple of Size
        What is measured, and what when there is little time.
    check : callable
        ``check(array, shape, dtype)`` raises ValueError unless the array is what all methods
        must make: equal work is checked before it is timed.
    amount : callable
        ``amount(shape, dtype)`` is how much of the limit's unit the workload takes at least.
    limit : callable
        ``limit(shape, dtype, threads)`` measures what the hardware allows.
    kernels : tuple of str
        The kernels that ours compiles.
    dtypes : tuple of str
        What is measured.
    trial : Size, optional
        What tests try every method on, interpreted kernels too; else the first quick size.
    pause_seconds : float
        The rest before a sample, for methods that bring different pools of threads; see
        `initperf.benchmarks.timing.compare_all`.
    """

    name: str
    methods: tuple[Method, ...]
    sizes: tuple[Size, ...]
    quick_sizes: tuple[Size, ...]
    check: Callable[[Any, tuple[int, ...], str], None]
    amount: Callable[[tuple[int, ...], str], float]
    limit: Callable[[tuple[int, ...], str, int], Limit]
    kernels: tuple[str, ...]
    dtypes: tuple[str, ...] = ("float32", "float64")
    trial: Size | None = None
    pause_seconds: float = 0.0

    def entries(self, size: Size, dtype: str, *, peers: bool = True) -> Iterator[Entry]:
        """Give all that can do a size and a dtype here, the reference first.

        Without `peers`, only what needs no library but NumPy.
        """
        every = default_threads()
        threads = {"one": (1,), "all": (every,), "each": tuple(sorted({1, every}))}
        for method in self.methods:
            if (
                dtype in method.dtypes
                and size.values <= method.largest
                and (peers or method.needs == "numpy")
                and is_installed(method.needs)
            ):
                for count in threads[method.threads]:
                    yield Entry(method, count)

    def baseline(self, size: Size, dtype: str) -> Entry:
        """Return the entry that the others are compared with."""
        return next(entry for entry in self.entries(size, dtype) if entry.method.role == "rival")

    def prepare(self, entry: Entry, size: Size, dtype: str) -> Call:
        """Prepare a method, call it once, compiling it, and check what it made.

        Raises
        ------
        ValueError
            When it is not what all methods must make.
        """
        call = entry.method.prepare(size.shape, dtype, entry.threads)
        try:
            self.check(call(), size.shape, dtype)
        except ValueError as error:
            raise ValueError(
                f"{entry.label} does not do the workload {self.name}: {error}"
            ) from error
        return call

    def preparing(self, entry: Entry, size: Size, dtype: str) -> Callable[[], Call]:
        """Return what prepares a method anew; what it makes is checked by `prepare`, once.

        Raises
        ------
        ValueError
            As `prepare`.
        """
        self.prepare(entry, size, dtype)
        return functools.partial(entry.method.prepare, size.shape, dtype, entry.threads)

    def limit_seconds(self, entry: Entry, size: Size, dtype: str) -> tuple[float, str]:
        """Return the least seconds that the hardware allows, and what limits them in words."""
        limit = _measured_once(self.limit, size.shape, dtype, entry.threads)
        return limit.seconds(self.amount(size.shape, dtype)), limit.words


def is_installed(module: str) -> bool:
    """Return whether a module could be imported."""
    return importlib.util.find_spec(module) is not None


@functools.cache
def _measured_once(limit: Callable[[tuple[int, ...], str, int], Limit], *subject: Any) -> Limit:
    return limit(*subject)


WORKLOADS: Registry[Workload] = Registry("workload", plugins="initperf.workloads")


def register(workload: Workload) -> Workload:
    """Add a workload; every workload's file ends with this call."""
    return WORKLOADS.register(workload.name, workload)
