"""IDX format: a magic number, the dimensions, then unsigned bytes.

Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998. All numbers
in the header are four bytes, most significant first.
"""

import gzip
import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from initperf.errors import DataError

SIDE = 28
PIXELS = SIDE * SIDE
LABELS_MAGIC = 0x0801
IMAGES_MAGIC = 0x0803
TABLE_MAGIC = 0x0C02
"""Tables of 32-bit integers, one row of eight a digit, whose first is its class: QMNIST's."""

_COLUMNS = 8
_HEADER_BYTES = 16
MOST_COUNT = 1_000_000
"""No more images or labels are read, whatever a header promises."""

_WORDS = {LABELS_MAGIC: "labels", IMAGES_MAGIC: "images"}


def read_bytes(path: Path) -> bytes:
    """Return the content of an IDX file, decompressed if it starts as gzip does.

    No more is read than its header promises and one byte, by which a longer file is recognised.

    Parameters
    ----------
    path : pathlib.Path
        The file, whatever its name.

    Raises
    ------
    DataError
        When it is no regular file, or cannot be read or decompressed.
    """
    try:
        if path.is_fifo() or path.is_socket() or path.is_char_device():  # whose reader would wait
            raise DataError(f"{path}: cannot be read: it is no regular file")
        with path.open("rb") as file:
            return _content(file, str(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def decompress(content: bytes, where: str) -> bytes:
    """Return the content of an IDX file, decompressed if it starts as gzip does.

    No more is decompressed than the header of an IDX file promises, and one byte that tells
    whether more follows: a few kilobytes could expand to gigabytes.

    Parameters
    ----------
    content : bytes
        The whole file; no more is decompressed than its header promises and one byte.
    where : str
        Its name, for error messages.

    Raises
    ------
    DataError
        When the compressed data is cut short or damaged.
    """
    return _content(io.BytesIO(content), where)


def _content(file: BinaryIO, where: str) -> bytes:
    begin = file.read(2)
    file.seek(0)
    if begin != b"\x1f\x8b":
        return _promised(file, where)
    try:
        with gzip.GzipFile(fileobj=file) as plain:
            return _promised(plain, where)
    except EOFError as error:
        raise DataError(f"{where}: truncated: its gzip data ends early") from error
    except (OSError, zlib.error) as error:
        raise DataError(f"{where}: corrupted gzip data: {error}") from error


def _promised(file: "BinaryIO | gzip.GzipFile", where: str) -> bytes:
    """Read what the header of an IDX file promises and one byte; of other files the header."""
    head = file.read(_HEADER_BYTES)
    if len(head) < _HEADER_BYTES:
        return head
    magic, count = struct.unpack_from(">2I", head)
    each = {LABELS_MAGIC: 1, IMAGES_MAGIC: PIXELS, TABLE_MAGIC: 4 * _COLUMNS}.get(magic, 0)
    if each and count > MOST_COUNT:
        raise DataError(f"{where}: {count:,} images or labels, more than {MOST_COUNT:,}")
    return head + file.read(count * each + 1)


def decode(content: bytes, where: str, magic: int) -> NDArray[np.uint8]:
    """Return the images or labels of an IDX file.

    Parameters
    ----------
    content : bytes
        The whole file, decompressed.
    where : str
        Its name, for error messages.
    magic : int
        The magic number that it must have: `IMAGES_MAGIC` or `LABELS_MAGIC`.

    Returns
    -------
    ndarray of uint8, shape (count, 784) or (count,)
        A read-only view of `content`.

    Raises
    ------
    DataError
        When the file does not conform to the format, or to 28 × 28 pixels.
    """
    if magic == LABELS_MAGIC and content[:4] == struct.pack(">I", TABLE_MAGIC):
        return _first_column(content, where)
    axes = magic & 0xFF
    begin = 4 * (1 + axes)
    if len(content) < begin:
        raise DataError(f"{where}: truncated: {len(content)} bytes, its header alone has {begin}")
    found, count, *sides = struct.unpack_from(f">{1 + axes}I", content)
    if found != magic:
        held = f"holds {_WORDS[found]}" if found in _WORDS else "is no IDX file of unsigned bytes"
        wanted = f"expected {_WORDS[magic]}, 0x{magic:08x}"
        raise DataError(f"{where}: {held}: magic number 0x{found:08x}, {wanted}")
    if any(side != SIDE for side in sides):
        size = " x ".join(map(str, sides))
        raise DataError(f"{where}: images of {size} pixels, expected {SIDE} x {SIDE}")
    shape = (count, PIXELS) if sides else (count,)
    end = begin + count * (PIXELS if sides else 1)
    if len(content) != end:
        fault = "truncated:" if len(content) < end else "trailing bytes: at least"
        promise = f"its header promises {end:,} ({count:,} {_WORDS[magic]})"
        raise DataError(f"{where}: {fault} {len(content):,} bytes, {promise}")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape)


def _first_column(content: bytes, where: str) -> NDArray[np.uint8]:
    """Return the classes in a table of labels; see `decode`."""
    begin = 12
    count, columns = struct.unpack_from(">2I", content, 4) if len(content) >= begin else (0, 0)
    end = begin + 4 * _COLUMNS * count
    if columns != _COLUMNS or len(content) != end:
        raise DataError(
            f"{where}: {len(content):,} bytes of a table of labels of {columns} columns, expected "
            f"{end:,} bytes and {_COLUMNS} columns"
        )
    classes = np.frombuffer(content, ">i4", offset=begin).reshape(count, _COLUMNS)[:, 0]
    if count and not 0 <= classes.min() <= classes.max() <= 255:
        raise DataError(f"{where}: labels from {classes.min()} to {classes.max()}, expected 0 to 9")
    return classes.astype(np.uint8)


def header(array: NDArray[np.generic]) -> bytes:
    """Return the IDX header of images, shape (count, 784), or labels, shape (count,)."""
    if array.ndim == 1:
        return struct.pack(">2I", LABELS_MAGIC, len(array))
    return struct.pack(">4I", IMAGES_MAGIC, len(array), SIDE, SIDE)


def sha256(array: NDArray[np.generic]) -> str:
    """Return the SHA-256, in hexadecimal, of the plain IDX file of an array."""
    digest = hashlib.sha256(header(array))
    digest.update(np.ascontiguousarray(array, np.uint8).data)
    return digest.hexdigest()
