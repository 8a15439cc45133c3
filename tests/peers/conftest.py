"""Settings of the libraries that these tests compare with."""

import importlib.util
import os
from pathlib import Path

# Models here are small: two threads for each operation would mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

# Which of its backends Keras uses here: one that comes with the extra, on the CPU.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["HF_HUB_OFFLINE"] = "1"  # models are built from their configuration


def _declared_operators():
    """Declare torchvision's operators where its compiled ones do not load.

    PyPI has torchvision for the CUDA build of PyTorch alone. Beside the CPU build its library of
    operators does not load, and the import fails for want of their declarations. No model that is
    tested here calls one.
    """
    found = importlib.util.find_spec("torchvision")
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


TORCHVISION = _declared_operators()  # the declarations last as long as this object
