"""Norm of the gradients during training."""

from initperf_figures._axes import activation_name, magnitude
from initperf_figures._figure import Tables
from initperf_figures._steps import first_and_last, over_layers, register_steps, shown


def finding(tables: Tables) -> str:
    """Return whose gradients are the largest and the smallest at the end."""
    ends = first_and_last(over_layers(tables, "gradient_norm"))
    words = []
    for activation in shown(ends):
        own = ends.loc[activation, "last"]
        words.append(
            f"from {magnitude(own.min())} ({own.idxmin()}) to {magnitude(own.max())} "
            f"({own.idxmax()}) with {activation_name(activation)}"
        )
    return f"At the last step, gradients range {', '.join(words)}."


register_steps(
    "gradients_over_time",
    "gradient_norm",
    title="Gradients during training",
    label="gradient norm (L2)",
    caption=(
        "The L2 norm of the gradient of a layer’s weights, the median over layers and seeds. It "
        "vanishes where a network does not learn, falls where it has learned, and explodes before "
        "a run diverges, where its line ends. The number is the last one."
    ),
    finding=finding,
    order=32,
)
