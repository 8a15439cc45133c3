"""Batches from files of NumPy, for the command line."""

import inspect
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from initperf.errors import DataError

TARGETS = ("y", "labels", "target", "targets")
"""Names of the array that a loss compares with, the first that is there."""


@dataclass(frozen=True)
class Batch:
    """Arguments of a model, and what its results are compared with.

    Attributes
    ----------
    inputs : torch.Tensor, tuple or dict
        As `initperf.torch.check` takes it.
    target : torch.Tensor or None
    described : str
        Names, dtypes and shapes.
    """

    inputs: Any
    target: torch.Tensor | None
    described: str


def read_batch(path: Path, model: nn.Module, *, has_loss: bool) -> Batch:
    """Read a batch from a file ``.npz``.

    One array is the model's one argument, arrays ``arr_0``, ``arr_1``, ... are its arguments in
    that order, and others are keywords. Floating-point numbers get the dtype of the model's
    parameters, integers become int64.

    Parameters
    ----------
    path : pathlib.Path
    model : torch.nn.Module
    has_loss : bool
        Whether an array named as one of `TARGETS` holds the targets of a loss.

    Raises
    ------
    DataError
        When the file is missing, damaged, holds no arrays, or arrays of other dtypes.
    """
    try:
        with path.open("rb") as file:
            if file.peek(1)[:1] not in (b"P", b"\x93"):  # NumPy would take it for pickled objects
                raise DataError(f"{path} cannot be read as an .npz file: its content is none")
            held = np.load(file, allow_pickle=False)
            if not isinstance(held, np.lib.npyio.NpzFile):
                raise DataError(f"{path} holds one array, and must be an .npz file")
            arrays = {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{path} cannot be read as an .npz file: {error}") from None
    floats = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    found = {name: _tensor(path, name, array, floats) for name, array in arrays.items()}
    described = ", ".join(f"{n} {a.dtype} {a.shape}" for n, a in arrays.items())
    target = None
    if has_loss:
        chosen = next((name for name in TARGETS if name in found), None)
        target = None if chosen is None else found.pop(chosen)
    if not found:
        raise DataError(f"{path} holds no array for the model")
    if len(found) == 1 and not (set(found) & _keywords(model)):
        return Batch(next(iter(found.values())), target, described)
    if all(name.startswith("arr_") for name in found):
        return Batch(tuple(found[f"arr_{place}"] for place in range(len(found))), target, described)
    return Batch(found, target, described)


def _tensor(path: Path, name: str, array: np.ndarray, floats: torch.dtype) -> torch.Tensor:
    """Return an array as a tensor of the dtype that models take."""
    if array.dtype.kind not in "biuf":
        raise DataError(f"{path}: {name} must hold numbers, not {array.dtype}")
    if array.dtype.kind == "f":
        return torch.from_numpy(np.asarray(array, np.float64)).to(floats)
    if array.dtype.kind == "b":
        return torch.from_numpy(np.array(array))
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise DataError(f"{path}: {name} holds an integer beyond int64")
    return torch.from_numpy(array.astype(np.int64))


def _keywords(model: nn.Module) -> set[str]:
    """Return the names of a model's arguments."""
    try:
        return set(inspect.signature(model.forward).parameters)
    except (TypeError, ValueError):
        return set()
