"""Which data a name leads to, and what is said of files that are missing, swapped or altered."""

import dataclasses
import gzip
import hashlib
import struct
import subprocess
import sys

import numpy as np
import pytest

from initperf import data
from initperf._core.registry import UnknownNameError
from initperf.data import _idx
from initperf.data._catalogue import DATASETS, Published
from initperf.errors import DataError

NAMES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    counts = {"train_images": (12, 784), "train_labels": 12, "test_images": (7, 784)}
    highest = {"train_images": 256, "test_images": 256}
    return {
        part: rng.integers(0, highest.get(part, 10), counts.get(part, 7), dtype=np.uint8)
        for part in NAMES
    }


def write(directory, parts, suffix="", dotted=False):
    directory.mkdir(parents=True, exist_ok=True)
    for part, array in parts.items():
        name = NAMES[part].replace("-idx", ".idx") if dotted else NAMES[part]
        content = _idx.header(array) + array.tobytes()
        path = directory / f"{name}{suffix}"
        path.write_bytes(gzip.compress(content) if suffix == ".gz" else content)


@pytest.fixture(autouse=True)
def nothing_on_this_machine(tmp_path, monkeypatch, exchange):
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))
    monkeypatch.delenv("INITPERF_DATA", raising=False)
    for name, spec in DATASETS.items():
        exchange(DATASETS, name, dataclasses.replace(spec, installed=()))


@pytest.fixture
def published(exchange):
    """Make the files of seed 0 the published MNIST, and those of seed 1 Fashion-MNIST."""
    for seed, names in enumerate([("mnist", "mnist_full"), ("fashion_mnist",)]):
        known = {part: Published(len(a), _idx.sha256(a)) for part, a in arrays(seed).items()}
        for name in names:
            spec = dataclasses.replace(DATASETS[name], published=known)
            exchange(DATASETS, name, spec)


def test_emnist_is_transposed(tmp_path):
    parts = arrays()
    directory = tmp_path / "EMNIST" / "raw"
    directory.mkdir(parents=True)
    for part, name in DATASETS["emnist_digits"].names.items():
        array = parts[part]
        content = _idx.header(array) + array.tobytes()
        (directory / f"{name}.gz").write_bytes(gzip.compress(content))
    found = data.load("emnist_digits", tmp_path)
    upright = parts["train_images"].reshape(-1, 28, 28).transpose(0, 2, 1)
    np.testing.assert_array_equal(found.train_images.reshape(-1, 28, 28), upright)
    np.testing.assert_array_equal(found.test_labels, parts["test_labels"])


def table(labels):
    rows = np.arange(8 * len(labels), dtype=">i4").reshape(-1, 8)
    rows[:, 0] = labels
    return struct.pack(">3I", 0x0C02, len(labels), 8) + rows.tobytes()


def test_labels_of_qmnist_are_the_first_column_of_a_table(tmp_path):
    parts = arrays()
    for part, name in DATASETS["qmnist"].names.items():
        array = parts[part]
        content = _idx.header(array) + array.tobytes() if array.ndim > 1 else table(array)
        (tmp_path / name).write_bytes(content)
    found = data.load("qmnist", tmp_path)
    np.testing.assert_array_equal(found.train_labels, parts["train_labels"])
    path = tmp_path / DATASETS["qmnist"].names["train_labels"]
    for damage in (table(parts["train_labels"])[:-1], table([300] * 12), table([-1] * 12)):
        path.write_bytes(damage)
        with pytest.raises(DataError, match=r"labels from|of a table of labels"):
            data.load("qmnist", tmp_path)


def test_kmnist_is_found_and_never_suggested_for_download(tmp_path):
    write(tmp_path / "KMNIST" / "raw", arrays(3), ".gz")
    assert data.load("kmnist", tmp_path).size == 19
    with pytest.raises(DataError, match="not on this machine: name the directory"):
        data.load("kmnist")


