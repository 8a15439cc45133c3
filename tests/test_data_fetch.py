"""Downloading, from a server on this machine: what is written is whole and right, or nothing is."""

import dataclasses
import functools
import gzip
import http.server
import os
import stat
import struct
import threading
import time
import tracemalloc

import numpy as np
import pytest

from initperf import data
from initperf.data import _fetching, _idx
from initperf.data._catalogue import DATASETS, Published
from initperf.errors import DataError, UsageError

RNG = np.random.default_rng(8)
PARTS = {
    "train_images": RNG.integers(0, 256, (6, 784), dtype=np.uint8),
    "train_labels": np.arange(6, dtype=np.uint8),
    "test_images": RNG.integers(0, 256, (3, 784), dtype=np.uint8),
    "test_labels": np.arange(3, dtype=np.uint8),
}
NAMES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        self.server.requests.append(self.path)

    def do_GET(self):
        if not self.path.startswith("/elsewhere"):
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", self.server.leads_to)
        self.end_headers()


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "scikit_learn_data"))
    monkeypatch.delenv("INITPERF_DATA", raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)


@pytest.fixture
def server(tmp_path):
    """Serve ``tmp_path/good``, which holds made files, and whatever else a test puts beside it."""
    fill(tmp_path / "www" / "good")
    handler = functools.partial(Handler, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.requests = []
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def mirrors(exchange):
    """Make `PARTS` the published MNIST, at the mirrors given."""
    known = {part: Published(len(array), _idx.sha256(array)) for part, array in PARTS.items()}

    def use(*addresses):
        spec = dataclasses.replace(DATASETS["mnist"], mirrors=addresses, published=known)
        exchange(DATASETS, "mnist", spec)
        full = dataclasses.replace(DATASETS["mnist_full"], published=known)
        exchange(DATASETS, "mnist_full", full)

    return use


def fill(directory, **changes):
    directory.mkdir(parents=True, exist_ok=True)
    for part, array in {**PARTS, **changes}.items():
        path = directory / NAMES[part]
        path.write_bytes(gzip.compress(_idx.header(array) + array.tobytes()))


def files_below(directory):
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "MNIST/raw"), ("fashion_mnist", "FashionMNIST/raw")]
)
def test_what_is_fetched_is_found_by_load(server, tmp_path, name, folder):
    lines = []
    target = data.fetch(name, base_url=f"{server.url}/good/", report=lines.append)
    assert target == tmp_path / "cache" / "data" / folder
    assert files_below(target) == sorted(NAMES.values())
    assert len(lines) == 4
    dataset = data.load(name)
    np.testing.assert_array_equal(dataset.train_images, PARTS["train_images"])
    assert dataset.location == str(target)


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_directory_that_was_named_is_made_and_filled(server, tmp_path, monkeypatch, by):
    wanted = tmp_path / "new" / "place"
    if by == "environment":
        monkeypatch.setenv("INITPERF_DATA", str(wanted))
    directory = wanted if by == "argument" else None
    target = data.fetch("mnist", directory, base_url=f"{server.url}/good")
    assert target == wanted / "MNIST" / "raw"
    assert data.load("mnist", directory).size == 9


def test_what_is_there_and_good_is_not_fetched_again(server):
    first = data.fetch("mnist", base_url=f"{server.url}/good")
    server.requests.clear()
    assert data.fetch("mnist", base_url=f"{server.url}/good") == first
    assert server.requests == []


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_what_is_there_and_bad_is_fetched_again(server, damage):
    target = data.fetch("mnist", base_url=f"{server.url}/good")
    images = target / NAMES["test_images"]
    content = images.read_bytes()
    images.unlink()
    if damage == "truncated":
        images.write_bytes(content[:-1])
    assert data.fetch("mnist", base_url=f"{server.url}/good") == target
    assert images.read_bytes() == content


def test_a_damaged_plain_file_that_hides_the_new_one_is_named(server, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "t10k-labels-idx1-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: truncated"):
        data.fetch("mnist", tmp_path, base_url=f"{server.url}/good")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_labels": np.array([0, 1, 10], np.uint8)}, "t10k-labels.*: label 10 at position 2"),
        ({"test_labels": PARTS["test_images"]}, "t10k-labels.*: holds images"),
        ({"test_labels": PARTS["test_labels"][:2]}, "2 labels for the 3 images"),
    ],
    ids=["label", "swapped", "count"],
)
def test_a_mirror_with_bad_files_leaves_nothing_behind(server, tmp_path, changes, message):
    fill(tmp_path / "www" / "bad", **changes)
    with pytest.raises(DataError, match=message):
        data.fetch("mnist", base_url=f"{server.url}/bad")
    assert files_below(tmp_path / "cache") == []


def test_a_page_instead_of_a_file_is_refused(server, tmp_path):
    fill(tmp_path / "www" / "page")
    (tmp_path / "www" / "page" / NAMES["train_labels"]).write_text("<html>Please log in</html>")
    with pytest.raises(DataError, match=r"train-labels.*no IDX file"):
        data.fetch("mnist", base_url=f"{server.url}/page")
    assert files_below(tmp_path / "cache") == []


def test_more_than_any_of_the_files_could_be_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(_fetching, "LARGEST_BYTES", 100)
    with pytest.raises(DataError, match=r"train-images.*more than 100 bytes"):
        data.fetch("mnist", base_url=f"{server.url}/good")
    assert files_below(tmp_path / "cache") == []


