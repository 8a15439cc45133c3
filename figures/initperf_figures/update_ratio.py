"""Ratio of updates to weights during training.

Karpathy's rule of thumb for it is about 0.001 (CS231n, "Neural networks, part 3").
"""

from initperf_figures._axes import activation_name
from initperf_figures._figure import Tables
from initperf_figures._steps import first_and_last, over_layers, register_steps, shown

_USUAL = 1e-4, 1e-2


def finding(tables: Tables) -> str:
    """Return how many initializers begin within a factor of ten of the rule of thumb."""
    ends = first_and_last(over_layers(tables, "update_ratio"))
    words = []
    for activation in shown(ends):
        own = ends.loc[activation, "first"]
        usual = int(own.between(*_USUAL).sum())
        words.append(f"{usual} of {len(own)} with {activation_name(activation)}")
    return (
        "Training begins with updates of a ten-thousandth to a hundredth of the weights for "
        f"{', '.join(words)}."
    )


register_steps(
    "update_ratio",
    "update_ratio",
    title="Ratio of updates to weights during training",
    label="update over weight",
    caption=(
        "Norm of a step’s change of a layer’s weights over the norm of the weights, the median "
        "over layers and seeds. A rule of thumb says 0.001; the grey band is a factor of ten "
        "around it. Below, weights hardly move; above, each step overwrites them. The number is "
        "the last one."
    ),
    finding=finding,
    order=34,
    band=_USUAL,
)
