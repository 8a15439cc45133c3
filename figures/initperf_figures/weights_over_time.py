"""Standard deviation of the weights during training."""

from initperf_figures._axes import activation_name, magnitude
from initperf_figures._figure import Tables
from initperf_figures._steps import first_and_last, over_layers, register_steps, shown


def finding(tables: Tables) -> str:
    """Return how far apart initializers are at first and at last, those that diverged left out."""
    runs = tables["runs"]
    lost = runs.loc[runs["status"] == "diverged"].set_index(["activation", "initializer"]).index
    ends = first_and_last(over_layers(tables, "weight_std"))
    ends = ends[(ends["first"] > 0) & ~ends.index.isin(lost)]
    words = []
    for activation in shown(ends):
        first, last = ends.loc[activation, "first"], ends.loc[activation, "last"]
        words.append(
            f"{magnitude(first.max() / first.min())} times the smallest at first and "
            f"{magnitude(last.max() / last.min())} times at last with {activation_name(activation)}"
        )
    if not words:
        return "All weights of a layer are equal at first, or the runs diverged."
    return f"Where no run diverges, the largest weights are {', '.join(words)}."


register_steps(
    "weights_over_time",
    "weight_std",
    title="Weights during training",
    label="standard deviation of the weights",
    caption=(
        "Standard deviation of a layer’s weights, the median over layers and seeds. Weights that "
        "begin too small must grow before a network learns; those that begin large hardly change "
        "their size. The number is the last one."
    ),
    finding=finding,
    order=28,
)
