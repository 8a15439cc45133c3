"""Keys of random streams, made from anything that can stand for a random state."""

import functools
import secrets
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from initperf._core.arguments import shown


@dataclass(frozen=True)
class Key:
    """A key in place of a random state, for draws that must share one.

    Attributes
    ----------
    value : numpy.uint64
        The key.
    """

    value: np.uint64


RandomSource: TypeAlias = (
    int
    | np.integer
    | np.random.SeedSequence
    | np.random.BitGenerator
    | np.random.Generator
    | Key
    | None
)


def as_key(rng: RandomSource) -> np.uint64:
    """Turn anything that SPEC 7 lets stand for a random state into a key of 64 bits.

    Parameters
    ----------
    rng : None, int, SeedSequence, BitGenerator or Generator
        None takes fresh entropy from the operating system; an integer or a SeedSequence gives
        the same key each time; a BitGenerator or a Generator is advanced by 64 bits, so that
        consecutive draws differ.

    Returns
    -------
    numpy.uint64

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        For a negative integer.

    References
    ----------
    .. [1] Scientific Python Ecosystem Coordination, SPEC 7, "Seeding pseudo-random number
       generation".
    """
    if type(rng) is int or (isinstance(rng, (int, np.integer)) and not isinstance(rng, bool)):
        if rng < 0:
            raise ValueError(f"rng must be a non-negative integer, not {shown(rng)}")
        return _key_of_seed(int(rng))
    if rng is None:
        return np.uint64(secrets.randbits(64))
    if isinstance(rng, Key):
        return rng.value
    if isinstance(rng, np.random.BitGenerator):
        rng = np.random.Generator(rng)
    if isinstance(rng, np.random.Generator):
        return rng.integers(2**64 - 1, endpoint=True, dtype=np.uint64)
    if isinstance(rng, np.random.SeedSequence):
        return np.uint64(rng.generate_state(1, np.uint64)[0])
    raise TypeError(
        "rng must be None, an integer, a SeedSequence, a BitGenerator or a Generator, "
        f"not {type(rng).__name__}"
    )


@functools.lru_cache(maxsize=256)
def _key_of_seed(seed: int) -> np.uint64:
    return np.uint64(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
