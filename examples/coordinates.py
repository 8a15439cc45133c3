"""Coordinate checks of one network in the standard and in the maximal update parametrization."""

import sys

import torch
from torch import nn

import initperf.torch
from initperf.torch.recipes.mup import mup_groups

WIDTHS = (64, 128, 256, 512)
BASE = 16.0
STEPS = 3
RATES = {"standard": 0.003, "maximal": 0.01}
"""Rates at which each trains; the second is that at the base width."""


def network(width: int) -> nn.Sequential:
    """Return three hidden layers of ReLU."""
    layers: list[nn.Module] = [nn.Linear(16, width), nn.ReLU()]
    for _ in range(2):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 8))


def standard(width: int) -> nn.Module:
    """Return the network with PyTorch's own weights."""
    return network(width)


def maximal(width: int) -> nn.Module:
    """Return the network with the weights of the maximal update parametrization."""
    seed = int(torch.initial_seed())
    return initperf.torch.init_(network(width), "mup", rng=seed, base_width=BASE)


def one_rate(model: nn.Module) -> torch.optim.Optimizer:
    """Return Adam with one rate for all parameters."""
    return torch.optim.Adam(model.parameters(), lr=RATES["standard"])


def rate_by_role(model: nn.Module) -> torch.optim.Optimizer:
    """Return Adam with the rates of the maximal update parametrization."""
    return torch.optim.Adam(mup_groups(model, RATES["maximal"], base_width=BASE))


def main(pictures: str | None) -> None:
    """Check both.

    Parameters
    ----------
    pictures : str or None
        Beginning of the names of two files.
    """
    batch = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))
    for make, optimizer in ((standard, one_rate), (maximal, rate_by_role)):
        found = initperf.torch.coordinate_check(make, WIDTHS, batch, STEPS, optimizer=optimizer)
        print(f"{make.__name__}: {found}\n")
        if pictures is not None:
            found.figure().savefig(f"{pictures}-{make.__name__}.png", dpi=150)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
