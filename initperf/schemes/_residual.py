"""What the schemes for residual networks share."""

from itertools import pairwise

from initperf.schemes._scheme import Network, UnsuitableError


def residual_layers(network: Network) -> int:
    """Return how many layers add their input to their output."""
    return sum(network.adds_input(number) for number in range(network.depth))


def check_residual(name: str, hidden: tuple[int, ...], residual: bool) -> None:
    """Raise UnsuitableError unless hidden layers as wide as the one before add their input."""
    if not residual:
        raise UnsuitableError(f"{name} is for networks with residual layers: residual must be True")
    if not any(before == after for before, after in pairwise(hidden)):
        raise UnsuitableError(
            f"{name} is for networks with residual layers: hidden must have two neighbours of "
            f"equal width, as (256, 256), not {hidden}"
        )
