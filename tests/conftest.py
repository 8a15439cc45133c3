"""What all tests share."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initperf.data import Dataset


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a cache directory of the test's own."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("INITPERF_CACHE", str(directory))
    return directory


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    """Give a small data set of ten classes that a perceptron can learn."""
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


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C reach children even where the shell started pytest with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
