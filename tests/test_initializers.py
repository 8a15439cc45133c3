"""Every initializer: what it declares is what is measured, and what it refuses it refuses early."""

import dataclasses
import itertools
import math

import numba
import numpy as np
import pytest
from scipy import integrate, stats

import initperf
from initperf import ACTIVATIONS, INITIALIZERS
from initperf._core.registry import UnknownNameError
from initperf.initializers import Independent, fans
from initperf.initializers.truncated_normal import TWO_SIGMA_STD

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
BACKEND = "numpy" if numba.config.DISABLE_JIT else "numba"  # the quicker one
SHAPES = ((1, 1), (1, 40), (40, 1), (200, 15), (15, 200), (3, 3, 8, 6))
WITH_GAIN = [name for name, rule in INITIALIZERS.items() if hasattr(rule, "gain")]

named = pytest.mark.parametrize("name", INITIALIZERS)


def draws(initializer, shape, count, dtype="float32"):
    """Return independent draws, one along the first axis, in float64."""
    source = {"rng": 11, "dtype": dtype, "backend": BACKEND}
    return np.array(
        [initializer(shape, stream=stream, **source) for stream in range(count)], np.float64
    )


def assert_measured(initializer, shape, dtype):
    """Compare declared moments and support with some ten thousand entries.

    Entries of one draw may depend on one another; draws do not. So the mean, and the mean square,
    over each draw are independent values, of which Student's distribution gives the error. To it
    comes the rounding of an entry, of which 16 units in the last place are generous.
    """
    count = int(np.clip(20_000 // math.prod(shape), 30, 400))
    weights = draws(initializer, shape, count, dtype).reshape(count, -1)
    mean, std = initializer.mean(shape), initializer.std(shape)
    low, high = np.array(initializer.support(shape), dtype)
    assert np.min(weights) >= low
    assert np.max(weights) <= high
    rounding = 16 * np.finfo(dtype).eps
    factor = stats.t.isf(CHANCE / 2, count - 1) / math.sqrt(count)
    for power, declared in ((1, mean), (2, mean**2 + std**2)):
        found = np.mean(weights**power, axis=1)
        error = factor * np.std(found, ddof=1) + rounding * (abs(mean) + std) ** power
        assert abs(np.mean(found) - declared) <= error, f"E[w^{power}]"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@named
def test_declared_moments_and_support_are_those_measured(name, shape, dtype):
    assert_measured(INITIALIZERS[name], shape, dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("gain", [0.0, 0.1, 5 / 3])
@pytest.mark.parametrize("name", WITH_GAIN)
def test_a_gain_multiplies_what_is_declared_and_what_is_drawn(name, gain, shape):
    plain, gained = INITIALIZERS[name], INITIALIZERS[name].replace(gain=gain)
    assert gained.std(shape) == pytest.approx(gain * plain.std(shape), rel=1e-14)
    assert gained.mean(shape) == pytest.approx(gain * plain.mean(shape), rel=1e-14)
    assert gained.support(shape) == pytest.approx(
        [gain * bound if gain else 0.0 for bound in plain.support(shape)], rel=1e-14
    )
    assert_measured(gained, shape, "float32")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("uniform", {"low": 0.25, "high": 1.5}),
        ("normal", {"loc": -3.0, "scale": 0.5}),
        ("truncated_normal", {"loc": 1.0, "scale": 2.0, "low": 0.0, "high": 1.5}),
        ("truncated_normal", {"low": 1.0, "high": math.inf}),
        ("constant", {"value": -0.3}),
        ("clipped_normal", {"loc": 1.0, "scale": 2.0, "low": 0.0, "high": 1.5}),
        ("clipped_normal", {"loc": -2.0, "scale": 0.7, "low": -1.0, "high": 1.0}),
        ("clipped_normal", {"scale": 0.0, "low": 1.0}),
        ("custom", {"distribution": "uniform", "low": 0.25, "high": 1.5}),
        ("custom", {"distribution": "truncated_normal", "loc": 1.0, "high": 1.5}),
        ("custom", {"distribution": "clipped_normal", "scale": 3.0}),
        *(("sparse", {"sparsity": sparsity}) for sparsity in (0.0, 0.31, 1.0)),
        ("identity", {"groups": 4}),
        *(("diagonal_noise", {"noise": noise, "diagonal": 3.0}) for noise in (0.0, 0.5)),
        ("diagonal_noise", {"diagonal": -1.0}),
        *(
            ("stft", {"side": side, "window": window, "scaling": scaling})
            for side in ("real", "imag")
            for window in ("hann", "boxcar", ("kaiser", 8.6), None, tuple(range(30)))
            for scaling in ("density", "spectrum", None)
        ),
        *(
            (name, {"nonlinearity": nonlinearity, "mode": "fan_out"})
            for name in ("he_normal", "he_uniform")
            for nonlinearity in ("linear", "tanh", "gelu")
        ),
        ("kaiming_uniform", {"a": math.sqrt(5.0)}),
        *(
            ("variance_scaling", {"scale": 1.7, "mode": mode, "distribution": distribution})
            for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
            for distribution in ("normal", "uniform", "truncated_normal")
        ),
    ],
)
def test_other_parameters_are_declared_as_they_are_measured(name, parameters):
    assert_measured(INITIALIZERS[name].replace(**parameters), (30, 20), "float64")


@named
def test_a_density_is_that_of_the_entries(name):
    initializer, shape = INITIALIZERS[name], (40, 12)
    mean, std = initializer.mean(shape), initializer.std(shape)
    low, high = np.clip(initializer.support(shape), mean - 12 * std, mean + 12 * std)
    if initializer.density(shape, mean) is None:
        return

    def density(x):
        return float(initializer.density(shape, x))

    edges = np.array([low, *(mean + std * np.linspace(-1.7, 1.7, 18)), high])
    p = np.array([integrate.quad(density, *ends)[0] for ends in itertools.pairwise(edges)])
    assert np.sum(p) == pytest.approx(1.0, abs=1e-7)
    if math.isfinite(initializer.support(shape)[0]):
        width = high - low
        assert density(low - 0.01 * width) == density(high + 0.01 * width) == 0.0

    # Entries of one draw may depend on one another: of such a draw, one is taken.
    if isinstance(initializer, Independent):
        values = draws(initializer, shape, 50).reshape(-1)
    else:
        values = draws(initializer, shape, 2000)[:, 7, 3]
    counts, _ = np.histogram(values, [-np.inf, *edges[1:-1], np.inf])
    statistic = np.sum((counts - values.size * p) ** 2 / (values.size * p))
    assert statistic < stats.chi2.isf(CHANCE, p.size - 1)


@named
def test_declarations_are_plain_and_complete(name):
    initializer = INITIALIZERS[name]
    shape = (40, 12)
    assert initializer.name == name
    assert initializer.formula
    assert initializer.cite
    assert initializer.family
    assert set(initializer.suits) <= set(ACTIVATIONS)
    low, high = initializer.support(shape)
    assert all(type(number) is float for number in (low, high, initializer.mean(shape)))
    assert type(initializer.std(shape)) is float
    assert low <= initializer.mean(shape) <= high
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    density = initializer.density(shape, x)
    assert density is None or (density.shape == x.shape and np.all(density >= 0))


@named
def test_an_initializer_is_frozen_and_hashable(name):
    initializer = INITIALIZERS[name]
    assert initializer.replace() == initializer
    assert hash(initializer.replace()) == hash(initializer)
    with pytest.raises(dataclasses.FrozenInstanceError):
        initializer.name = "another"


@named
def test_a_parameter_that_does_not_exist_is_refused(name):
    with pytest.raises(TypeError, match=f"^{name} has no parameter 'gian'; it has "):
        INITIALIZERS[name].replace(gian=2.0)
    with pytest.raises(TypeError, match=f"^{name} has no parameter 'formula'"):
        initperf.draw(name, (3, 2), formula="0")


ALIASES = {
    "zeros": "zero",
    "ones": "one",
    "normal": "gaussian",
    "small_normal": "small_random",
    "truncated_normal": "trunc_normal TruncatedNormal trunc_normal_",
    "random_normal": "RandomNormal",
    "uniform": "random_uniform RandomUniform uniform_",
    "identity": "eye dirac Identity dirac_ IdentityInitializer",
    "custom": "custom_distribution",
    "sinusoidal": "sinusoid",
    "diagonal_noise": "diagonal_plus_noise",
    "orthogonal": "OrthogonalInitializer",
    "delta_orthogonal": "DeltaOrthogonal",
    "variance_scaling": "scaled",
    "short_time_fourier": "stft STFT STFTInitializer",
    "fan_in_uniform": "xavier_simple",
    "glorot_uniform": "xavier_uniform normalized_xavier GlorotUniform",
    "glorot_normal": "xavier_normal xavier glorot",
    "he_normal": "kaiming_normal msra_normal he kaiming msra HeNormal kaiming_normal_",
    "he_uniform": "kaiming_uniform msra_uniform",
    "lecun_normal": "lecun LecunNormal",
}


@pytest.mark.parametrize(
    ("alias", "name"), [(alias, name) for name, all_ in ALIASES.items() for alias in all_.split()]
)
def test_aliases(alias, name):
    assert INITIALIZERS[alias] is INITIALIZERS[name]
    np.testing.assert_array_equal(
        initperf.draw(alias, (4, 3), rng=0), INITIALIZERS[name]((4, 3), rng=0)
    )


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown initializer 'he_norml'; did you mean 'he_"):
        initperf.draw("he_norml", (3, 2))


def test_draw_takes_parameters_of_the_initializer_and_of_the_source():
    out = np.zeros((4, 3), "float64")
    drawn = initperf.draw("he_normal", (4, 3), rng=0, out=out, gain=2.0, stream=1, offset=5)
    assert drawn is out
    one = initperf.draw("he_normal", (4, 3), rng=0, dtype="float64", stream=1, offset=5)
    np.testing.assert_allclose(out, 2.0 * one, rtol=1e-15)
    assert initperf.draw("he_normal", (4, 3)).dtype == np.float32


def test_the_documents_known_values():
    assert INITIALIZERS["xavier_simple"].support((10, 7)) == pytest.approx(
        (-0.316, 0.316), abs=5e-4
    )
    assert INITIALIZERS["normalized_xavier"].support((10, 20)) == pytest.approx(
        (-0.447, 0.447), abs=5e-4
    )
    assert INITIALIZERS["he"].std((10, 7)) == pytest.approx(0.447, abs=5e-4)


# n inputs, m outputs: deviation, and bound where there is one.
RULES = {
    "fan_in_uniform": (lambda n, m: 1 / math.sqrt(3 * n), lambda n, m: 1 / math.sqrt(n)),
    "fan_in_normal": (lambda n, m: 1 / math.sqrt(n), None),
    "glorot_uniform": (lambda n, m: math.sqrt(2 / (n + m)), lambda n, m: math.sqrt(6 / (n + m))),
    "glorot_normal": (lambda n, m: math.sqrt(2 / (n + m)), None),
    "he_uniform": (lambda n, m: math.sqrt(2 / n), lambda n, m: math.sqrt(6 / n)),
    "he_normal": (lambda n, m: math.sqrt(2 / n), None),
    "lecun_uniform": (lambda n, m: math.sqrt(1 / n), lambda n, m: math.sqrt(3 / n)),
    "lecun_normal": (lambda n, m: math.sqrt(1 / n), None),
    "small_normal": (lambda n, m: 0.01, None),
    "large_normal": (lambda n, m: 5.0, None),
    "historic_uniform": (lambda n, m: 0.6 / math.sqrt(12), lambda n, m: 0.3),
    "historic_uniform_one": (lambda n, m: 2 / math.sqrt(12), lambda n, m: 1.0),
    "uniform": (lambda n, m: 0.1 / math.sqrt(12), lambda n, m: 0.05),
    "random_normal": (lambda n, m: 0.05, None),
    "normal": (lambda n, m: 1.0, None),
    "truncated_normal": (lambda n, m: TWO_SIGMA_STD, lambda n, m: 2.0),
}


@pytest.mark.parametrize(("n", "m"), [(1, 1), (784, 256), (10, 20)])
@pytest.mark.parametrize("name", RULES)
def test_rules(name, n, m):
    std, bound = RULES[name]
    high = bound(n, m) if bound else math.inf
    assert INITIALIZERS[name].std((n, m)) == pytest.approx(std(n, m), rel=1e-14)
    assert INITIALIZERS[name].support((n, m)) == pytest.approx((-high, high), rel=1e-14)
    assert INITIALIZERS[name].mean((n, m)) == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(("name", "value"), [("zeros", 0.0), ("ones", 1.0), ("constant", 0.01)])
def test_constants(name, value):
    assert np.all(INITIALIZERS[name]((5, 4)) == np.float32(value))


def test_a_truncated_scaling_has_the_variance_asked_for_after_the_cut():
    scaling = INITIALIZERS["variance_scaling"].replace(distribution="truncated_normal")
    assert scaling.std((100, 7)) == pytest.approx(0.1, rel=1e-14)
    assert scaling.support((100, 7))[1] == pytest.approx(0.2 / TWO_SIGMA_STD, rel=1e-14)


@pytest.mark.parametrize(
    ("low", "high", "mean", "std"),
    [
        # Between narrow bounds the distribution is all but uniform, far out all but exponential.
        (1.0, 1.0 + 1e-6, 1.0 + 5e-7, 1e-6 / math.sqrt(12)),
        (0.0, 1e-9, 5e-10, 1e-9 / math.sqrt(12)),
        (-math.inf, math.inf, 0.0, 1.0),
        (0.0, math.inf, math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi)),
    ],
)
def test_moments_of_a_truncated_normal(low, high, mean, std):
    distribution = INITIALIZERS["truncated_normal"].replace(low=low, high=high)
    assert distribution.mean(()) == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert distribution.std(()) == pytest.approx(std, rel=1e-6)


