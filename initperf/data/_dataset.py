"""Data sets in memory: images, labels, and the digest that identifies them."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike, NDArray

from initperf._core.arguments import choice, whole
from initperf._core.arrays import as_dtype
from initperf.data._idx import PIXELS, sha256
from initperf.errors import DataError

CLASSES = 10
PARTS = {
    "train_images": "training images",
    "train_labels": "training labels",
    "test_images": "test images",
    "test_labels": "test labels",
}


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images of 28 by 28 grey values, split into a training and a test set.

    The arrays are read-only; two data sets hold the same data when their digests are equal.

    Parameters
    ----------
    train_images, test_images : ndarray of uint8, shape (count, 784)
        Grey values, 0 to 255, an image's rows one after the other.
    train_labels, test_labels : ndarray of int64, shape (count,)
        Classes, 0 to 9. Any integer dtype is taken.
    name : str
        The name it was loaded by.
    source : str
        Where it came from, in words.
    location : str
        The directory or file it was read from; empty when there is none to show.
    published : tuple of str
        The parts that are, to the bit, those that the authors published, in words.

    Raises
    ------
    DataError
        When an array has the wrong shape, dtype or values, all pixels of a set are equal, or
        images and labels don't pair.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    name: str
    source: str
    location: str = field(default="", kw_only=True)
    published: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            images, labels = getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")
            _check(f"{self.name}, {split} set", images, labels)
            object.__setattr__(self, f"{split}_images", _read_only(images, np.uint8))
            object.__setattr__(self, f"{split}_labels", _read_only(labels, np.int64))

    def __repr__(self) -> str:
        return f"<Dataset {self.stamp}>"

    @property
    def size(self) -> int:
        """The number of images, training and test together."""
        return len(self.train_labels) + len(self.test_labels)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return CLASSES

    @property
    def outputs(self) -> int:
        """The number of outputs of a network, one for each class."""
        return self.classes

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that identify these images and labels, in this order.

        They are the first of `fingerprint`, which does not depend on how the data is stored:
        plain files, compressed files and OpenML's table of the same data agree.
        """
        return fingerprint({part: getattr(self, part) for part in PARTS})[:16]

    @property
    def stamp(self) -> str:
        """Name, size and digest in one line, for results computed from the data."""
        counts = f"{len(self.train_labels):,} + {len(self.test_labels):,} images"
        return f"{self.name}, {counts}, sha256 {self.digest}…"

    @cached_property
    def mean(self) -> float:
        """The mean of all training pixels on the scale from 0 (black) to 1 (white)."""
        total, _, count = self._sums
        return total / (255 * count)

    @cached_property
    def std(self) -> float:
        """The standard deviation of all training pixels on the scale from 0 to 1."""
        total, squares, count = self._sums
        return math.sqrt(count * squares - total * total) / (255 * count)

    def features(
        self, split: str = "train", dtype: DTypeLike = "float32", count: int | None = None
    ) -> NDArray[np.floating]:
        """Return standardised images, the inputs of a network.

        Pixels are scaled to [0, 1]; the mean of all training pixels is subtracted and the result
        divided by their standard deviation. One mean and one standard deviation for all pixels
        avoid a division by zero for pixels that are always black. The mean square of the training
        set is then 1, so that a layer whose weights have variance 1/fan_in starts with
        pre-activations of mean square 1, the unit in which variance flow is measured.

        Parameters
        ----------
        split : {"train", "test"}
            The set. Both are standardised by the training set.
        dtype : {"float32", "float64"}
            Dtype of the features; float32 is float64 rounded once.
        count : int, optional
            Only the first `count` images; all by default.

        Returns
        -------
        ndarray, shape (count, 784)
            New, contiguous and writable.

        Raises
        ------
        ValueError
            For another split or dtype, or a count that is no integer or too large.
        """
        choice("split", split, ("train", "test"))
        kind = as_dtype(dtype)
        images = self.train_images if split == "train" else self.test_images
        if count is not None and whole("count", count, 0) > len(images):
            raise ValueError(
                f"count must be at most {len(images)}, the size of the {split} set, not {count}"
            )
        levels = ((np.arange(256) / 255 - self.mean) / self.std).astype(kind)
        return levels[images[:count]]

    def targets(
        self, split: str = "train", dtype: DTypeLike = "float32", count: int | None = None
    ) -> NDArray[np.generic]:
        """Return what a network learns: classes.

        Parameters
        ----------
        split : {"train", "test"}
            The set.
        dtype : {"float32", "float64"}
            Dtype of the network, which classes do not depend on.
        count : int, optional
            Only of the first `count` images; of all by default.

        Returns
        -------
        ndarray of int64, shape (count,)
            New and writable: compiled code has a type of its own for arrays that are read-only.

        Raises
        ------
        ValueError
            For another split or dtype.
        """
        choice("split", split, ("train", "test"))
        as_dtype(dtype)
        labels = self.train_labels if split == "train" else self.test_labels
        return labels[:count].copy()

    @cached_property
    def _sums(self) -> tuple[int, int, int]:
        # Exact integers, so that mean and standard deviation have the same bits on every machine.
        # A thousand images at a time, because bincount converts them to int64.
        images = self.train_images
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), 1000):
            counts += np.bincount(images[start : start + 1000].reshape(-1), minlength=256)
        total = sum(level * times for level, times in enumerate(counts.tolist()))
        squares = sum(level * level * times for level, times in enumerate(counts.tolist()))
        return total, squares, self.train_images.size


def fingerprint(parts: Mapping[str, NDArray[np.generic]]) -> str:
    """Return the SHA-256 of the SHA-256 of the four arrays, each as an IDX file; hexadecimal."""
    return joint_digest({part: sha256(parts[part]) for part in PARTS})


def joint_digest(digests: Mapping[str, str]) -> str:
    """Return the `fingerprint` of arrays of which only the SHA-256 of each IDX file is known."""
    return hashlib.sha256("".join(digests[part] for part in PARTS).encode()).hexdigest()


def _check(what: str, images: NDArray[np.generic], labels: NDArray[np.generic]) -> None:
    if images.ndim != 2 or images.shape[1] != PIXELS or images.dtype != np.uint8:
        found = f"{images.dtype} images of shape {images.shape}"
        raise DataError(f"{what}: {found}, expected uint8 of shape (count, {PIXELS})")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        found = f"{labels.dtype} labels of shape {labels.shape}"
        raise DataError(f"{what}: {found}, expected integers of shape (count,)")
    if len(images) != len(labels):
        raise DataError(f"{what}: {len(images):,} images but {len(labels):,} labels")
    if not len(images):
        raise DataError(f"{what}: no images, expected at least one")
    if images.min() == images.max():
        raise DataError(f"{what}: all pixels are {images.min()}: no images, or damaged")
    for label in (labels.min(), labels.max()):
        if not 0 <= label < CLASSES:
            raise DataError(f"{what}: label {label}, expected 0 to {CLASSES - 1}")


def _read_only(array: NDArray[np.generic], dtype: DTypeLike) -> NDArray[np.generic]:
    # A caller that keeps a writable array could change the data after its digest was computed.
    owned = np.array(array, dtype, order="C", copy=array.flags.writeable or None)
    owned.flags.writeable = False
    return owned
