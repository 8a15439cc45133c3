"""EMNIST digits: 240,000 + 40,000 handwritten digits in MNIST's format, transposed in the files.

G. Cohen, S. Afshar, J. Tapson, A. van Schaik, EMNIST: extending MNIST to handwritten letters, 2017,
arXiv:1702.05373.
"""

from initperf.data._catalogue import DATASETS, Spec

DATASETS.register(
    "emnist_digits",
    Spec(
        title="EMNIST digits",
        folders=("EMNIST", "emnist", "gzip"),
        names={
            "train_images": "emnist-digits-train-images-idx3-ubyte",
            "train_labels": "emnist-digits-train-labels-idx1-ubyte",
            "test_images": "emnist-digits-test-images-idx3-ubyte",
            "test_labels": "emnist-digits-test-labels-idx1-ubyte",
        },
        transposed=True,
    ),
)