def keras_archive(path, **changed):
    names = ("x_train", "y_train", "x_test", "y_test")
    parts = {
        name: array.reshape(-1, 28, 28) if array.ndim > 1 else array
        for name, array in zip(names, arrays().values(), strict=True)
    }
    np.savez_compressed(path, **{**parts, **changed})


@pytest.mark.parametrize("folder", ["", "datasets"])
def test_the_archive_of_keras_is_read(tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    keras_archive(tmp_path / folder / "mnist.npz")
    found = data.load("mnist", tmp_path)
    for part, array in arrays().items():
        np.testing.assert_array_equal(getattr(found, part), array)
    assert found.source == "Keras's archive"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x_train": np.zeros((12, 28, 27), np.uint8)}, "training images of uint8 and shape"),
        ({"y_train": np.zeros(12)}, "damaged: y_train is of float64"),
        ({"y_train": np.full(12, 10)}, "training labels from 10 to 10"),
        ({"y_train": np.array([None] * 12)}, "damaged: "),
    ],
)
def test_an_archive_of_other_arrays_is_refused(tmp_path, changed, message):
    keras_archive(tmp_path / "mnist.npz", **changed)
    with pytest.raises(DataError, match=message) as caught:
        data.load("mnist", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_named(tmp_path):
    path = tmp_path / "mnist.npz"
    keras_archive(path)
    content = path.read_bytes()
    for damage in (b"", content[:-30], content[:200], bytes(1000)):
        path.write_bytes(damage)
        with pytest.raises(DataError, match=r"mnist\.npz: damaged"):
            data.load("mnist", tmp_path)


def cached_files(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("mnist", "."),
        ("mnist", "raw"),
        ("mnist", "MNIST"),
        ("mnist", "MNIST/raw"),
        ("mnist_full", "MNIST/raw"),
        ("fashion_mnist", "FashionMNIST/raw"),
        ("fashion_mnist", "fashion-mnist"),
        ("Fashion-MNIST", "."),
    ],
)
def test_idx_files_load_from_every_layout(tmp_path, suffix, dotted, name, layout):
    write(tmp_path / "files" / layout, arrays(), suffix, dotted)
    dataset = data.load(name, tmp_path / "files")
    for part, array in arrays().items():
        np.testing.assert_array_equal(getattr(dataset, part), array)
    assert dataset.name == DATASETS.canonical(name)
    assert dataset.source == "IDX files"
    assert dataset.location == str(tmp_path / "files" / layout)
    assert dataset.published == ()
    plain = [_idx.header(array) + array.tobytes() for array in arrays().values()]
    digests = "".join(hashlib.sha256(content).hexdigest() for content in plain)
    assert dataset.digest == hashlib.sha256(digests.encode()).hexdigest()[:16]


def test_plain_files_go_before_compressed_and_the_data_sets_own_folder_before_all(tmp_path):
    write(tmp_path, arrays(3), ".gz")
    write(tmp_path, arrays(4))
    assert data.load("mnist", tmp_path).train_labels.tolist() == arrays(4)["train_labels"].tolist()
    write(tmp_path / "MNIST" / "raw", arrays(5))
    assert data.load("mnist", tmp_path).train_labels.tolist() == arrays(5)["train_labels"].tolist()


def test_an_argument_goes_before_the_environment_and_that_before_the_cache(tmp_path, monkeypatch):
    write(tmp_path / "cache" / "data" / "MNIST" / "raw", arrays(1))
    assert data.load("mnist").location == str(tmp_path / "cache" / "data" / "MNIST" / "raw")
    write(tmp_path / "environment", arrays(2))
    monkeypatch.setenv("INITPERF_DATA", str(tmp_path / "environment"))
    assert data.load("mnist").location == str(tmp_path / "environment")
    write(tmp_path / "argument", arrays(3))
    assert data.load("mnist", tmp_path / "argument").location == str(tmp_path / "argument")


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_directory_that_was_named_must_have_the_files(tmp_path, monkeypatch, by):
    write(tmp_path / "FashionMNIST" / "raw", arrays())
    monkeypatch.setenv("INITPERF_DATA", str(tmp_path if by == "environment" else tmp_path / "no"))
    directory = tmp_path if by == "argument" else None
    with pytest.raises(DataError, match=r"no MNIST files: expected train-images-idx3-ubyte\.gz"):
        data.load("mnist", directory)
    assert data.load("fashion_mnist", directory).size == 19


