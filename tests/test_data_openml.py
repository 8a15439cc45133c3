"""scikit-learn's OpenML cache: read as scikit-learn reads it, but never mended from the network."""

import dataclasses
import gzip
import hashlib
import json
import socket

import numpy as np
import pytest
from sklearn.datasets import fetch_openml

from initperf import data
from initperf.data import _idx
from initperf.data._catalogue import DATASETS, Published
from initperf.errors import DataError

RNG = np.random.default_rng(6)
IMAGES = RNG.integers(0, 256, (14, 784), dtype=np.uint8)
LABELS = RNG.permutation(np.arange(14, dtype=np.uint8) % 10)
FEATURES = [f"pixel{i}" for i in range(1, 785)]


def arff(images=IMAGES, labels=LABELS):
    header = ["% a comment", "@RELATION mnist", ""]
    header += [f"@ATTRIBUTE {name} integer" for name in FEATURES]
    header += ["@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}", "", "@DATA"]
    table = np.column_stack([images, labels])
    return "\n".join([*header, *(",".join(map(str, row)) for row in table)]) + "\n"


@pytest.fixture(autouse=True)
def no_network(tmp_path, monkeypatch, exchange):
    def refuse(*arguments, **keywords):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    monkeypatch.delenv("INITPERF_DATA", raising=False)
    for name in ("mnist_full", "mnist", "fashion_mnist"):
        known = {part: Published(10, "") for part in ("train_images", "train_labels")}
        known |= {part: Published(4, "") for part in ("test_images", "test_labels")}
        spec = dataclasses.replace(DATASETS[name], published=known)
        exchange(DATASETS, name, spec)


@pytest.fixture
def openml(tmp_path):
    """Lay out what ``fetch_openml(data_id=554)`` leaves behind; return the root of it."""
    root = tmp_path / "home" / "openml" / "openml.org"
    keep(root, arff())
    names = [*FEATURES, "class"]
    features = [
        {
            "index": str(index),
            "name": name,
            "data_type": "nominal" if name == "class" else "numeric",
            "is_target": str(name == "class").lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": "0",
        }
        for index, name in enumerate(names)
    ]
    save(root, "api/v1/json/data/features/554", {"data_features": {"feature": features}})
    quality = [{"name": "NumberOfInstances", "value": "14.0"}]
    save(root, "api/v1/json/data/qualities/554", {"data_qualities": {"quality": quality}})
    return root


def save(root, name, content):
    path = root / f"{name}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def keep(root, table, number=554, file="data/v1/download/52667/mnist_784.arff"):
    description = {
        "id": str(number),
        "name": "mnist_784",
        "version": "1",
        "description": "digits",
        "format": "ARFF",
        "status": "active",
        "url": "https://api.openml.org/data/v1/download/52667/mnist_784.arff",
        "file_id": "52667",
        "md5_checksum": hashlib.md5(table.encode()).hexdigest(),
    }
    save(root, f"api/v1/json/data/{number}", {"data_set_description": description})
    return save(root, file, table)


def test_it_reads_what_scikit_learn_reads(openml, tmp_path):
    save(openml, "data/v1/download/52667", arff())  # the name that scikit-learn 1.5 knows
    bunch = fetch_openml(
        data_id=554, data_home=str(tmp_path / "home"), as_frame=False, parser="liac-arff"
    )
    dataset = data.load("mnist")
    images = np.concatenate([dataset.train_images, dataset.test_images])
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    np.testing.assert_array_equal(images, bunch.data)
    np.testing.assert_array_equal(labels, bunch.target.astype(int))
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (10, 4)
    assert dataset.source == "OpenML cache"
    assert dataset.location.endswith("mnist_784.arff.gz")


def test_the_name_that_older_releases_gave_the_file_is_found_too(openml):
    new = openml / "data/v1/download/52667/mnist_784.arff.gz"
    content = new.read_bytes()
    new.unlink()
    new.parent.rmdir()
    (openml / "data/v1/download/52667.gz").write_bytes(content)
    np.testing.assert_array_equal(data.load("mnist_full").train_images, IMAGES[:10])


