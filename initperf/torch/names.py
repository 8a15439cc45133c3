"""Qualified names of parameters without the prefixes of wrappers, and the streams they stand for.

The stream of a parameter is a pure function of its name: the first eight bytes, little-endian, of
BLAKE2b (RFC 7693) of the name in UTF-8, digest size 8, personalization ``initperf.stream``. A
layer that is added, moved within the order of definition or wrapped changes no other weight.
"""

import functools
import hashlib

import torch
from torch import nn

_ADDED = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""Components that ``torch.compile``, FSDP and activation checkpointing add to a name."""

_WRAPPERS = (
    nn.DataParallel,
    nn.parallel.DistributedDataParallel,
    torch.optim.swa_utils.AveragedModel,
)
"""Modules that keep the model that they wrap as their child ``module``."""


def adds_prefix(parent: nn.Module, child: str) -> bool:
    """Return whether a child's name comes from a wrapper, not from the model."""
    return child in _ADDED or (child == "module" and isinstance(parent, _WRAPPERS))


def join(prefix: str, name: str) -> str:
    """Return the qualified name of a child."""
    return f"{prefix}.{name}" if prefix else name


@functools.lru_cache(maxsize=1 << 16)
def stream_of(name: str) -> int:
    """Return the stream of a parameter.

    Parameters
    ----------
    name : str
        Its qualified name, without the prefixes of wrappers: ``"layers.3.attention.wo.weight"``.

    Returns
    -------
    int
        A number below 2**64.

    Examples
    --------
    >>> from initperf.torch import stream_of
    >>> hex(stream_of("head.weight"))
    '0xc12cebb1194e3222'
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8, person=b"initperf.stream")
    return int.from_bytes(digest.digest(), "little")
