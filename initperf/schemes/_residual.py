"""What the schemes for residual networks share."""

from initperf.errors import UnsuitableError
from initperf.residual import residual_blocks
from initperf.schemes._scheme import Network


def gain(network: Network, number: int) -> float:
    """Return the gain of a layer, counted from 0: its activation's, or 1 where it has none."""
    return 1.0 if network.is_linear(number) else network.activation.gain


def check_residual(name: str, hidden: tuple[int, ...], residual: int) -> None:
    """Raise UnsuitableError unless hidden layers make residual blocks of so many layers."""
    if not residual:
        raise UnsuitableError(
            f"{name} is for networks with residual blocks: residual must be at least 1, not 0"
        )
    try:
        residual_blocks((0, *hidden, 0), residual)
    except UnsuitableError as error:
        raise UnsuitableError(f"{name} is for networks with residual blocks: {error}") from None