@pytest.fixture
def published(exchange):
    """Make the table the published MNIST."""
    known = {
        "train_images": Published(10, _idx.sha256(IMAGES[:10])),
        "train_labels": Published(10, _idx.sha256(LABELS[:10])),
        "test_images": Published(4, _idx.sha256(IMAGES[10:])),
        "test_labels": Published(4, _idx.sha256(LABELS[10:])),
    }
    for name in ("mnist", "mnist_full"):
        spec = dataclasses.replace(DATASETS[name], published=known)
        exchange(DATASETS, name, spec)


def test_a_table_that_nobody_published_is_not_cached(openml, tmp_path):
    data.load("mnist")
    assert not list((tmp_path / "cache").rglob("*.npz"))


def test_it_is_parsed_once(openml, monkeypatch, published):
    first = data.load("mnist")

    def parse(*arguments, **keywords):
        raise AssertionError("parsed again")

    monkeypatch.setattr(np, "loadtxt", parse)
    assert data.load("mnist").digest == first.digest


def test_the_digest_is_that_of_the_same_data_in_idx_files(openml, tmp_path):
    same = data.Dataset(IMAGES[:10], LABELS[:10], IMAGES[10:], LABELS[10:], "mnist", "memory")
    assert data.load("mnist").digest == same.digest


def test_fashion_mnist_has_a_number_of_its_own(openml):
    keep(openml, arff(255 - IMAGES), 40996)
    np.testing.assert_array_equal(data.load("fashion_mnist").test_images, 255 - IMAGES[10:])


def test_a_description_without_its_table_is_as_nothing(openml):
    (openml / "data/v1/download/52667/mnist_784.arff.gz").unlink()
    with pytest.raises(DataError, match="not on this machine"):
        data.load("mnist_full")


def test_a_directory_that_was_named_goes_first(openml, tmp_path):
    with pytest.raises(DataError, match="no MNIST files"):
        data.load("mnist", tmp_path)


def test_a_damaged_description_is_named_and_stays(openml, tmp_path):
    path = openml / "api/v1/json/data/554.gz"
    for content in (b"", path.read_bytes()[:-9], gzip.compress(b"{}"), gzip.compress(b"[")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"554\.gz: damaged: .*; delete it to go without"):
            data.load("mnist")
        assert path.read_bytes() == content


def test_a_damaged_table_is_named_and_stays_and_nothing_is_cached(openml, tmp_path):
    path = openml / "data/v1/download/52667/mnist_784.arff.gz"
    altered = gzip.compress(arff(IMAGES ^ 1).encode())
    for content, message in (
        (path.read_bytes()[:-9], "end-of-stream"),
        (b"not gzip", "Not a gzipped file"),
        (altered, "md5 .*, OpenML states"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"arff\.gz: damaged: .*{message}") as caught:
            data.load("mnist")
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == content
        assert not list((tmp_path / "cache").rglob("*.npz"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (arff().replace("class", "digit"), "'class' is not in list"),
        (arff(IMAGES.astype(int) + 1), "could not convert string '256' to uint8"),
        (arff(IMAGES / 255), "could not convert string"),
        (arff(IMAGES[:9], LABELS[:9]), r"shape \(9, 785\), expected \(14, 785\)"),
        (arff(labels=LABELS + 1), "label 10, expected 0 to 9"),
    ],
    ids=["no class", "pixel 256", "fractions", "too few rows", "label 10"],
)
def test_a_table_that_is_no_mnist_is_refused_and_not_cached(openml, tmp_path, table, message):
    keep(openml, table)
    with pytest.raises(DataError, match=message):
        data.load("mnist")
    assert not list((tmp_path / "cache").rglob("*.npz"))


def test_a_table_that_differs_from_published_labels_is_refused_and_not_cached(
    openml, tmp_path, published
):
    assert len(data.load("mnist").published) == 4
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    kept.unlink()
    labels = LABELS.copy()
    labels[-1] = (labels[-1] + 1) % 10
    keep(openml, arff(labels=labels))
    with pytest.raises(DataError, match=r"corrupted or altered: .*MNIST test labels"):
        data.load("mnist")
    assert not list((tmp_path / "cache").rglob("*.npz"))
