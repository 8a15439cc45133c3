"""Fashion-MNIST: 60,000 + 10,000 articles of clothing in MNIST's format, harder to tell apart.

H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms, 2017, arXiv:1708.07747.
"""

from initperf.data._catalogue import DATASETS, Published, Spec

DATASETS.register(
    "fashion_mnist",
    Spec(
        title="Fashion-MNIST",
        folders=("FashionMNIST", "fashion-mnist", "fashion_mnist"),
        openml=40996,
        installed=("/usr/share/datasets/fashion-mnist",),  # Debian's dataset-fashion-mnist
        published={
            "train_images": Published(
                60_000, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            "train_labels": Published(
                60_000, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            "test_images": Published(
                10_000, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            "test_labels": Published(
                10_000, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        },
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
    ),
    aliases=("fashion", "fashionmnist"),
)
