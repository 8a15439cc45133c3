"""Files of compiled code: a header with length and checksum, then the pickled code.

The checksum covers the file's place in the cache as well, so that a file which took the place of
another is recognised. It protects against damage, not against malice: a file is read only if no
other user could have written it.
"""

import hashlib
import os
import stat
import struct
from pathlib import Path

from initperf._core.storage import replacing
from initperf._core.trust import distrust_status

_MAGIC = b"initperf"
_HEADER = struct.Struct("<8sQ32s")
_PLACE_PARTS = 3  # the directories of a cache that are named after digests, and the file


class DamagedError(Exception):
    """A file that does not hold what was stored in it; the message says why."""


class DistrustedError(Exception):
    """A file that another user could have written; the message says why."""


def store(path: Path, content: bytes) -> None:
    """Write a file with its checksum; readers see all of it or none.

    It is not flushed to the disk: what a power failure leaves fails its checksum.

    Parameters
    ----------
    path : pathlib.Path
        The file; its directory must exist.
    content : bytes
        What `retrieve` returns.

    Raises
    ------
    OSError
        When it cannot be written; nothing is left behind.
    """
    header = _HEADER.pack(_MAGIC, len(content), _checksum(path, content))
    with replacing(path, flush=False, mode=0o644, cached=True) as temporary:
        temporary.write_bytes(header + content)


def retrieve(path: Path) -> bytes:
    """Return what `store` wrote to a file.

    Raises
    ------
    OSError
        When it cannot be read; FileNotFoundError when it is not there.
    DamagedError
        When it is not what was written there.
    DistrustedError
        When another user could have written it.
    """
    # a pipe in the place of the file must not block
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise DamagedError("is no regular file")
        if words := distrust_status(found):
            raise DistrustedError(f"{path} {words}")
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise DamagedError("is truncated")
        magic, length, checksum = _HEADER.unpack(header)
        if magic != _MAGIC:
            raise DamagedError("has another format")
        if found.st_size != _HEADER.size + length:
            raise DamagedError(f"has {found.st_size:,} bytes of {_HEADER.size + length:,}")
        content = file.read(length)
    if _checksum(path, content) != checksum:
        raise DamagedError("fails its checksum")
    return content


def _checksum(path: Path, content: bytes) -> bytes:
    place = "/".join(path.parts[-_PLACE_PARTS:])
    digest = hashlib.blake2b(f"{len(place)}:{place}".encode("utf-8", "surrogateescape"))
    digest.update(content)
    return digest.digest()[:32]
