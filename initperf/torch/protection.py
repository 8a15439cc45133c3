"""Memory that must not be written: mapped for reading, or packed by quantized modules."""

import sys
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from initperf.torch.names import join

_QUANTIZED = ("torch.ao.nn.quantized.", "torch.ao.nn.intrinsic.quantized.")
_PACKED = ("_packed_params", "_all_weight_values")
"""Where the modules of these packages keep weights: all of them, and recurrent layers."""

READ_ONLY = "its memory is read-only, such as that of a file mapped for reading; draw into a copy"


def read_only(tensors: Sequence[torch.Tensor]) -> list[int]:
    """Return the indices of the tensors whose memory the process may not write.

    PyTorch has no notion of such memory, and a write to it ends the process. Linux tells how
    memory is mapped; elsewhere nothing is known, and nothing returned. A NumPy array that is
    marked as not writable, in memory that is, cannot be told from others: ``torch.from_numpy``
    warns of it.

    Parameters
    ----------
    tensors : sequence of torch.Tensor
        Those of PyTorch's own allocators cost nothing to check.
    """
    foreign = [
        (index, tensor.data_ptr())
        for index, tensor in enumerate(tensors)
        if tensor.device.type == "cpu"
        and tensor.numel()
        and not tensor.untyped_storage().resizable()
    ]
    if not foreign or not sys.platform.startswith("linux"):
        return []
    spans = list(_read_only_spans())
    return [i for i, place in foreign if any(low <= place < high for low, high in spans)]


def _read_only_spans() -> Iterator[tuple[int, int]]:
    """Yield the addresses, [low, high), of what is mapped without permission to write."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as lines:
        for line in lines:  # 7f00-7f10 r--p offset device inode path
            span, permissions, _ = line.split(maxsplit=2)
            if "w" not in permissions:
                low, _, high = span.partition("-")
                yield int(low, 16), int(high, 16)


def packed_weight(model: nn.Module) -> str | None:
    """Return the name of the first weight that a quantized module keeps packed, if there is one.

    Such weights are no parameters, so a model could seem to be drawn while they stay as they are.
    """
    for path, module in model.named_modules():
        quantized = type(module).__module__.startswith(_QUANTIZED)
        if quantized and any(hasattr(module, name) for name in _PACKED):
            return join(path, "weight")
    return None
