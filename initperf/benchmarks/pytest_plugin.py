"""``pytest --benchmark``, and fixtures that fill pytest-benchmark's rows with initperf's timings.

pytest loads this module wherever initperf is installed: it imports neither NumPy nor Numba, and
does not touch sessions and JSON of projects that do not use it.
"""

import argparse
import copy
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from initperf.benchmarks.budget import Budget

_SUITES = "bench"
_HARMLESS = ("Not saving anything", "Benchmark machine_info is different")
"""Warnings of pytest-benchmark that would stop a session in which warnings are errors."""

_ROWS = pytest.StashKey[list[tuple[str, dict[str, Any]]]]()
_REPEATED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--benchmark``."""
    from initperf.benchmarks.passes import PASSES

    parser.getgroup("initperf").addoption(
        "--benchmark",
        action="store_true",
        dest="initperf_benchmark",
        help="run only benchmarks: those of the paths given, or else the suites in bench/",
    )
    parser.getgroup("initperf").addoption(
        "--benchmark-passes",
        type=_one_or_more,
        default=PASSES,
        metavar="N",
        dest="initperf_passes",
        help="with --benchmark, times through all comparisons and timings, each with its share of "
        "the time and of the rounds: what disturbs one pass is not there in the next "
        "(default %(default)s)",
    )


def _one_or_more(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Turn a plain ``pytest --benchmark`` to the suites.

    Raises
    ------
    pytest.UsageError
        When there are no suites here, or pytest-benchmark is missing.
    """
    config.stash[_ROWS] = []
    if not config.getoption("initperf_benchmark"):
        return
    if not hasattr(config.option, "benchmark_json"):
        raise pytest.UsageError("--benchmark needs pytest-benchmark: pip install pytest-benchmark")
    for warning in _HARMLESS:
        warnings.filterwarnings("default", warning, UserWarning)
        # before pytest 9, those of the project come first at the end of a session
        config.addinivalue_line("filterwarnings", f"default:{warning}:UserWarning")
    if config.args_source is not config.ArgsSource.ARGS:
        suites = config.rootpath / _SUITES
        if not suites.is_dir():
            raise pytest.UsageError(
                f"--benchmark runs the suites in {_SUITES}/, and {config.rootpath} has none: "
                "run it in a checkout of initperf or say which files"
            )
        config.args = [str(suites)]
        config.args_source = config.ArgsSource.ARGS


def pytest_report_header(config: pytest.Config) -> str | None:
    """Warn before the benchmarks when others use the processor."""
    if not config.getoption("initperf_benchmark"):
        return None
    from initperf.benchmarks.machine import busy

    warning = busy()
    return f"WARNING: {warning}" if warning else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only benchmarks with ``--benchmark``, and give recorded ones their clock."""
    if config.getoption("initperf_benchmark"):
        others = [item for item in items if "benchmark" not in _fixtures(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if "benchmark" in _fixtures(item)]
    for item in items:
        if _uses(item, "recorded"):
            own = item.get_closest_marker("benchmark")
            options = {**(own.kwargs if own else {}), "timer": _RecordedClock()}
            item.add_marker(pytest.mark.benchmark(**options), append=False)
    again = [item for item in items if _uses(item, "ab", "timed")]
    items.extend(_copy(item) for _ in range(_passes(config) - 1) for item in again)
    config.stash[_REPEATED] = len(again) if _passes(config) > 1 else 0


def pytest_report_collectionfinish(config: pytest.Config) -> str | None:
    """Say that benchmarks appear once for each pass."""
    repeated = config.stash.get(_REPEATED, 0)
    if not repeated:
        return None
    words = "comparison or timing is" if repeated == 1 else "comparisons and timings are"
    return (
        f"initperf: {repeated} {words} run {_passes(config)} times each, in passes, and counted as "
        "often; --benchmark-passes=1 runs each once"
    )


def _copy(item: pytest.Item) -> pytest.Item:
    """Return an item that is set up anew, even where it follows the one that it repeats."""
    copied = copy.copy(item)
    copied._initrequest()  # type: ignore[attr-defined]  # as pytest itself does before a rerun
    return copied


def _passes(config: pytest.Config) -> int:
    """Return how often a benchmark is measured: once where it is only called."""
    if config.getoption("initperf_benchmark") and not config.getoption("benchmark_disable"):
        return int(config.getoption("initperf_passes"))
    return 1


def _budget(config: pytest.Config, options: Mapping[str, Any], seconds: float) -> "Budget":
    """Return the budget of one pass."""
    from initperf.benchmarks.budget import Budget

    rounds = config.getoption("benchmark_min_rounds")
    whole = Budget(**{"seconds": seconds, "least_rounds": rounds, **options})
    return whole.of_one_pass(_passes(config))


def _fixtures(item: pytest.Item) -> Iterable[str]:
    return getattr(item, "fixturenames", ())


def _uses(item: pytest.Item, *names: str) -> bool:
    """Return whether an item uses a fixture of this module, and not one of the same name."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(known[name][-1].func.__module__ == __name__ for name in names if name in known)