@pytest.mark.parametrize("bounds", [(5.0, 6.0), (-9.0, -8.0), (0.3, 0.4), (10.0, math.inf)])
def test_moments_of_a_truncated_normal_far_out(bounds):
    # SciPy integrates numerically what it has no formula for.
    distribution = INITIALIZERS["truncated_normal"].replace(low=bounds[0], high=bounds[1])
    start = max(bounds[0], -9.0)
    ends = start, min(bounds[1], start + 4.0)
    mass, first, second = (
        integrate.quad(lambda x, k=k: (x - start) ** k * np.exp(-0.5 * (x * x - start**2)), *ends)[
            0
        ]
        for k in range(3)
    )
    mean = first / mass
    assert distribution.mean(()) == pytest.approx(start + mean, rel=1e-7)
    assert distribution.std(()) == pytest.approx(math.sqrt(second / mass - mean**2), rel=1e-6)


NO_NUMBERS = (math.nan, "1", None, True)
BAD = [
    *(("constant", {"value": value}, "value must be") for value in (*NO_NUMBERS, math.inf)),
    *(("normal", {"scale": value}, "scale must be") for value in (*NO_NUMBERS, math.inf, -1.0)),
    *(("normal", {"loc": value}, "loc must be") for value in (*NO_NUMBERS, -math.inf)),
    *(("uniform", {"low": value}, "low must be") for value in (*NO_NUMBERS, -math.inf)),
    *(("uniform", {"high": value}, "high must be") for value in (*NO_NUMBERS, math.inf)),
    ("uniform", {"low": 1.0, "high": 0.5}, "low must not be above high, and 1.0 is above 0.5"),
    *(("truncated_normal", {"low": value}, "low must be") for value in NO_NUMBERS),
    *(("truncated_normal", {"high": value}, "high must be") for value in NO_NUMBERS),
    *(("truncated_normal", {"scale": value}, "scale must be") for value in (0.0, -1.0, math.inf)),
    ("truncated_normal", {"low": 2.0, "high": 2.0}, "low must be below high"),
    ("truncated_normal", {"low": 3.0}, "low must be below high"),
    ("truncated_normal", {"low": 12.0, "high": 13.0}, "too little to draw from"),
    ("truncated_normal", {"low": -math.inf, "high": -12.0}, "too little to draw from"),
    *(("variance_scaling", {"scale": value}, "scale must be") for value in (*NO_NUMBERS, -1.0)),
    *((name, {"gain": value}, "gain must be") for name in WITH_GAIN for value in (math.inf, -1.0)),
    ("variance_scaling", {"mode": "fan"}, "mode must be one of fan_in, fan_out, fan_avg"),
    ("variance_scaling", {"mode": "fan-in"}, "; did you mean 'fan_in'"),
    ("variance_scaling", {"batch_axis": (0, "1")}, "batch_axis must be an integer or a tuple"),
    ("he_normal", {"nonlinearity": "relo"}, "did you mean 'relu'"),
    ("he_normal", {"nonlinearity": "relu", "a": 0.1}, "a is the slope of leaky_relu"),
    *(("he_normal", {"a": value}, "a must be") for value in (*NO_NUMBERS, math.inf)),
    *(("sparse", {"sparsity": value}, "sparsity must be") for value in (*NO_NUMBERS, -0.1, 1.1)),
    *(("sparse", {"scale": value}, "scale must be") for value in (math.inf, -1.0)),
    *(("identity", {"groups": value}, "groups must be") for value in (0, 1.5, None, True)),
    *(("clipped_normal", {"low": value}, "low must be") for value in (*NO_NUMBERS, -math.inf)),
    *(("clipped_normal", {"scale": value}, "scale must be") for value in (math.nan, -1.0)),
    ("clipped_normal", {"low": 3.0}, "low must not be above high, and 3.0 is above 2.0"),
    ("custom", {"distribution": "uniforn"}, "did you mean 'uniform'"),
    ("custom", {"scale": -1.0}, "scale must be at least 0"),
    ("stft", {"side": "imga"}, "side must be one of real, imag, not 'imga'; did you mean 'imag'"),
    ("stft", {"scaling": "l2"}, "scaling must be one of density, spectrum"),
    ("stft", {"periodic": 1}, "periodic must be True or False, not 1"),
    ("stft", {"window": (1.0, math.nan)}, r"window\[1\] must be finite"),
    *(
        ("stft", {"window": window}, "window must be a name of scipy.signal.windows, a tuple")
        for window in ("hannn", "kaiser", (), 8.6)
    ),
    ("variance_scaling", {"distribution": "cauchy"}, "distribution must be one of normal, unif"),
    *(
        (name, {axis: value}, f"{axis} must be an integer")
        for name in WITH_GAIN
        for axis in ("in_axis", "out_axis")
        for value in (0.5, "1", None, True)
    ),
]


