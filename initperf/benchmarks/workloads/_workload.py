"""The parts of a workload: sizes, methods, a check that all methods do the same, and a limit.

Benchmarks and tables of speeds are made from every workload that is registered. The NumPy
reference, which is the specification, is a method like others; the baseline of ratios is the
method that a user would otherwise call. Another distribution registers workloads in a module
that its entry point of the group ``initperf.workloads`` names.
"""

import functools
import importlib.util
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from initperf._core.parallel import default_threads
from initperf._core.registry import Registry
from initperf.benchmarks.limits import Limit

Call = Callable[[], Any]

PREPARATIONS = 10
"""Preparations of a benchmark; see `initperf.benchmarks.budget.Budget`."""


@dataclass(frozen=True)
class Size:
    """The size of a workload.

    Attributes
    ----------
    label : str
        As tables show it.
    shape : tuple of int
        Argument of the methods.
    values : int
        Number of values that come out.
    """

    label: str
    shape: tuple[int, ...]
    values: int

    def __str__(self) -> str:
        return self.label.replace(" ", "")


def matrix(rows: int, columns: int) -> Size:
    """Return the size of a matrix.

    Parameters
    ----------
    rows, columns : int
        Of the matrix.

    Returns
    -------
    Size
    """
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
        Whether it takes one thread, all threads, or is timed with each of the two.
    needs : str
        Module that must be installed.
    program : str
        Program that must be on the path, such as a compiler; none by default.
    dtypes : tuple of str
        Types that it can make.
    largest : int
        Largest number of values whose call is short enough to be measured.
    """

    name: str
    label: str
    role: Literal["reference", "rival", "ours"]
    prepare: Callable[[tuple[int, ...], str, int], Call]
    threads: Literal["one", "all", "each"] = "one"
    needs: str = "numpy"
    program: str = ""
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
class Started:
    """A method that has done a workload once, as it should.

    Attributes
    ----------
    call : callable
        The call to be timed.
    first_call_s : float
        Seconds of its first call. What neither this process nor a cache on the disk has compiled
        yet is compiled in it.
    anew : callable
        Prepares the method once more, with other memory, and returns such a call.
    """

    call: Call
    first_call_s: float
    anew: Callable[[], Call]


@dataclass(frozen=True)
class Workload:
    """A task, and the methods that do it.

    Attributes
    ----------
    name : str
        As tables call it.
    methods : tuple of Method
        The first that is a rival is the baseline.
    sizes, quick_sizes : tuple of Size
        Sizes that are measured, and those of a quick measurement.
    check : callable
        ``check(array, shape, dtype)`` raises ValueError unless the array is what all methods
        must make: equal work is checked before it is timed.
    amount : callable
        ``amount(shape, dtype)`` is how much of the limit's unit the workload takes at least.
    limit : callable
        ``limit(shape, dtype, threads)`` measures what the hardware allows.
    kernels : tuple of str
        Kernels that our methods compile.
    dtypes : tuple of str
        Types that are measured.
    trial : Size, optional
        Size of the tests of every method, interpreted kernels too; else the first quick size.
    pause_seconds : float
        Rest before a sample, for methods with different pools of threads; see
        `initperf.benchmarks.budget.Budget`.
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
        """Give the methods that can do a size and a dtype here, the reference first.

        Parameters
        ----------
        size : Size
            Of the task.
        dtype : str
            Type of the values.
        peers : bool
            Whether methods that need libraries other than NumPy are among them.

        Yields
        ------
        Entry
        """
        every = default_threads()
        threads = {"one": (1,), "all": (every,), "each": tuple(sorted({1, every}))}
        for method in self.methods:
            if (
                dtype in method.dtypes
                and size.values <= method.largest
                and (peers or method.needs == "numpy")
                and is_installed(method.needs)
                and (not method.program or shutil.which(method.program))
            ):
                for count in threads[method.threads]:
                    yield Entry(method, count)

    def baseline(self, size: Size, dtype: str) -> Entry:
        """Return the entry that the others are compared with, the first rival.

        Parameters
        ----------
        size : Size
            Of the task.
        dtype : str
            Type of the values.

        Returns
        -------
        Entry
        """
        return next(entry for entry in self.entries(size, dtype) if entry.method.role == "rival")

    def start(self, entry: Entry, size: Size, dtype: str) -> Started:
        """Prepare a method, time its first call, which compiles it, and check its result.

        Parameters
        ----------
        entry : Entry
            The method.
        size : Size
            Of the task.
        dtype : str
            Type of the values.

        Returns
        -------
        Started

        Raises
        ------
        ValueError
            When the result is not what all methods must make.
        """
        anew = functools.partial(entry.method.prepare, size.shape, dtype, entry.threads)
        call = anew()
        begin = time.perf_counter()
        result = call()
        first_call_s = time.perf_counter() - begin
        try:
            self.check(result, size.shape, dtype)
        except ValueError as error:
            raise ValueError(
                f"{entry.label} does not do the workload {self.name}: {error}"
            ) from error
        return Started(call, first_call_s, anew)

    def prepare(self, entry: Entry, size: Size, dtype: str) -> Call:
        """Return the call of a method to be timed; parameters and errors as of `start`."""
        return self.start(entry, size, dtype).call

    def limit_seconds(self, entry: Entry, size: Size, dtype: str) -> tuple[float, str]:
        """Return the least seconds that the hardware allows, and the limit in words.

        Parameters
        ----------
        entry : Entry
            Gives the number of threads.
        size : Size
            Of the task.
        dtype : str
            Type of the values.

        Returns
        -------
        tuple of float and str
        """
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
