"""Keras's archives of data sets, ``.npz`` files of four arrays."""

import math
from pathlib import Path

import numpy as np

from initperf.data._catalogue import Parts, Spec
from initperf.data._dataset import CLASSES, PARTS
from initperf.data._idx import MOST_COUNT, PIXELS, SIDE
from initperf.errors import DataError

_KEYS = {
    "train_images": "x_train",
    "train_labels": "y_train",
    "test_images": "x_test",
    "test_labels": "y_test",
}


def find(directory: Path, spec: Spec) -> Path | None:
    """Return the archive of a data set in a directory or its ``datasets``, or None.

    Parameters
    ----------
    directory : pathlib.Path
        Where to search; Keras keeps archives in ``~/.keras/datasets``.
    spec : Spec
        The data set.
    """
    if not spec.archive:
        return None
    paths = (directory / spec.archive, directory / "datasets" / spec.archive)
    return next((path for path in paths if path.is_file()), None)


def read(path: Path) -> Parts:
    """Return the four arrays of an archive.

    Raises
    ------
    DataError
        When it is damaged or holds other arrays.
    """
    try:
        # np.load leaves a file open that it cannot read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            for key in _KEYS.values():  # before memory is taken for what a header promises
                with archive.zip.open(f"{key}.npy") as member:
                    version = np.lib.format.read_magic(member)
                    if version != (1, 0):
                        raise ValueError(f"{key} is of version {version}, expected (1, 0)")
                    shape, _, kind = np.lib.format.read_array_header_1_0(member)
                if math.prod(shape) > MOST_COUNT * PIXELS or kind.kind not in "ui":
                    raise ValueError(f"{key} is of {kind} and shape {shape}")
            arrays = {part: archive[key] for part, key in _KEYS.items()}
    except Exception as error:
        # a damaged archive raises errors of many types, as in `initperf.data._cache`
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise DataError(f"{path}: damaged: {reason}") from error
    for part, array in arrays.items():
        images = part.endswith("images")
        expected = (len(array), SIDE, SIDE) if images else (len(array),)
        if array.shape != expected or (images and array.dtype != np.uint8):
            raise DataError(f"{path}: {PARTS[part]} of {array.dtype} and shape {array.shape}")
        if not images and array.size and not 0 <= array.min() <= array.max() < CLASSES:
            raise DataError(f"{path}: {PARTS[part]} from {array.min()} to {array.max()}")
    return {
        part: array.reshape(-1, PIXELS) if array.ndim > 1 else array.astype(np.uint8)
        for part, array in arrays.items()
    }