def test_files_of_a_package_of_the_system_are_found_after_fetched_ones(tmp_path, exchange):
    write(tmp_path / "share", arrays(3), ".gz")
    installed = str(tmp_path / "nowhere"), str(tmp_path / "share")
    spec = dataclasses.replace(DATASETS["fashion_mnist"], installed=installed)
    exchange(DATASETS, "fashion_mnist", spec)
    found = data.load("fashion_mnist")
    assert np.array_equal(found.train_images, arrays(3)["train_images"])
    assert found.location == str(tmp_path / "share")
    write(tmp_path / "cache" / "data" / "FashionMNIST", arrays(4))
    assert np.array_equal(data.load("fashion_mnist").train_images, arrays(4)["train_images"])


def test_a_directory_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="nowhere: no such directory"):
        data.load("mnist", tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["fashion_mnist", "mnist_full"])
def test_what_is_nowhere_says_what_to_do(name):
    with pytest.raises(DataError, match=f"run `initperf data fetch {name}`, or name the directory"):
        data.load(name)


def test_an_unknown_name_suggests_the_nearest(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownNameError, match=r"'images'.* a directory of IDX files is named"):
        data.load("images")
    with pytest.raises(UnknownNameError, match="unknown data set 'mnits'; did you mean 'mnist'"):
        data.load("mnits")


def test_names_longer_than_files_have_are_refused_as_others():
    with pytest.raises(UnknownNameError, match="unknown data set 'aaaa"):
        data.load("a" * 300)
    with pytest.raises(DataError, match="aaaa: no such directory"):
        data.load("mnist", "a" * 300)


@pytest.mark.parametrize("part", NAMES)
def test_one_missing_file_is_named_and_nothing_is_cached(tmp_path, part):
    write(tmp_path / "files", arrays())
    (tmp_path / "files" / NAMES[part]).unlink()
    with pytest.raises(DataError, match=rf"{NAMES[part]}\.gz: missing"):
        data.load("mnist", tmp_path / "files")
    assert not cached_files(tmp_path)


def swap(parts, one, other):
    return {**parts, one: parts[other], other: parts[one]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda parts: swap(parts, "train_images", "train_labels"),
            "train-images-idx3-ubyte: holds labels: .* expected images",
        ),
        (
            lambda parts: swap(parts, "test_images", "train_images"),
            "train-labels-idx1-ubyte: 12 labels for the 7 images of .*train-images-idx3-ubyte",
        ),
        (
            lambda parts: {**parts, "test_labels": parts["test_labels"][:-1]},
            "t10k-labels-idx1-ubyte: 6 labels for the 7 images of .*t10k-images-idx3-ubyte",
        ),
        (
            lambda parts: {**parts, "test_labels": np.array([1, 2, 3, 10, 5, 11, 7], np.uint8)},
            "t10k-labels-idx1-ubyte: label 10 at position 3, expected 0 to 9",
        ),
        (
            lambda parts: {
                **parts,
                "train_images": parts["train_images"][:0],
                "train_labels": parts["train_labels"][:0],
            },
            "train-labels-idx1-ubyte: no labels, expected at least one",
        ),
    ],
    ids=["labels for images", "test for train", "count", "label 10", "empty"],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_that_do_not_belong_together_are_refused(tmp_path, change, message, suffix):
    write(tmp_path / "files", change(arrays()), suffix)
    message = message.replace("ubyte", f"ubyte{suffix}")
    with pytest.raises(DataError, match=message) as caught:
        data.load("mnist", tmp_path / "files")
    assert "\n" not in str(caught.value)
    assert not cached_files(tmp_path)


