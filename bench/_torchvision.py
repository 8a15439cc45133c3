"""Declarations of torchvision's operators, for benchmarks beside the CPU build of PyTorch.

PyPI has torchvision for the CUDA build of PyTorch alone. Its library of operators does not load
beside the CPU build, and the import fails for want of their declarations. No model that is built
here calls one.
"""

import functools
import importlib.util
from pathlib import Path

import torch


@functools.cache
def declare_operators() -> "torch.library.Library | None":
    """Declare the operators where the compiled ones do not load; the result must be kept."""
    found = importlib.util.find_spec("torchvision")
    assert found is not None
    assert found.submodule_search_locations is not None
    (library,) = Path(found.submodule_search_locations[0]).glob("_C*")
    try:
        torch.ops.load_library(library)
    except OSError:
        declared = torch.library.Library("torchvision", "DEF")
        boxes = "Tensor dets, Tensor scores, float iou_threshold"
        declared.define(f"nms({boxes}) -> Tensor")
        declared.define(f"qnms({boxes}) -> Tensor")
        return declared
    return None