def test_a_published_file_is_read_no_further_than_it_is_long(server, tmp_path, mirrors):
    fill(tmp_path / "www" / "long")
    images = tmp_path / "www" / "long" / NAMES["train_images"]
    images.write_bytes(images.read_bytes() + bytes(1_000_000))
    mirrors(f"{server.url}/long/")
    # 6 images of 784 bytes, gzip's overhead and 1,000 bytes to spare
    with pytest.raises(DataError, match=r"train-images.*more than 5,708 bytes"):
        data.fetch("mnist")
    assert files_below(tmp_path / "cache") == []


@pytest.mark.slow
def test_no_more_is_decompressed_than_the_header_promises(server, tmp_path):
    fill(tmp_path / "www" / "bomb")
    plain = _idx.header(PARTS["train_images"]) + bytes(256 * 2**20)
    (tmp_path / "www" / "bomb" / NAMES["train_images"]).write_bytes(gzip.compress(plain, 1))
    del plain
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"train-images.*trailing bytes"):
            data.fetch("mnist", base_url=f"{server.url}/bomb")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 * 2**20  # the compressed megabyte and what reads it, but not 256


def test_a_header_that_promises_too_much_is_refused():
    plain = struct.pack(">4I", _idx.IMAGES_MAGIC, 2**32 - 1, 28, 28)
    with pytest.raises(DataError, match="4,294,967,295 images or labels, more than 1,000,000"):
        _idx.decompress(gzip.compress(plain), "it")


def test_a_mirror_that_leads_elsewhere_by_plain_http_is_left(server, tmp_path):
    server.leads_to = "http://example.org/"
    with pytest.raises(DataError, match=r"leads to http://example\.org/, which is not https"):
        data.fetch("mnist", base_url=f"{server.url}/elsewhere")
    assert files_below(tmp_path / "cache") == []


def test_what_a_killed_download_left_is_removed_by_the_next(server, tmp_path):
    target = data.fetch("mnist", base_url=f"{server.url}/good")
    images = target / NAMES["test_images"]
    images.unlink()
    old, new = (target / f".{images.stem}~initperf-{digit * 16}.gz" for digit in "01")
    for path in (old, new):
        path.write_bytes(b"cut")
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    data.fetch("mnist", base_url=f"{server.url}/good")
    assert images.is_file()
    assert new.is_file()  # of a download that may still run
    assert not old.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]
)
def test_files_and_directories_follow_the_umask(server, umask, file, folder):
    before = os.umask(umask)
    try:
        target = data.fetch("mnist", base_url=f"{server.url}/good")
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == folder
    assert {stat.S_IMODE(path.stat().st_mode) for path in target.iterdir()} == {file}


def test_a_missing_file_is_one_line(server, tmp_path):
    with pytest.raises(DataError, match=r"cannot be downloaded: HTTP Error 404: ") as caught:
        data.fetch("mnist", base_url=f"{server.url}/nowhere")
    assert "\n" not in str(caught.value)
    assert files_below(tmp_path / "cache") == []


def test_no_connection_is_one_line(server, tmp_path):
    address = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match=r"cannot be downloaded: .*refused") as caught:
        data.fetch("fashion_mnist", base_url=address)
    assert "\n" not in str(caught.value)
    assert files_below(tmp_path / "cache") == []


def test_the_next_mirror_is_tried(server, tmp_path, mirrors):
    altered = PARTS["train_images"].copy()
    altered[0, 0] ^= 1
    fill(tmp_path / "www" / "altered", train_images=altered)
    lines = []
    mirrors(f"{server.url}/nowhere/", f"{server.url}/altered/", f"{server.url}/good/")
    data.fetch("mnist", report=lines.append)
    assert len(data.load("mnist").published) == 4
    assert any("HTTP Error 404" in line for line in lines)
    assert any("corrupted or altered" in line for line in lines)


def test_well_known_mirrors_must_hold_the_published_files(server, tmp_path, mirrors):
    others = {part: array[::-1].copy() for part, array in PARTS.items()}
    fill(tmp_path / "www" / "others", **others)
    lines = []
    mirrors(f"{server.url}/nowhere/", f"{server.url}/others/")
    with pytest.raises(DataError, match="holds other files than the published MNIST") as caught:
        data.fetch("mnist", report=lines.append)
    assert "HTTP Error 404" in lines[0]
    assert "; the next mirror is tried" in lines[0]
    told = [*lines, str(caught.value)]
    assert [sum(word in line for line in told) for word in ("Error 404", "other files")] == [1, 1]
    assert files_below(tmp_path / "cache") == []


def test_a_directory_that_cannot_be_made_is_one_line(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written: "):
        data.fetch("mnist", tmp_path / "file", base_url=f"{server.url}/good")


def test_embedded_images_are_not_downloaded():
    with pytest.raises(UsageError, match="mnist_5k is not downloaded"):
        data.fetch("mnist_5k")


@pytest.mark.parametrize("name", ["kmnist", "qmnist", "emnist_digits"])
def test_data_sets_without_mirrors_say_where_their_files_come_from(name):
    message = f"{name} is not downloaded: name the directory of its IDX files with --data-dir"
    with pytest.raises(UsageError, match=message):
        data.fetch(name)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc",
        "ftp://example.org",
        "example.org/mnist",
        "http://example.org/mnist",
        "http://[::1/",
    ],
)
def test_only_addresses_that_nobody_can_alter_are_taken(address):
    with pytest.raises(
        UsageError, match="must begin with https://, or with http:// and the name of this"
    ):
        data.fetch("mnist", base_url=address)


def test_every_mirror_is_reached_by_https_and_ends_in_a_slash():
    addresses = [mirror for spec in DATASETS.values() for mirror in spec.mirrors]
    assert addresses
    assert all(a.startswith("https://") and a.endswith("/") for a in addresses)
