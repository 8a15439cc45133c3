"""Schemes: rules that set a whole network, one family a file, found in SCHEMES.

An initializer fills one weight; a scheme sets the weights and the biases of all layers, and may
use the activation, the residual structure and a batch of data. A new one needs no other import
than this package and `initperf.initializers`.
"""

from initperf._core.registry import import_siblings
from initperf._core.source import Source
from initperf.errors import UnsuitableError
from initperf.schemes._plain import BIASES, Plain, as_scheme, find
from initperf.schemes._residual import residual_blocks
from initperf.schemes._scheme import SCHEMES, Network, PerLayer, Scheme, Supervised, register
from initperf.schemes._signal import change_rates, signals

__all__ = [
    "BIASES",
    "SCHEMES",
    "Network",
    "PerLayer",
    "Plain",
    "Scheme",
    "Source",
    "Supervised",
    "UnsuitableError",
    "as_scheme",
    "change_rates",
    "find",
    "register",
    "residual_blocks",
    "signals",
]

import_siblings(__name__, __path__)
