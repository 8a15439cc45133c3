"""Kuzushiji-MNIST: 60,000 + 10,000 cursive Japanese characters in MNIST's format.

T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha, Deep learning for classical
Japanese literature, 2018, arXiv:1812.01718.
"""

from initperf.data._catalogue import DATASETS, Spec

DATASETS.register("kmnist", Spec(title="KMNIST", folders=("KMNIST", "kmnist")))
