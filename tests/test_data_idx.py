"""The IDX format: what is read, and what each damaged file is told."""

import gzip
import hashlib
import os
import struct

import numpy as np
import pytest

from initperf.data import _idx
from initperf.data._idx import IMAGES_MAGIC, LABELS_MAGIC
from initperf.errors import DataError

IMAGES = np.random.default_rng(1).integers(0, 256, (5, 784), dtype=np.uint8)
LABELS = np.array([3, 0, 9, 1, 1], np.uint8)
IMAGE_FILE = struct.pack(">4I", 0x803, 5, 28, 28) + IMAGES.tobytes()
LABEL_FILE = struct.pack(">2I", 0x801, 5) + LABELS.tobytes()


def test_images_and_labels_are_read():
    np.testing.assert_array_equal(_idx.decode(IMAGE_FILE, "images", IMAGES_MAGIC), IMAGES)
    np.testing.assert_array_equal(_idx.decode(LABEL_FILE, "labels", LABELS_MAGIC), LABELS)


def test_what_is_read_cannot_be_changed():
    images = _idx.decode(IMAGE_FILE, "images", IMAGES_MAGIC)
    with pytest.raises(ValueError, match="read-only"):
        images[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        images.flags.writeable = True


def test_sha256_is_that_of_the_plain_file():
    assert _idx.sha256(IMAGES) == hashlib.sha256(IMAGE_FILE).hexdigest()
    assert _idx.sha256(LABELS.astype(np.int64)) == hashlib.sha256(LABEL_FILE).hexdigest()
    assert _idx.sha256(IMAGES[::-1][::-1]) == hashlib.sha256(IMAGE_FILE).hexdigest()


@pytest.mark.parametrize(
    ("content", "magic", "message"),
    [
        (b"", IMAGES_MAGIC, "truncated: 0 bytes, its header alone has 16"),
        (IMAGE_FILE[:15], IMAGES_MAGIC, "truncated: 15 bytes, its header alone has 16"),
        (LABEL_FILE[:7], LABELS_MAGIC, "truncated: 7 bytes, its header alone has 8"),
        (IMAGE_FILE[:-1], IMAGES_MAGIC, r"truncated: 3,935 bytes, .* promises 3,936 \(5 images\)"),
        (LABEL_FILE[:-1], LABELS_MAGIC, r"truncated: 12 bytes, .* promises 13 \(5 labels\)"),
        (
            IMAGE_FILE + b"\0",
            IMAGES_MAGIC,
            "trailing bytes: at least 3,937 bytes, .* promises 3,936",
        ),
        (LABEL_FILE + b"\0", LABELS_MAGIC, "trailing bytes: at least 14 bytes, .* promises 13"),
        (LABEL_FILE + bytes(9), IMAGES_MAGIC, "holds labels: .* 0x00000801, expected images"),
        (IMAGE_FILE, LABELS_MAGIC, "holds images: .* 0x00000803, expected labels, 0x00000801"),
        (b"\x00\x00\x0d\x03" + IMAGE_FILE[4:], IMAGES_MAGIC, "no IDX file .* 0x00000d03"),
        (IMAGE_FILE[3::-1] + IMAGE_FILE[4:], IMAGES_MAGIC, "no IDX file .* 0x03080000"),
        (
            struct.pack(">4I", 0x803, 5, 32, 32) + bytes(5 * 1024),
            IMAGES_MAGIC,
            "images of 32 x 32 pixels, expected 28 x 28",
        ),
        (
            struct.pack(">4I", 0x803, 5, 14, 56) + IMAGES.tobytes(),
            IMAGES_MAGIC,
            "images of 14 x 56 pixels",
        ),
    ],
)
def test_every_fault_is_named_in_one_line(content, magic, message):
    with pytest.raises(DataError, match=f"^some-file: .*{message}") as caught:
        _idx.decode(content, "some-file", magic)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["labels", "labels.gz"])
def test_compressed_and_plain_are_told_apart_by_content(tmp_path, name):
    path = tmp_path / name
    for content in (LABEL_FILE, gzip.compress(LABEL_FILE)):
        path.write_bytes(content)
        assert _idx.read_bytes(path) == LABEL_FILE


def test_a_truncated_gzip_file_is_named(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(IMAGE_FILE)[:-20])
    with pytest.raises(DataError, match=r"images\.gz: truncated: its gzip data ends early"):
        _idx.read_bytes(path)


@pytest.mark.parametrize("position", [2, 100, -6, -1], ids=["method", "data", "crc", "length"])
def test_a_corrupted_gzip_file_is_named(tmp_path, position):
    content = bytearray(gzip.compress(IMAGE_FILE))
    content[position] ^= 0xFF
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"images\.gz: corrupted gzip data: "):
        _idx.decode(_idx.read_bytes(path), str(path), IMAGES_MAGIC)


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True], ids=["sparse", "gzip bomb"])
def test_no_more_is_read_than_the_header_promises(tmp_path, packed):
    path, size = tmp_path / "labels", 1 << 30
    if packed:
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(LABEL_FILE)
            for _ in range(size >> 24):
                file.write(bytes(1 << 24))
    else:
        path.write_bytes(LABEL_FILE)
        os.truncate(path, size)
    content = _idx.read_bytes(path)
    assert len(content) <= 32
    with pytest.raises(DataError, match="trailing bytes: at least"):
        _idx.decode(content, "labels", LABELS_MAGIC)


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">4I", 0x803, 2**32 - 1, 28, 28) + bytes(784))
    with pytest.raises(DataError, match="4,294,967,295 images or labels, more than 1,000,000"):
        _idx.decode(_idx.read_bytes(path), "images", IMAGES_MAGIC)


def test_a_fifo_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "labels")
    with pytest.raises(DataError, match="no regular file"):
        _idx.read_bytes(tmp_path / "labels")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read: "):
        _idx.read_bytes(tmp_path)
