"""Weights whose variance is divided by the number of inputs or outputs of their layer.

LeCun, Bottou, Orr & Müller, "Efficient BackProp", 1998; Glorot & Bengio, "Understanding the
difficulty of training deep feedforward neural networks", AISTATS 2010; He, Zhang, Ren & Sun,
"Delving deep into rectifiers", ICCV 2015; Klambauer, Unterthiner, Mayr & Hochreiter,
"Self-normalizing neural networks", NeurIPS 2017. One rule; the named ones are its presets.
"""

import math
from dataclasses import dataclass

from initperf._core.arguments import finite, not_negative, one_of
from initperf.initializers._fans import Axes, as_axes, fans
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import Law, Normal, TruncatedNormal, Uniform
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
        What the fan divides.
    gain : float
        Multiplies the weights.
    mode : str
        Which fan: ``"fan_in"``, ``"fan_out"``, their mean ``"fan_avg"`` or their geometric mean
        ``"fan_geo_avg"``.
    distribution : str
        ``"normal"``, ``"uniform"``, or ``"truncated_normal"``: cut at two standard deviations
        and widened so that the variance after the cut is the one asked for.
    in_axis, out_axis, batch_axis : int or tuple of int
        The weight's input and output axes, and those that number weights of their own.
    """

    scale: float = 1.0
    gain: float = 1.0
    mode: str = "fan_in"
    distribution: str = "normal"
    in_axis: Axes = -2
    out_axis: Axes = -1
    batch_axis: Axes = ()

    def __post_init__(self) -> None:
        not_negative(scale=self.scale, gain=self.gain)
        one_of(MODES, mode=self.mode)
        one_of(DISTRIBUTIONS, distribution=self.distribution)
        for name in ("in_axis", "out_axis", "batch_axis"):
            object.__setattr__(self, name, as_axes(name, getattr(self, name)))

    def _numerator(self) -> float:
        """Return what the fan divides."""
        return self.scale

    def law(self, shape: tuple[int, ...]) -> Law:
        """Return the law for a weight of this shape."""
        fan_in, fan_out = fans(shape, self.in_axis, self.out_axis, self.batch_axis)
        fan = {
            "fan_in": float(fan_in),
            "fan_out": float(fan_out),
            "fan_avg": (fan_in + fan_out) / 2.0,
            "fan_geo_avg": math.sqrt(fan_in * fan_out),
        }[self.mode]
        scale = self._numerator()
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
    """Variance scaling that makes up for what an activation takes: PyTorch's kaiming.

    Attributes
    ----------
    nonlinearity : str
        The activation: the variance is multiplied by the square of its
        `initperf.theory.gains.calculate_gain`.
    a : float
        The slope of ``"leaky_relu"`` below 0; by default 0, which is ReLU.
    """

    nonlinearity: str = "leaky_relu"
    a: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        finite(a=self.a)
        self._numerator()

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
