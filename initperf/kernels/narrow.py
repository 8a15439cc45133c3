"""Rounding of float32 to float16 or bfloat16, to nearest, ties to even.

bfloat16 (Kalamkar et al. 2019, arXiv:1905.12322) is the upper half of a float32. A float16 has 5
bits of exponent (IEEE 754-2008, binary16). Its subnormal numbers have the last bit of a float32 in
[1/2, 1), so that adding 1/2 rounds to them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.policy import jit, portable, where
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load

_U32 = np.uint32
_ONE = _U32(1)
_SIGN = _U32(0x8000)
_MAGNITUDE = _U32(0x7FFFFFFF)
_HALF = np.float32(0.5).view(_U32)
_SMALLEST_NORMAL = np.float32(2.0**-14).view(_U32)
_REBIAS = _U32((127 - 15) << 23)


@portable
def _without(bits: Any, count: Any) -> Any:
    """Drop the last `count` bits, rounding to nearest, ties to even."""
    odd = _U32(bits >> count) & _ONE
    before_half = _U32(_ONE << _U32(count - _ONE)) - _ONE
    return _U32(bits + _U32(before_half + odd)) >> count


@portable
def _float16(bits: Any) -> Any:
    magnitude = _U32(bits & _MAGNITUDE)
    at_least = _U32(where(magnitude < _SMALLEST_NORMAL, _SMALLEST_NORMAL, magnitude))
    normal = _without(_U32(at_least - _REBIAS), _U32(13))
    tiny = np.float32(_U32(magnitude).view(np.float32) + np.float32(0.5)).view(_U32) - _HALF
    rounded = where(magnitude < _SMALLEST_NORMAL, _U32(tiny), _U32(normal))
    return (_U32(bits >> _U32(16)) & _SIGN) | rounded


def narrow_reference(values: np.ndarray, out: np.ndarray, brain: bool) -> None:
    """Round an array of float32 to float16 or bfloat16.

    Parameters
    ----------
    values : numpy.ndarray
        1-D float32, finite, and of magnitudes below the largest of the format.
    out : numpy.ndarray
        uint16 of the same length, written: the bits of the rounded numbers.
    brain : bool
        Whether to round to bfloat16 instead of float16.
    """
    if brain:
        out[:] = _without(values.view(_U32), _U32(16))
    else:
        out[:] = values.astype(np.float16).view(np.uint16)


@jit
def narrow(values: np.ndarray, out: np.ndarray, brain: bool) -> None:
    """Round an array of float32 to float16 or bfloat16; see the reference."""
    bits = values.view(_U32)
    if brain:
        for i in range(bits.size):
            out[i] = np.uint16(_without(bits[i], _U32(16)))
    else:
        for i in range(bits.size):
            out[i] = np.uint16(_float16(bits[i]))


def _cases() -> Iterator[Case]:
    """Generate every exponent of the format, ties, their neighbours, and both signs."""
    powers = np.float32(2.0) ** np.arange(-27, 16, dtype=np.float32)[:, None]
    places = np.array([0.0, 2.0**-11, 2.0**-10, 3 * 2.0**-11, 2.0**-8, 2.0**-7, 0.7], np.float32)
    exact = (powers * (1 + places)).astype(np.float32).reshape(-1)
    near = np.concatenate([exact, np.nextafter(exact, np.float32(0)), [np.float32(0)]])
    values = np.concatenate([near, np.nextafter(exact, np.float32(9e4)), -near])
    values = values[np.abs(values) < 65504].astype(np.float32)
    for brain in (False, True):
        for size in (0, 1, 17, values.size):

            def arguments(brain: bool = brain, size: int = size) -> tuple[Any, ...]:
                return values[:size].copy(), np.zeros(size, np.uint16), brain

            yield Case(f"{'bfloat16' if brain else 'float16'}-{size}", arguments, writes=(1,))


def _loads() -> Iterator[Load]:
    for brain, operations in ((True, 5), (False, 11)):
        size = 1 << 17

        def arguments(dtype: str, brain: bool = brain, size: int = size) -> tuple[Any, ...]:
            return np.ones(size, dtype), np.zeros(size, np.uint16), brain

        label = f"{size} to {'bfloat16' if brain else 'float16'}"
        yield Load(label, arguments, {"float32": operations * size}, 1.5 * size)


register("narrow", numpy=narrow_reference, numba=narrow, cases=_cases, loads=_loads)