def test_published_files_are_named(tmp_path, published):
    write(tmp_path, arrays(0))
    assert data.load("mnist", tmp_path).published == (
        "the published MNIST training images",
        "the published MNIST training labels",
        "the published MNIST test images",
        "the published MNIST test labels",
    )


@pytest.mark.parametrize("name", ["mnist", "mnist_full"])
def test_another_data_sets_published_files_are_refused(tmp_path, published, name):
    write(tmp_path, arrays(1))
    message = "holds the published Fashion-MNIST training images, expected MNIST's training images"
    with pytest.raises(DataError, match=message):
        data.load(name, tmp_path)


def test_published_training_and_test_files_that_changed_places_are_refused(tmp_path, published):
    parts = swap(swap(arrays(0), "train_images", "test_images"), "train_labels", "test_labels")
    write(tmp_path, parts)
    message = "train-images.* holds the published MNIST test images, expected MNIST's training"
    with pytest.raises(DataError, match=message):
        data.load("mnist", tmp_path)


@pytest.mark.parametrize("part", NAMES)
def test_one_changed_byte_beside_published_files_is_refused(tmp_path, published, part):
    parts = arrays(0)
    last = parts[part][-1:] if parts[part].ndim == 1 else parts[part][-1, -1:]
    last[...] = (last + 1) % 10
    write(tmp_path, parts)
    with pytest.raises(DataError, match=f"{NAMES[part]}: corrupted or altered: sha256 "):
        data.load("mnist", tmp_path)


def test_a_smaller_test_set_beside_published_training_files_is_not(tmp_path, published):
    parts = arrays(0)
    parts.update(test_images=parts["test_images"][:3], test_labels=parts["test_labels"][:3])
    write(tmp_path, parts)
    assert len(data.load("mnist", tmp_path).published) == 2


def test_the_published_digests_are_whole_and_all_different():
    files = [f for n in ("mnist", "fashion_mnist") for f in DATASETS[n].published.values()]
    assert len({file.sha256 for file in files}) == 8
    assert all(len(bytes.fromhex(file.sha256)) == 32 for file in files)
    assert [file.count for file in files] == [60_000, 60_000, 10_000, 10_000] * 2


def test_describe_gives_what_a_table_shows(tmp_path):
    write(tmp_path, arrays())
    row = data.describe(data.load("mnist", tmp_path))
    assert row["name"] == "mnist"
    assert (row["train_count"], row["test_count"]) == (12, 7)
    assert sum(row["train_per_class"]) == 12
    assert len(row["test_per_class"]) == 10
    assert row["mean"] == pytest.approx(arrays()["train_images"].mean() / 255)
    assert row["std"] == pytest.approx(arrays()["train_images"].std() / 255)


def test_available_has_a_row_for_every_name_and_one_line_for_every_fault(
    tmp_path, exchange, published
):
    embedded = dataclasses.replace(DATASETS["mnist_5k"], embedded=lambda: arrays(7))
    exchange(DATASETS, "mnist_5k", embedded)
    write(tmp_path / "MNIST" / "raw", arrays(0))
    (tmp_path / "FashionMNIST").mkdir()
    (tmp_path / "FashionMNIST" / "train-images-idx3-ubyte").write_bytes(b"")
    rows = {row["name"]: row for row in data.available(tmp_path)}
    assert list(rows) == list(DATASETS)
    assert rows["mnist"]["published"] == "all four files"
    assert "missing" in rows["fashion_mnist"]["error"]


def test_nothing_heavy_is_imported():
    heavy = "{'mlxtend', 'sklearn', 'pandas', 'matplotlib', 'urllib.request'}"
    code = f"import sys, initperf.data; assert not {heavy} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
