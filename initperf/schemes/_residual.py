"""Residual blocks: the layers that they consist of, and checks that schemes for them share.

He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016 (1512.03385): a
block adds its input to the output of its layers, the branch. A branch of one layer is
``f(x @ weights + bias)``; one of several ends without an activation, as theirs do:
``f(… f(x @ weights + bias) …) @ weights + bias``.
"""

from collections.abc import Sequence

from initperf.errors import UnsuitableError
from initperf.schemes._scheme import Network

_LONGEST_EXAMPLE = 8


def gain(network: Network, number: int) -> float:
    """Return the gain of a layer: that of its activation, or 1 where it has none.

    Parameters
    ----------
    network : Network
        The network.
    number : int
        Number of the layer, from 0.
    """
    return 1.0 if network.is_linear(number) else network.activation.gain


def check_residual(name: str, hidden: tuple[int, ...], residual: int) -> None:
    """Check that the hidden layers of a network form residual blocks.

    Parameters
    ----------
    name : str
        Name of the scheme, for the error message.
    hidden : tuple of int
        Widths of the hidden layers.
    residual : int
        Layers of a block; 0 for a network without.

    Raises
    ------
    UnsuitableError
        Where there are no blocks.
    """
    if not residual:
        raise UnsuitableError(
            f"{name} is for networks with residual blocks: residual must be at least 1, not 0"
        )
    try:
        residual_blocks((0, *hidden, 0), residual)
    except UnsuitableError as error:
        raise UnsuitableError(f"{name} is for networks with residual blocks: {error}") from None


def residual_blocks(sizes: Sequence[int], layers: int) -> tuple[range, ...]:
    """Return the hidden layers that form the residual blocks of a network.

    From the first layer on, consecutive layers form a block where their output is as wide as
    their input; a layer that does not start a block so is an ordinary one.

    Parameters
    ----------
    sizes : sequence of int
        Widths of all layers, input and output included.
    layers : int
        Layers of a block; 0 for a network without.

    Returns
    -------
    tuple of range
        The numbers, from 0, of each block's layers.

    Raises
    ------
    UnsuitableError
        When blocks are requested and no hidden layers form one.
    """
    found: list[range] = []
    begin = 0
    while layers and begin + layers < len(sizes) - 1:
        if sizes[begin] == sizes[begin + layers]:
            found.append(range(begin, begin + layers))
            begin += layers
        else:
            begin += 1
    if layers and not found:
        rows = "a hidden layer" if layers == 1 else f"{layers} hidden layers in a row"
        example = f", as in {(64,) * (layers + 1)}" if layers <= _LONGEST_EXAMPLE else ""
        raise UnsuitableError(
            f"residual={layers} needs {rows} whose output is as wide as the input{example}; "
            f"the hidden widths are {tuple(sizes[1:-1])}"
        )
    return tuple(found)
