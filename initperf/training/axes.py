"""Axes of grids that are no settings of experiments, and the settings that they stand for."""

AXES = {
    "depth": "number of hidden layers, all of --width units",
    "width": "units of each hidden layer; with --depth",
    "weight_variance": "σw² of the scheme mean_field, weights N(0, σw²/n), which it chooses",
    "bias_variance": "σb² of the scheme mean_field, biases N(0, σb²), which it chooses",
}
"""Axes by name, with their help."""

VARIANCES = ("weight_variance", "bias_variance")
"""Axes that choose the initializer."""

INSTEAD = {"hidden": ("depth", "width"), "initializer": VARIANCES}
"""Axes that stand for a setting, by its name."""
