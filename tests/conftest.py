"""Fixtures that all tests share, and the number of processes that run them."""

import contextlib
import os
import signal
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initperf._core.registry import Registry
from initperf.data import Dataset


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite on all processors, and files named on the command line in one process.

    This hook and not ``addopts`` says so, because pytest-xdist need not be installed where only
    benchmarks run, and pytest-benchmark times nothing in a worker. ``-n`` overrides it.
    """
    if hasattr(config, "workerinput"):
        return  # this process is a worker itself
    options = config.option
    alone = options.usepdb or options.trace or options.collectonly
    alone = alone or config.getoption("initperf_benchmark", False)
    named = config.args_source is config.ArgsSource.ARGS
    if alone or named or getattr(options, "numprocesses", 0) is not None:
        return
    options.numprocesses = config.hook.pytest_xdist_auto_num_workers(config=config)
    options.dist = "worksteal"
    # Threads of BLAS wait for each other by spinning: with a worker on each processor, products on
    # all of them take several times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all but some cases of exhaustive tests slow.

    ``exhaustive("name", keep=2)`` keeps two of the cases that agree in the parameter ``name``, and
    without a name two of all. The digest of a case's name decides, so that the cases kept are
    spread over all other parameters, and stay the same when others are added.
    """
    alike: dict[tuple[object, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if mark := item.get_closest_marker("exhaustive"):
            function, _, _ = item.nodeid.partition("[")
            parameters = item.callspec.params
            alike[function, *(str(parameters[name]) for name in mark.args)].append(item)
    for cases in alike.values():
        cases.sort(key=lambda item: zlib.crc32(item.nodeid.encode()))
        mark = cases[0].get_closest_marker("exhaustive")
        for item in cases[mark.kwargs.get("keep", 1) :] if mark else ():
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test a cache directory of its own."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("INITPERF_CACHE", str(directory))
    return directory


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    """Make a small data set of ten classes that a perceptron can learn."""
    rng = np.random.default_rng(5)
    centres = rng.integers(0, 256, (10, 784))

    def part(count: int) -> tuple[Any, Any]:
        labels = np.arange(count) % 10
        noise = rng.normal(0.0, 40.0, (count, 784))
        return np.clip(centres[labels] + noise, 0, 255).astype(np.uint8), labels

    train_images, train_labels = part(300)
    test_images, test_labels = part(100)
    return Dataset(
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        name="mnist",
        source="made by a test",
    )


@pytest.fixture
def exchange() -> Iterator[Callable[[Registry[Any], str, object], None]]:
    """Return a function that puts an entry into a registry until the test ends."""
    with contextlib.ExitStack() as registries:

        def put(registry: Registry[Any], name: str, entry: object) -> None:
            registries.enter_context(registry.restored())
            aliases = registry.aliases(name) if name in registry else ()
            registry.register(name, entry, aliases, replace=True)

        yield put


@pytest.fixture
def workloads(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, object]:
    """Two small workloads, which all that chooses from the registry chooses from."""
    from small_workloads import replace_workloads  # imports the benchmarks, which few tests need

    return replace_workloads(monkeypatch)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C reach children even where the shell started pytest with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def _no_worker_of_xdist_for_children() -> None:
    """Let pytest-benchmark time in child processes, as it does in no worker of pytest-xdist."""
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        del os.environ[name]
