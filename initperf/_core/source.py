"""Source of a draw: the key, the stream, the first index, the backend and the threads."""

from typing import Any, NamedTuple

import numpy as np

from initperf._core.arguments import INDICES, as_backend, as_index, shown, whole
from initperf._core.keys import RandomSource, as_key


class Source(NamedTuple):
    """Source of the values of one draw, made once where a draw is asked for and handed down.

    Make one with `Source.checked`, which checks every field.

    Attributes
    ----------
    key : numpy.uint64
        Key of the generator.
    stream : numpy.uint64
        Number of the stream.
    offset : int
        Index, in the stream, of the first value; a part of a weight begins elsewhere than at 0.
    backend : str
        ``"numpy"`` or ``"numba"``.
    threads : int or None
        The most threads to use; None for as many as the process may.
    """

    key: np.uint64
    stream: np.uint64
    offset: int = 0
    backend: str = "numba"
    threads: int | None = None

    @classmethod
    def checked(
        cls,
        size: int,
        *,
        rng: RandomSource = None,
        stream: Any = 0,
        offset: Any = 0,
        backend: str = "numba",
        threads: Any = None,
    ) -> "Source":
        """Return the source of `size` values.

        Parameters
        ----------
        size : int
            Number of values; the stream must not end before them.
        rng : None, int, SeedSequence, BitGenerator or Generator
            See `initperf._core.keys.as_key`; a generator is advanced after all other arguments
            have been checked.
        stream, offset : int
            Number of the stream and index of the first value in it, in [0, 2**64).
        backend : str
            ``"numba"`` or ``"numpy"``.
        threads : int, optional
            The most threads to use, at least 1.

        Raises
        ------
        TypeError, ValueError
            For what cannot be drawn from; a generator has not been advanced then.
        """
        number, first = as_index("stream", stream), as_index("offset", offset)
        if first + size >= INDICES:
            raise ValueError(
                "offset plus the number of values must be at least 0 and below 2**64, "
                f"not {shown(first + size)}"
            )
        as_backend(backend)
        if threads is not None:
            threads = whole("threads", threads, 1)
        return cls(as_key(rng), np.uint64(number), first, backend, threads)

    def at(self, offset: int) -> "Source":
        """Return the source of the values from another index of the same stream on."""
        return self._replace(offset=offset)

    def of(self, stream: int) -> "Source":
        """Return the source of the values of another stream, from its start on."""
        return self._replace(stream=np.uint64(stream), offset=0)
