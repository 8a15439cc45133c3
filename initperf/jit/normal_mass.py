"""Mass below a number and density at it, of the standard normal distribution.

As in `initperf.jit.elementary`, there are no branches and only IEEE operations in a written order,
so that arrays and compiled scalars give the same bits. The tail beyond z √2 is exp(−z²) times a
function that changes slowly; that is a polynomial in (z − c) / (z + c), which maps the half-line to
an interval (Schonfelder, Mathematics of Computation 32, 1978). The polynomials interpolate at
Chebyshev nodes, in 50 digits.
"""

import math
from typing import Any

import numpy as np

from initperf.jit.elementary import exp
from initperf.jit.policy import by_dtype, held, portable, where

_F = np.float32
_D = np.float64
_ROOT_HALF = math.sqrt(0.5)
_HEIGHT = 1.0 / math.sqrt(2.0 * math.pi)

_TAIL_32 = tuple(
    map(
        _F,
        (
            0.0895005767958,
            -0.163116964972,
            0.122801865436,
            -0.0750530312823,
            0.0358349362574,
            -0.0122308656044,
            0.0021084501206,
            0.000431202623889,
            -0.000215509130561,
        ),
    )
)
_TAIL_64 = (
    0.07279486063751928,
    -0.13671096574771324,
    0.11300403345831075,
    -0.0817859477619618,
    0.05130215601609667,
    -0.027401163347496087,
    0.012071611986276877,
    -0.004110310576934256,
    0.0009014812077474047,
    -1.2767667000975316e-05,
    -7.623132826549527e-05,
    2.394940096637338e-05,
    1.7918413539596508e-06,
    -3.0917619048634168e-06,
    3.7430901456041457e-07,
    3.2985605934051933e-07,
    -9.173655978915603e-08,
    -3.6543733173297704e-08,
    1.5721820380431523e-08,
    4.8480507047238625e-09,
    -2.3484646191858077e-09,
    -8.20259137492161e-10,
    2.244238837549713e-10,
    1.2276496430996584e-10,
    1.1563988255915749e-11,
)


@portable
def _sum_5(t: Any, c: tuple[Any, ...]) -> Any:
    return held(c[0]) + t * (held(c[1]) + t * (held(c[2]) + t * (held(c[3]) + t * held(c[4]))))


@portable
def _sum_4(t: Any, c: tuple[Any, ...]) -> Any:
    return held(c[0]) + t * (held(c[1]) + t * (held(c[2]) + t * held(c[3])))


@portable
def _mass_32(x: Any) -> Any:
    size = abs(x)
    size = where(size > _F(12.0), _F(12.0), size)  # the density is still a normal number
    z = size * _F(_ROOT_HALF)
    t = (z - _F(3.0)) / (z + _F(3.0))
    square = t * t
    bell = exp(-(_F(0.5) * size * size))
    tail = bell * (_sum_5(t, _TAIL_32) + ((square * square) * t) * _sum_4(t, _TAIL_32[5:]))
    return where(x > _F(0.0), _F(1.0) - tail, tail), _F(_HEIGHT) * bell


@portable
def _mass_64(x: Any) -> Any:
    size = abs(x)
    size = where(size > _D(36.0), _D(36.0), size)
    z = size * _D(_ROOT_HALF)
    t = (z - _D(3.75)) / (z + _D(3.75))
    square = t * t
    fifth = (square * square) * t
    low = _sum_5(t, _TAIL_64[:5]) + fifth * _sum_5(t, _TAIL_64[5:10])
    high = _sum_5(t, _TAIL_64[10:15]) + fifth * (
        _sum_5(t, _TAIL_64[15:20]) + fifth * _sum_5(t, _TAIL_64[20:])
    )
    bell = exp(-(_D(0.5) * size * size))
    tail = bell * (low + (fifth * fifth) * high)
    return where(x > _D(0.0), _D(1.0) - tail, tail), _D(_HEIGHT) * bell


normal_mass = by_dtype(_mass_32, _mass_64)
"""Mass below x and density at x, both to 2 eps absolutely.

Beyond 12 (float32) and 36 (float64) on either side, those there.
"""
