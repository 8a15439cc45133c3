"""The variance of the activations by depth, in a network nobody has trained.

Poole et al., "Exponential expressivity in deep neural networks through transient chaos" (2016).
"""

from matplotlib.figure import Figure

from initperf_figures._depth import KEPT, by_depth, over_seeds
from initperf_figures._figure import Tables, register


def draw(tables: Tables) -> Figure:
    """Draw the activation variance of every initializer, a panel for each activation."""
    return by_depth(
        tables["signal"], "activation_variance", "variance of the activations", guide=1.0
    )


def caption(tables: Tables) -> str:
    """Say what to look for."""
    return (
        f"A line that falls is a signal dying out layer by layer; one that rises ends in overflow. "
        f"Rules that stay within the grey band, {KEPT[0]:g} to {KEPT[1]:g}, are named in bold; at "
        "the right, the variance in the last layer. A tanh cannot exceed 1: what "
        f"too large weights do to it shows as saturation. {over_seeds(tables['signal'])}"
    )


register(
    "activation_variance",
    title="Does the signal survive the depth?",
    caption=caption,
    needs=("signal",),
    draw=draw,
    section="signal",
    order=10,
)
