"""Standard output and standard error that never raise, whatever they are connected to."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Outlet(io.RawIOBase):
    """A file descriptor whose first failed write is remembered, and after which all is dropped.

    A verb thus ends with its own exit code when a reader closes the pipe early, and a full disk is
    reported once, at the end.

    Parameters
    ----------
    descriptor : int
        The file descriptor.

    Attributes
    ----------
    error : OSError or None
        The first error, other than that of a closed pipe.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._open = True
        self.error: OSError | None = None

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write bytes, or drop them after an error; return their number."""
        left = whole = memoryview(data)
        while self._open and left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BrokenPipeError:
                self._open = False
            except OSError as error:
                self._open, self.error = False, error
        return len(whole)


@contextmanager
def outlets() -> Iterator[list[Outlet]]:
    """Replace the two streams of the process, for the length of the block.

    Characters that the encoding of a stream lacks are written as escapes. A stream that was closed
    before the process started is replaced by the null device. Streams that something else, such as
    a test, has put in their place stay, and so does the console of Windows, which takes no bytes.

    Yields
    ------
    list of Outlet
        That of standard output, if it was replaced.
    """
    before = sys.stdout, sys.stderr
    replaced: list[Outlet] = []
    _occupy_descriptors()
    try:
        for name, original in (("stdout", sys.__stdout__), ("stderr", sys.__stderr__)):
            stream = getattr(sys, name)
            if stream is None:
                setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
            elif stream is original and not (os.name == "nt" and original.isatty()):
                original.flush()
                outlet = Outlet(original.fileno())
                setattr(sys, name, _text(outlet, original, prompt=name == "stderr"))
                if name == "stdout":
                    replaced.append(outlet)
        yield replaced
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _text(outlet: Outlet, like: TextIO, prompt: bool) -> io.TextIOWrapper:
    buffer: Any = io.BufferedWriter(outlet)
    return io.TextIOWrapper(
        buffer,
        encoding=like.encoding,
        errors="backslashreplace",
        line_buffering=prompt or outlet.isatty(),
    )


def _occupy_descriptors() -> None:
    """Open the null device on each standard descriptor that is closed.

    Otherwise the next file that is opened would get its number, and output meant for the stream.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
