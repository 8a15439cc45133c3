"""Checks of a deep network before and after a repair, and the picture of the README.

``python examples/check.py docs/check.png`` writes the picture; without a path, texts alone are
printed.
"""

import sys

import torch
from torch import nn

import initperf.torch

DEPTH, WIDTH, CLASSES = 30, 256, 10


def xavier() -> nn.Sequential:
    """Return thirty layers of ReLU with the weights of Glorot & Bengio, which are made for tanh."""
    widths = [WIDTH] * DEPTH
    layers = [each for width in widths for each in (nn.Linear(width, width), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(WIDTH, CLASSES))
    return initperf.torch.init_(model, "glorot_normal", rng=int(torch.initial_seed()))


def main(picture: str | None) -> None:
    """Check, repair and check again.

    Parameters
    ----------
    picture : str or None
        File for the figure of the first check.
    """
    random = torch.Generator().manual_seed(0)
    batch = torch.randn(128, WIDTH, generator=random)
    targets = torch.randint(CLASSES, (128,), generator=random)

    def loss(result: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(result, targets)

    checked = initperf.torch.check(xavier, batch, loss=loss, seeds=3)
    print("three draws:", checked.verdict)
    if picture is not None:
        checked.figure().savefig(picture, dpi=150)
    torch.manual_seed(0)
    model = xavier()
    print(initperf.torch.fix_(model, batch, "rescale", loss=loss))
    again = initperf.torch.fix_(model, batch, "rescale", loss=loss)
    print("a second call changes", len(again.changes), "weights")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