class _RecordedClock:
    """The timer of a row whose samples were taken elsewhere: each step lasts as one sample."""

    __name__ = "initperf.benchmarks.timing"

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def steps(self, samples_s: Iterable[float]) -> Callable[[], None]:
        samples = iter(samples_s)

        def step() -> None:
            self._now += next(samples, 0.0)  # --benchmark-cprofile calls it once more

        return step


@pytest.fixture
def recorded(request: pytest.FixtureRequest, benchmark: Any) -> Callable[[Iterable[float]], None]:
    """Fill the benchmark's row with samples that were taken elsewhere, in seconds."""
    marker = request.node.get_closest_marker("benchmark")
    clock: _RecordedClock = marker.kwargs["timer"]

    def fill(samples_s: Iterable[float]) -> None:
        samples = [float(sample) for sample in samples_s]
        benchmark.pedantic(clock.steps(samples), rounds=len(samples))
        benchmark.extra_info["taken_s"] = time.time()

    return fill


@pytest.fixture
def timed(request: pytest.FixtureRequest, benchmark: Any, recorded: Any) -> Callable[..., Any]:
    """Time one call, which is compiled and warmed up apart.

    ``timed(call, **options)`` runs `initperf.benchmarks.timing.measure` within half of
    ``--benchmark-max-time``, fills the row and returns the timing. The options are fields of
    `initperf.benchmarks.budget.Budget`. With ``--benchmark-disable``, the call is called once
    and nothing is returned.
    """

    def run(call: Callable[[], Any], **options: Any) -> Any:
        if not benchmark.enabled:
            benchmark.pedantic(call)
            return None
        from initperf.benchmarks.timing import measure

        seconds = float(request.config.getoption("benchmark_max_time")) / 2
        timing = measure(call, _budget(request.config, options, seconds))
        recorded(timing.samples_s)
        benchmark.extra_info.update(_footprint(call))
        return timing

    return run


@pytest.fixture
def ab(request: pytest.FixtureRequest, benchmark: Any, recorded: Any) -> Callable[..., Any]:
    """Compare a baseline `a` with a candidate `b` that does the same work.

    ``ab(a, b, **options)`` runs `initperf.benchmarks.timing.compare` within
    ``--benchmark-max-time`` and ``--benchmark-min-rounds`` and returns its result. The options
    are fields of `initperf.benchmarks.budget.Budget`; with ``preparations=10``, `a` and `b` are
    functions that prepare what is timed. The row holds the times of `b`; its ``extra_info`` has
    the ratio, the null ratio and their intervals, and the memory and instructions of a call of
    `b`. With ``--benchmark-disable``, both are called
    once and nothing is returned.
    """

    def run(a: Callable[[], Any], b: Callable[[], Any], **options: Any) -> Any:
        if not benchmark.enabled:
            if options.get("preparations", 1) > 1:
                a, b = a(), b()
            a()
            benchmark.pedantic(b)
            return None
        from initperf.benchmarks.timing import compare

        seconds = float(request.config.getoption("benchmark_max_time"))
        comparison = compare(a, b, _budget(request.config, options, seconds))
        recorded(comparison.candidate.samples_s)
        benchmark.extra_info.update(comparison.record())
        benchmark.extra_info.update(_footprint(b() if options.get("preparations", 1) > 1 else b))
        request.config.stash[_ROWS].append((benchmark.name, benchmark.extra_info))
        return comparison

    return run


def _footprint(call: Callable[[], Any]) -> dict[str, float | None]:
    """Return memory and instructions of a call; None where unknown, as JSON has no NaN."""
    from initperf.benchmarks.footprint import footprint

    taken = footprint(call).record()
    return {name: None if value != value else value for name, value in taken.items()}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what pytest-benchmark's table has no columns for."""
    rows = config.stash[_ROWS]
    if not rows:
        return
    width = max(len(name) for name, _ in rows)
    terminalreporter.section("times as fast as the baseline (95 % interval) [A/A], of the limit")
    for name, info in rows:
        share = info.get("percent_of_limit")
        terminalreporter.write_line(
            f"{name:{width}}  {info['ratio']:7.2f} "
            f"({info['ratio_low']:.2f} to {info['ratio_high']:.2f}) [{info['null_ratio']:.2f}]"
            + (f" {share:6.1f} %" if share is not None else "")
        )


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add what initperf knows of the machine, less what differs from run to run."""
    if _is_used():
        from initperf.benchmarks.machine import describe
        from initperf.benchmarks.results_file import lasting

        machine_info["initperf"] = lasting(describe())


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Join the passes of a benchmark, and add the units and what differs from run to run."""
    if _is_used():
        from initperf.benchmarks.passes import join

        output_json["benchmarks"] = join(output_json["benchmarks"])
        from initperf.benchmarks.machine import describe
        from initperf.benchmarks.results_file import passing

        output_json["initperf"] = passing(describe())


def _is_used() -> bool:
    return "initperf.benchmarks.timing" in sys.modules or "initperf.kernels" in sys.modules
