"""Weights whose variance is inversely proportional to the inputs or outputs of their layer.

LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998; Glorot & Bengio, "Understanding the
difficulty of training deep feedforward neural networks", AISTATS 2010; He, Zhang, Ren & Sun,
"Delving deep into rectifiers", ICCV 2015; Klambauer, Unterthiner, Mayr & Hochreiter,
"Self-normalizing neural networks", NeurIPS 2017. One rule; the named ones are its presets.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from initperf.initializers._distributions import Distribution, Normal, TruncatedNormal, Uniform
from initperf.initializers._fans import Axes, as_axes, fans
from initperf.initializers._initializer import Independent, register
from initperf.initializers.truncated_normal import TWO_SIGMA_STD
from initperf.theory.gains import LEAKY, canonical, squared_gain

MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
DISTRIBUTIONS = ("normal", "uniform", "truncated_normal")


@dataclass(frozen=True, kw_only=True)
class VarianceScaling(Independent):
    """Variance gain² · scale / fan, mean 0.

    Attributes
    ----------
    scale : float
        Variance times fan, for a gain of 1.
    gain : float
        Factor of the weights.
    mode : str
        The fan: ``"fan_in"``, ``"fan_out"``, their mean ``"fan_avg"`` or their geometric mean
        ``"fan_geo_avg"``.
    distribution : str
        ``"normal"``, ``"uniform"``, or ``"truncated_normal"``: truncated at two standard
        deviations of a normal distribution so wide that the variance is right after truncation.
    in_axis, out_axis, batch_axis : int or tuple of int
        The weight's input and output axes, and those that number separate weights.
    """

    scale: float = 1.0
    gain: float = 1.0
    mode: str = "fan_in"
    distribution: str = "normal"
    in_axis: Axes = -2
    out_axis: Axes = -1
    batch_axis: Axes = ()

    def __post_init__(self) -> None:
        self.check_numbers("scale", "gain", least=0.0)
        self.check_choice("mode", MODES)
        self.check_choice("distribution", DISTRIBUTIONS)
        for name in ("in_axis", "out_axis", "batch_axis"):
            object.__setattr__(self, name, as_axes(name, getattr(self, name)))

    @cached_property
    def _numerator(self) -> float:
        """Return the number that is divided by the fan."""
        return self.scale

    def _fan(self, fan_in: int, fan_out: int) -> float:
        if self.mode == "fan_in":
            return float(fan_in)
        if self.mode == "fan_out":
            return float(fan_out)
        if self.mode == "fan_avg":
            return (fan_in + fan_out) / 2.0
        return math.sqrt(fan_in * fan_out)

    def distribution_of(self, shape: tuple[int, ...]) -> Distribution:
        """Return the distribution for a weight of this shape."""
        fan = self._fan(*fans(shape, self.in_axis, self.out_axis, self.batch_axis))
        scale = self._numerator
        std = self.gain * math.sqrt(scale / fan)
        if self.distribution == "uniform":
            bound = self.gain * math.sqrt(3.0 * scale / fan)
            return Uniform(-bound, bound)
        if self.distribution == "normal" or std == 0.0:
            return Normal(0.0, std)
        parent = std / TWO_SIGMA_STD
        return TruncatedNormal(0.0, parent, -2.0 * parent, 2.0 * parent)


@dataclass(frozen=True, kw_only=True)
class He(VarianceScaling):
    """Variance scaling with the gain of an activation, as PyTorch's kaiming.

    Attributes
    ----------
    nonlinearity : str
        The activation, the square of whose `initperf.theory.gains.calculate_gain` multiplies the
        variance.
    a : float
        Slope of ``"leaky_relu"`` below 0; the default, 0, is ReLU.
    """

    nonlinearity: str = "leaky_relu"
    a: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("a")
        _ = self._numerator  # checks the nonlinearity

    @cached_property
    def _numerator(self) -> float:
        if canonical(self.nonlinearity) == LEAKY:
            return self.scale * squared_gain(LEAKY, self.a)
        if self.a:
            raise ValueError(f"a is the slope of {LEAKY}, and 0 without it, not {self.a!r}")
        return self.scale * squared_gain(self.nonlinearity)


_LECUN = "LeCun et al. 1998, section 4.6"
_GLOROT = "Glorot & Bengio 2010, eq. 16"
_HE = "He et al. 2015, eq. 10"
_SATURATING = ("tanh", "sigmoid")
_RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu")

register(
    "variance_scaling",
    VarianceScaling(formula="variance scale / fan", cite=_GLOROT),
    aliases=("scaled",),
)
register(
    "fan_in_uniform",
    VarianceScaling(scale=1 / 3, distribution="uniform", formula="U(±1/√n)", cite=_GLOROT),
    aliases=("xavier_simple",),
)
register("fan_in_normal", VarianceScaling(formula="N(0, 1/n)", cite=_GLOROT))
register(
    "glorot_uniform",
    VarianceScaling(
        mode="fan_avg",
        distribution="uniform",
        formula="U(±√(6/(n+m)))",
        cite=_GLOROT,
        suits=_SATURATING,
    ),
    aliases=("xavier_uniform", "normalized_xavier"),
)
register(
    "glorot_normal",
    VarianceScaling(mode="fan_avg", formula="N(0, 2/(n+m))", cite=_GLOROT, suits=_SATURATING),
    aliases=("xavier_normal", "xavier", "glorot"),
)
register(
    "he_normal",
    He(formula="N(0, 2/n)", cite=_HE, suits=_RECTIFIERS),
    aliases=("kaiming_normal", "msra_normal", "he", "kaiming", "msra"),
)
register(
    "he_uniform",
    He(distribution="uniform", formula="U(±√(6/n))", cite=_HE, suits=_RECTIFIERS),
    aliases=("kaiming_uniform", "msra_uniform"),
)
register(
    "lecun_normal",
    VarianceScaling(formula="N(0, 1/n)", cite=_LECUN, suits=("selu", "tanh", "sigmoid")),
    aliases=("lecun",),
)
register(
    "lecun_uniform",
    VarianceScaling(
        distribution="uniform",
        formula="U(±√(3/n))",
        cite=_LECUN,
        suits=("selu", "tanh", "sigmoid"),
    ),
)