@pytest.mark.parametrize(("name", "parameters", "message"), BAD)
def test_bad_parameters_are_refused_when_built(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        INITIALIZERS[name].replace(**parameters)


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((784, 256), {}, (784, 256)),
        ((256, 784), {"in_axis": 1, "out_axis": 0}, (784, 256)),
        ((3, 5, 8, 16), {}, (120, 240)),
        ((16, 8, 3, 5), {"in_axis": 1, "out_axis": 0}, (120, 240)),
        ((8, 16, 3, 5), {"in_axis": 0, "out_axis": 1}, (120, 240)),
        ((2, 3, 4), {"in_axis": -3, "out_axis": -1}, (6, 12)),
        ((2, 3, 4), {"batch_axis": 0}, (3, 4)),
        ((2, 3, 4, 5), {"in_axis": (0, 1), "out_axis": (-1, -2)}, (6, 20)),
        ((2, 3, 4, 5), {"in_axis": (1,), "batch_axis": [0]}, (12, 20)),
    ],
)
def test_fans(shape, axes, expected):
    assert fans(shape, **axes) == expected


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((), {}, "at least two axes"),
        (7, {}, "at least two axes"),
        ((7,), {}, "at least two axes"),
        ((0, 3), {}, "has a length 0"),
        ((3, 4), {"in_axis": 2}, "in_axis must be an axis"),
        ((3, 4), {"out_axis": -3}, "out_axis must be an axis"),
        ((3, 4), {"in_axis": 1}, "in_axis and out_axis must differ, and both are axis 1"),
        ((3, -4), {}, "negative"),
    ],
)
def test_shapes_without_fans_are_refused_before_anything_is_written(shape, axes, message):
    with pytest.raises(ValueError, match=message):
        fans(shape, **axes)
    for name in (*WITH_GAIN, "sparse"):
        rule, out = INITIALIZERS[name].replace(**axes), np.full(max(np.size(shape), 1), 5.0)
        with pytest.raises(ValueError, match=f"{message}|shape"):
            rule(shape, out=out)
        with pytest.raises(ValueError, match=message):
            rule.std(shape)
        assert np.all(out == 5.0)


@pytest.mark.parametrize("name", [*WITH_GAIN, "sparse"])
def test_axes_say_which_are_inputs_and_outputs(name):
    # The layout of PyTorch, (out, in), declares for n inputs and m outputs what (in, out) does.
    plain, other = INITIALIZERS[name], INITIALIZERS[name].replace(in_axis=1, out_axis=0)
    assert other.std((12, 40)) == plain.std((40, 12))
    assert other.std((12, 40, 3, 3)) == plain.std((3, 3, 40, 12))
    assert other.support((12, 40)) == plain.support((40, 12))
    assert_measured(other, (12, 40), "float32")
