"""MNIST: 60,000 + 10,000 handwritten digits.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
recognition, Proceedings of the IEEE 86, 1998.
"""

from dataclasses import replace

from initperf.data._catalogue import DATASETS, Published, Spec
from initperf.data.mnist_5k import parts

FULL = Spec(
    title="MNIST",
    folders=("MNIST", "mnist"),
    archive="mnist.npz",
    openml=554,
    published={
        "train_images": Published(
            60_000, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train_labels": Published(
            60_000, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "test_images": Published(
            10_000, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "test_labels": Published(
            10_000, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

DATASETS.register("mnist_full", FULL)
DATASETS.register("mnist", replace(FULL, embedded=parts))
