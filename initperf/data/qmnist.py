"""QMNIST: MNIST reconstructed from NIST's images, with 60,000 test images instead of 10,000.

C. Yadav, L. Bottou, Cold case: the lost MNIST digits, NeurIPS 2019, arXiv:1905.10498.
"""

from initperf.data._catalogue import DATASETS, Spec

DATASETS.register(
    "qmnist",
    Spec(
        title="QMNIST",
        folders=("QMNIST", "qmnist"),
        names={
            "train_images": "qmnist-train-images-idx3-ubyte",
            "train_labels": "qmnist-train-labels-idx2-int",
            "test_images": "qmnist-test-images-idx3-ubyte",
            "test_labels": "qmnist-test-labels-idx2-int",
        },
    ),
)
