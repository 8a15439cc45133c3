"""IDX format: a magic number, the dimensions, then unsigned bytes.

Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998. All numbers
in the header are four bytes, most significant first.
"""

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from initperf.errors import DataError

SIDE = 28
PIXELS = SIDE * SIDE
LABELS_MAGIC = 0x0801
IMAGES_MAGIC = 0x0803
_WORDS = {LABELS_MAGIC: "labels", IMAGES_MAGIC: "images"}


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, decompressed if it starts as gzip does, whatever its name.

    Raises
    ------
    DataError
        When the file cannot be read or decompressed.
    """
    try:
        return decompress(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def decompress(content: bytes, where: str) -> bytes:
    """Return the content, decompressed if it starts as gzip does.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        Its name, for error messages.

    Raises
    ------
    DataError
        When the compressed data is cut short or damaged.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except EOFError as error:
        raise DataError(f"{where}: truncated: its gzip data ends early") from error
    except (OSError, zlib.error) as error:
        raise DataError(f"{where}: corrupted gzip data: {error}") from error


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
        fault = "truncated" if len(content) < end else "trailing bytes"
        promise = f"its header promises {end:,} ({count:,} {_WORDS[magic]})"
        raise DataError(f"{where}: {fault}: {len(content):,} bytes, {promise}")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape)


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
