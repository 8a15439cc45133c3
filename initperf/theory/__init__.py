"""Predictions for random networks: signals, gradients, kernels and spectra at initialization.

Second moments, correlations and gradients in the limit of width:
    `MeanField` (maps, fixed points, depth scales of one activation and its variances),
    `critical`, `critical_line` and `Critical` (variances with χ₁ = 1), `activation_variance`,
    `critical_weight_variance`, `trainable_depth` (phase diagram: end of the ordered phase, 6ξ_c),
    `ResidualField`, `residual_growth`, `gradient_correlation` (residual blocks).
Gains of weights:
    `calculate_gain` (PyTorch's table), `signal_gain`, `gradient_gain` (exact).
Kernels:
    `network_kernels` and `Kernels` (NNGP and neural tangent kernel), and the closed forms
    `arc_cosine`, `erf_product`, `erf_slope_product`.
Input-output Jacobian:
    `JacobianSpectrum` (mean, variance and largest squared singular value).
Finite width, ReLU:
    `relu_log_norm`, `LogNorm`, `second_moment_ratio`, `silent_probability`, `born_dead_bounds`.
Deep linear networks:
    `learning_time`, `mode_strength`.
Activations shaped for depth:
    `deep_kernel_shaping` and `Shaping` (DKS), `leaky_correlation_map`, `tailored_slope` and
    `tailored_activation` (TAT).

An activation is a name or a record, registered or not. Functions of numbers take floats and arrays
alike, broadcast, and return floats for floats; each docstring states domain and error. Arguments
outside of their domain raise a ValueError of one line.
"""

from typing import TYPE_CHECKING

from initperf._core.lazy import lazy_exports

if TYPE_CHECKING:
    from initperf.theory._moments import activation_variance
    from initperf.theory.born_dead import born_dead_bounds, silent_probability
    from initperf.theory.closed_forms import arc_cosine, erf_product, erf_slope_product
    from initperf.theory.critical_points import Critical, critical, critical_line
    from initperf.theory.finite_width import LogNorm, relu_log_norm, second_moment_ratio
    from initperf.theory.gains import calculate_gain, gradient_gain, signal_gain
    from initperf.theory.jacobian import JacobianSpectrum
    from initperf.theory.kernel_shaping import (
        Shaping,
        deep_kernel_shaping,
        leaky_correlation_map,
        tailored_slope,
    )
    from initperf.theory.kernels import Kernels, network_kernels
    from initperf.theory.linear_dynamics import learning_time, mode_strength
    from initperf.theory.mean_field import MeanField
    from initperf.theory.phase_diagram import critical_weight_variance, trainable_depth
    from initperf.theory.residual import ResidualField, gradient_correlation, residual_growth
    from initperf.theory.tailored_smooth import tailored_activation

__all__ = [
    "Critical",
    "JacobianSpectrum",
    "Kernels",
    "LogNorm",
    "MeanField",
    "ResidualField",
    "Shaping",
    "activation_variance",
    "arc_cosine",
    "born_dead_bounds",
    "calculate_gain",
    "critical",
    "critical_line",
    "critical_weight_variance",
    "deep_kernel_shaping",
    "erf_product",
    "erf_slope_product",
    "gradient_correlation",
    "gradient_gain",
    "leaky_correlation_map",
    "learning_time",
    "mode_strength",
    "network_kernels",
    "relu_log_norm",
    "residual_growth",
    "second_moment_ratio",
    "signal_gain",
    "silent_probability",
    "tailored_activation",
    "tailored_slope",
    "trainable_depth",
]

_HOMES = {
    "Critical": "initperf.theory.critical_points",
    "JacobianSpectrum": "initperf.theory.jacobian",
    "Kernels": "initperf.theory.kernels",
    "LogNorm": "initperf.theory.finite_width",
    "MeanField": "initperf.theory.mean_field",
    "ResidualField": "initperf.theory.residual",
    "Shaping": "initperf.theory.kernel_shaping",
    "activation_variance": "initperf.theory._moments",
    "arc_cosine": "initperf.theory.closed_forms",
    "born_dead_bounds": "initperf.theory.born_dead",
    "calculate_gain": "initperf.theory.gains",
    "critical": "initperf.theory.critical_points",
    "critical_line": "initperf.theory.critical_points",
    "critical_weight_variance": "initperf.theory.phase_diagram",
    "deep_kernel_shaping": "initperf.theory.kernel_shaping",
    "erf_product": "initperf.theory.closed_forms",
    "erf_slope_product": "initperf.theory.closed_forms",
    "gradient_correlation": "initperf.theory.residual",
    "gradient_gain": "initperf.theory.gains",
    "leaky_correlation_map": "initperf.theory.kernel_shaping",
    "learning_time": "initperf.theory.linear_dynamics",
    "mode_strength": "initperf.theory.linear_dynamics",
    "network_kernels": "initperf.theory.kernels",
    "relu_log_norm": "initperf.theory.finite_width",
    "residual_growth": "initperf.theory.residual",
    "second_moment_ratio": "initperf.theory.finite_width",
    "signal_gain": "initperf.theory.gains",
    "silent_probability": "initperf.theory.born_dead",
    "tailored_activation": "initperf.theory.tailored_smooth",
    "tailored_slope": "initperf.theory.kernel_shaping",
    "trainable_depth": "initperf.theory.phase_diagram",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
