"""Every public function against arguments of every kind: the right exception, or a right result.

Only ValueError, TypeError and KeyError may be raised, with a message of one line. What is
returned is finite, of the shape and the dtype that were asked for.
"""

import copy
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hostile import VALUES, shown, trials

import initperf
import initperf.sklearn
from initperf import INITIALIZERS, SCHEMES, Experiment, theory
from initperf.data import from_arrays
from initperf.errors import DataError
from initperf.theory import MeanField

ALLOWED = (ValueError, TypeError, KeyError)
FIELD = MeanField("tanh", 1.5, 0.1)
SHAPE = (6, 5)
RULES = sorted(INITIALIZERS)
EVERY_RULE = sorted([*INITIALIZERS, *SCHEMES])


@dataclass(frozen=True)
class Call:
    """A function with arguments that suit it, some of which a trial replaces."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    fixed: tuple[str, ...] = field(default=())


def drawn(**given: Any) -> Any:
    return initperf.draw(given.pop("name"), given.pop("shape"), **given)


def rule_with(**given: Any) -> Any:
    return INITIALIZERS[given.pop("name")].replace(**given)(SHAPE, rng=0)


def declared(**given: Any) -> Any:
    rule = INITIALIZERS[given["name"]]
    return [getattr(rule, name)(given["shape"]) for name in ("mean", "std")]


SHORT = {"metainit": {"steps": 2}, "gradinit": {"iterations": 2}}
"""Parameters with which rules that are learned take no longer than others."""


def network(**given: Any) -> Any:
    name = given.pop("name")
    few = SHORT.get(name, {}) if isinstance(name, str) else {}
    return initperf.draw_network(name, given.pop("sizes"), **given, **few)


def method(name: str) -> Callable[..., Any]:
    return lambda **given: getattr(MeanField(**given.pop("field")), name)(**given)


def field_method(name: str) -> Callable[..., Any]:
    return lambda **given: getattr(FIELD, name)(**given)


def perceptron(**given: Any) -> Any:
    x, y = np.linspace(0.0, 1.0, 24).reshape(8, 3), np.arange(8) % 2
    return initperf.sklearn.MLPClassifier(**given).partial_fit(x, y, classes=[0, 1]).coefs_


SOURCE = {"rng": 0, "stream": 0, "offset": 0, "backend": "numpy", "threads": 1, "dtype": "float32"}

CALLS = {
    "draw": Call(drawn, {"name": "he_normal", "shape": SHAPE, "out": None, **SOURCE}),
    "draw float64": Call(drawn, {"name": "uniform", "shape": SHAPE, **SOURCE, "dtype": "float64"}),
    **{
        f"rule {name}": Call(
            rule_with,
            {"name": name}
            | {
                key: getattr(rule, key)
                for key in ("scale", "gain", "low", "high", "loc", "mode", "in_axis", "value", "a")
                if hasattr(rule, key)
            },
            ("name",),
        )
        for name, rule in INITIALIZERS.items()
    },
    **{
        f"declaration {name}": Call(declared, {"name": name, "shape": SHAPE}, ("name",))
        for name in INITIALIZERS
    },
    **{
        f"network {name}": Call(
            network,
            {
                "name": name,
                "sizes": (6, 4, 4, 3),
                "activation": {"siren": "sin", "tat": "tanh"}.get(name, "relu"),
                "residual": 1 if name in ("fixup", "zero_gamma") else 0,
                "rng": 0,
                "batch": np.random.default_rng(0).normal(size=(40, 6)),
                "labels": np.arange(40) % 3,
                "backend": "numpy",
                "dtype": "float64",
            },
        )
        for name in [*SCHEMES, "he_normal"]
    },
    "experiment": Call(Experiment, dict(Experiment().flat())),
    "activation gain": Call(initperf.calculate_gain, {"nonlinearity": "leaky_relu", "param": 0.1}),
    "exact gain": Call(
        initperf.calculate_gain, {"nonlinearity": "leaky_relu", "param": 0.1, "exact": True}
    ),
    "signal gain": Call(theory.signal_gain, {"activation": "tanh", "q": 1.0}),
    "gradient gain": Call(theory.gradient_gain, {"activation": "tanh", "q": 1.0}),
    "variance": Call(theory.activation_variance, {"activation": "relu"}),
    "critical": Call(theory.critical, {"activation": "tanh", "bias_variance": 0.1}),
    "critical line": Call(theory.critical_line, {"activation": "tanh", "q": 0.5}),
    "field": Call(
        lambda **given: MeanField(**given).q_map(1.0),
        {"activation": "tanh", "weight_variance": 1.5, "bias_variance": 0.1},
    ),
    **{
        f"field {name}": Call(field_method(name), arguments)
        for name, arguments in {
            "q_map": {"q": 1.0},
            "q_slope": {"q": 1.0},
            "chi": {"q": 1.0},
            "correlation_map": {"correlation": 0.5, "q": 1.0},
            "correlation_slope": {"correlation": 0.5, "q": 1.0},
            "fixed_point": {"start": 1.0},
            "second_moments": {"first": 1.0, "depth": 3},
            "correlations": {"first": 0.5, "depth": 3, "q": 1.0},
            "gradient_growth": {"first": 1.0, "depth": 3},
        }.items()
    },
    "residual field": Call(
        lambda **given: theory.ResidualField(**given).q_map(1.0),
        {"field": FIELD, "branch_scale": 1.0, "skip_scale": 1.0},
    ),
    "spectrum": Call(
        lambda **given: theory.JacobianSpectrum(FIELD, given["q"]).mean(given["depth"]),
        {"q": 1.0, "depth": 3},
    ),
    "kernels": Call(
        theory.network_kernels, {"field": FIELD, "inputs": np.eye(3), "others": None, "depth": 2}
    ),
    "arc cosine": Call(theory.arc_cosine, {"correlation": 0.5, "order": 1}),
    "erf": Call(theory.erf_product, {"first": 1.0, "second": 1.0, "correlation": 0.5}),
    "log norm": Call(theory.relu_log_norm, {"widths": [10, 10]}),
    "moment ratio": Call(theory.second_moment_ratio, {"widths": [10, 10], "slope": 0.1}),
    "born dead": Call(theory.born_dead_bounds, {"width": 3, "depth": 4}),
    "silent": Call(theory.silent_probability, {"widths": [3, 4]}),
    "tailored": Call(theory.tailored_slope, {"depth": 4, "correlation": 0.9}),
    "leaky map": Call(theory.leaky_correlation_map, {"correlation": 0.5, "slope": 0.1}),
    "residual growth": Call(
        theory.residual_growth,
        {"blocks": 3, "branch_scale": 0.5, "normalized": True},
        ("normalized",),
    ),
    "gradient correlation": Call(
        theory.gradient_correlation,
        {"depth": 4, "branch_scale": 0.5, "normalized": False, "both_active": 0.25},
        ("normalized",),
    ),
    "erf slopes": Call(theory.erf_slope_product, {"first": 1.0, "second": 1.0, "correlation": 0.5}),
    "shaping": Call(theory.deep_kernel_shaping, {"activation": "tanh", "depth": 4, "slope": 1.5}),
    "learning time": Call(
        theory.learning_time,
        {"initial": 0.1, "final": 0.9, "strength": 1.0, "layers": 2, "time_constant": 1.0},
    ),
    "mode strength": Call(
        theory.mode_strength,
        {"time": 2.0, "initial": 0.1, "strength": 1.0, "layers": 3, "time_constant": 1.0},
    ),
    "scikit-learn": Call(
        perceptron,
        {
            "initializer": "he_normal",
            "initializer_parameters": None,
            "hidden_layer_sizes": (4,),
            "random_state": 0,
        },
        ("hidden_layer_sizes", "random_state"),  # which scikit-learn checks
    ),
}


def attempt(told: str, function: Callable[[], Any]) -> Any:
    """Return a result, or None where the arguments were refused as they should be."""
    try:
        with np.errstate(all="ignore"):
            return function()
    except ALLOWED as error:
        message = str(error)
    except Exception as error:
        pytest.fail(f"{told}: {type(error).__name__}: {error}")
    assert "\n" not in message, told
    return None


def arrays(result: Any) -> list[np.ndarray]:
    """Return the arrays of numbers in a result."""
    if isinstance(result, (list, tuple)):
        return [array for one in result for array in arrays(one)]
    return [result] if isinstance(result, (np.ndarray, float)) else []


@trials(400)
def test_only_errors_of_arguments_are_raised(trial):
    rng = random.Random(trial)
    name = rng.choice(sorted(CALLS))
    call = CALLS[name]
    free = sorted(set(call.arguments) - set(call.fixed))
    chosen = rng.sample(free, min(rng.choice((1, 2)), len(free)))
    arguments = call.arguments | {key: rng.choice(VALUES) for key in chosen}
    told = f"{name} with " + ", ".join(f"{key}={shown(arguments[key])}" for key in chosen)
    # copies, as an iterator can be used once, and an array may be written to
    given = {key: copy.copy(value) for key, value in arguments.items()}
    result = attempt(told, lambda: call.function(**given))
    if result is None:
        return
    if name.startswith(("draw", "rule", "network", "scikit")):
        for array in arrays(result):
            assert np.isfinite(np.asarray(array, np.float64)).all(), told
    if name.startswith("draw") and isinstance(arguments["shape"], (tuple, list)):
        assert result.shape == tuple(arguments["shape"]), told
    if name.startswith("network"):
        widths = [tuple(weights.shape) for weights, _ in result]
        assert widths == list(zip(arguments["sizes"][:-1], arguments["sizes"][1:], strict=True)), (
            told
        )


NUMBERS = [
    *range(-3, 10),
    *(-0.0, 0.5, -0.75, 1e-3, 2.0**-149, -(2.0**-126), 1.0 - 2.0**-24, 16777217.0, 1e30, -3e38),
    *(np.float16(2), np.float32(0.2), np.int8(3), np.longdouble(0.5)),
]


@trials(200)
def test_weights_have_the_shape_dtype_and_standard_deviation_declared(trial):
    rng = random.Random(trial)
    name, dtype = rng.choice(RULES), rng.choice(("float16", "float32", "float64"))
    rows, columns, seed = rng.randint(0, 24), rng.randint(0, 24), rng.randrange(2**64)
    rule = INITIALIZERS[name]
    weights = attempt(name, lambda: rule((rows, columns), rng=seed, dtype=dtype, backend="numpy"))
    if weights is None:
        return
    assert weights.shape == (rows, columns)
    assert weights.dtype == dtype
    values = np.asarray(weights, np.float64)
    assert np.isfinite(values).all()
    if weights.size < 100:
        return
    mean, std = rule.mean(weights.shape), rule.std(weights.shape)
    # The mean square of n entries scatters by at most sqrt((kurtosis - 1)/n) of itself for
    # independent entries. Of the rules registered, sparse has the largest kurtosis, 3/0.1; seven
    # standard errors and the rounding to 11 bits are allowed in up to 10,000 trials.
    kurtosis = 30.0 if name == "sparse" else 3.0
    square = mean**2 + std**2
    allowed = 7.0 * math.sqrt((kurtosis - 1.0 + 4.0 * (mean != 0.0)) / weights.size) + 2.0**-9
    assert abs((values**2).mean() - square) <= allowed * square


@trials(200)
def test_parameters_are_refused_or_draw_what_they_declare(trial):
    rng = random.Random(trial)
    name = rng.choice(RULES)
    known = INITIALIZERS[name]
    keys = [
        key
        for key in ("scale", "gain", "low", "high", "loc", "value", "a", "sparsity")
        if isinstance(getattr(known, key, None), float)
    ]
    exponent = rng.uniform(-40.0, 38.0)
    numbers = [*NUMBERS, rng.uniform(-5.0, 5.0), rng.choice((-1, 1)) * 10.0**exponent]
    chosen = {key: rng.choice(numbers) for key in keys}
    rule = attempt(name, lambda: known.replace(**chosen))
    if rule is None:
        return
    weights = attempt(name, lambda: rule(SHAPE, rng=0, dtype="float64", backend="numpy"))
    if weights is None:
        return
    low, high = rule.support(SHAPE)
    # an ulp at the bound, for the product with the gain
    slack = 2.0**-50 * max(abs(low), abs(high)) if math.isfinite(low) and math.isfinite(high) else 0
    assert np.isfinite(weights).all()
    assert weights.min() >= low - slack
    assert weights.max() <= high + slack


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: initperf.draw_network("he_normal", (8.5, 3)), ValueError, "a width in sizes must"),
        (lambda: initperf.draw_network("he_normal", ("8", "4")), ValueError, "a width in sizes"),
        (lambda: initperf.draw_network("he_normal", (8, 4), residual=-1), ValueError, "residual"),
        (lambda: initperf.draw("normal", b"ab"), TypeError, "shape must be integers"),
        (lambda: initperf.draw("normal", {3, 4}), TypeError, "shape must be integers"),
        (lambda: initperf.draw("normal", {3: 4}), TypeError, "shape must be integers"),
        (lambda: initperf.draw("normal", (2**70, 0)), ValueError, "more elements than an array"),
        (lambda: initperf.draw("normal", (10**7, 10**7)), ValueError, "must fit into memory"),
        (lambda: initperf.draw("normal", 3, std=2.0), TypeError, "did you mean 'scale'"),
        (lambda: initperf.draw({"Linear": "he"}, 3), TypeError, "a name or an Initializer"),
        (lambda: initperf.draw_network(len, (8, 4)), TypeError, "a name, an Initializer or"),
        (lambda: MeanField(None, 1.0), TypeError, "a name or an Activation"),
        (lambda: theory.ResidualField(None), TypeError, "field must be a MeanField"),
        (lambda: Experiment(initializer=(0,)), ValueError, "initializer must be a word"),
        (lambda: Experiment(epochs=10**30), ValueError, "epochs must be below"),
        (lambda: initperf.train("he_normal"), TypeError, "an Experiment, not 'he_normal'"),
        (
            lambda: initperf.train(Experiment(), dataset="table.csv"),
            TypeError,
            r"dataset must be a Dataset, as of initperf\.data\.load, not 'table\.csv'",
        ),
        (
            lambda: initperf.calculate_gain("leaky_relu", 1e200, exact=True),
            ValueError,
            "param must be at least -1e\\+150 and at most 1e\\+150",
        ),
        (lambda: FIELD.correlation_map(0.5, 2.0**62), ValueError, "quadrature fits into memory"),
        (lambda: theory.JacobianSpectrum(FIELD, 0.0).mean(2**62), ValueError, r"below 1\.8e308"),
        (lambda: FIELD.second_moments(1.0, 2**62), ValueError, "at most 1000000"),
        (
            lambda: initperf.draw("truncated_normal", 3, high=-(10**400)),
            ValueError,
            "high must be",
        ),
        (
            lambda: initperf.draw_network("lsuv", (8, 4), batch=-(10**400)),
            ValueError,
            "batch must be numbers below",
        ),
        (lambda: from_arrays([[10**400], [0]], [0, 1]), DataError, "features must be numbers"),
        (
            lambda: INITIALIZERS["he_normal"].density(SHAPE, 10**400),
            ValueError,
            "x must be numbers",
        ),
        (lambda: theory.ResidualField(FIELD, 1e200), ValueError, "branch_scale must be in"),
        (lambda: theory.residual_growth(3, 1e200), ValueError, "branch_scale must be in"),
        (lambda: theory.deep_kernel_shaping("tanh", 4, 1e200), ValueError, "at most 1e"),
        (lambda: theory.mode_strength(2.0, 1e-320), ValueError, "at least 1e-300 of strength"),
    ],
)
def test_what_was_once_wrong_is_refused(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_empty_weights_are_drawn_without_a_value():
    for name in RULES:
        for shape in ((0, 3), (3, 0), (0, 0)):
            assert initperf.draw(name, shape, rng=0).shape == shape
    with pytest.raises(ValueError, match="at least two axes"):
        initperf.draw("he_normal", (0,))


def test_weights_of_16_bits_are_those_of_float32_rounded():
    wide = initperf.draw("he_normal", (40, 30), rng=0)
    narrow = initperf.draw("he_normal", (40, 30), rng=0, dtype="float16")
    np.testing.assert_array_equal(narrow, wide.astype("float16"))
    with pytest.raises(ValueError, match=r"a weight of .* is more than float16 can hold"):
        initperf.draw("constant", (3, 4), dtype="float16", value=1e5)


def test_a_slope_of_any_width_gives_the_gain_of_a_float():
    expected = initperf.calculate_gain("leaky_relu", float(np.float32(0.2)))
    assert initperf.calculate_gain("leaky_relu", np.float32(0.2)) == expected
