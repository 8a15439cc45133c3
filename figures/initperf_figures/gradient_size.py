"""The size of the gradients by depth, in a network nobody has trained.

Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks"
(2010), figure 7.
"""

from matplotlib.figure import Figure

from initperf_figures._depth import KEPT, by_depth, over_seeds
from initperf_figures._figure import Tables, register


def draw(tables: Tables) -> Figure:
    """Draw the gradient norm of every initializer, a panel for each activation."""
    label = "L2 norm of the gradient of a layer’s weights"
    return by_depth(tables["signal"], "gradient_norm", label, backward=True)


def caption(tables: Tables) -> str:
    """Say what to look for."""
    return (
        "Read from left to right, the way the gradient travels: from the last hidden layer, where "
        "it enters, to the first, named at the right. Where it vanishes the first layers cannot "
        "learn, where it explodes no step is small enough. Bold: within the grey band, "
        f"{KEPT[0]:g} to {KEPT[1]:g}, at every layer. {over_seeds(tables['signal'])}"
    )


register(
    "gradient_size",
    title="Does the gradient come back?",
    caption=caption,
    needs=("signal",),
    draw=draw,
    section="signal",
    order=20,
)
