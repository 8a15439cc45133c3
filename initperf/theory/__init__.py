from initperf.theory._moments import activation_variance
from initperf.theory.closed_forms import arc_cosine, erf_product, erf_slope_product
from initperf.theory.critical_points import Critical, critical, critical_line
from initperf.theory.gains import calculate_gain
from initperf.theory.mean_field import MeanField

__all__ = ["Critical", "MeanField", "activation_variance", "arc_cosine", "calculate_gain", "critical", "critical_line", "erf_product", "erf_slope_product"]
