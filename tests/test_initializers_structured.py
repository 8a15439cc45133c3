"""Initializers whose entries differ by place, and what their moments alone do not show."""

import math

import numpy as np
import pytest
from scipy import integrate, signal, stats

import initperf
from initperf import ACTIVATIONS, INITIALIZERS
from initperf._core.source import Source
from initperf.initializers._filling import fill

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_an_identity_passes_its_inputs_on(shape):
    np.testing.assert_array_equal(initperf.draw("eye", shape, gain=2.0), 2.0 * np.eye(*shape))


def test_a_dirac_convolution_passes_its_channels_on():
    w = initperf.draw("dirac", (3, 4, 2, 3))
    expected = np.zeros((3, 4, 2, 3))
    expected[1, 2] = np.eye(2, 3)
    np.testing.assert_array_equal(w, expected)


def test_each_group_of_a_dirac_begins_with_the_first_input():
    w = initperf.draw("dirac", (6, 2, 3), in_axis=1, out_axis=0, groups=2)
    assert [tuple(place) for place in np.argwhere(w)] == [
        (0, 0, 1),
        (1, 1, 1),
        (3, 0, 1),
        (4, 1, 1),
    ]
    with pytest.raises(ValueError, match="groups must divide 6 outputs, and 4 does not"):
        initperf.draw("dirac", (6, 2, 3), in_axis=1, out_axis=0, groups=4)


@pytest.mark.parametrize("axes", [(-2, -1), (1, 0), (0, 2)])
@pytest.mark.parametrize("shape", [(4, 6, 5), (5, 5, 5)])
def test_a_delta_orthogonal_convolution_keeps_lengths_in_its_middle(shape, axes):
    in_axis, out_axis = axes
    rule = INITIALIZERS["delta_orthogonal"].replace(in_axis=in_axis, out_axis=out_axis, gain=2.0)
    w = np.moveaxis(rule(shape, rng=0, dtype="float64"), axes, (-2, -1))
    middle = (len(w) - 1) // 2
    np.testing.assert_allclose(np.linalg.svd(w[middle])[1], 2.0, rtol=1e-13)
    w[middle] = 0.0
    assert not w.any()


def test_a_delta_orthogonal_matrix_is_an_orthogonal_one():
    np.testing.assert_array_equal(
        initperf.draw("delta_orthogonal", (7, 9), rng=3), initperf.draw("orthogonal", (7, 9), rng=3)
    )


@pytest.mark.parametrize("window", ["hann", "hamming", ("kaiser", 8.6)], ids=str)
def test_a_fourier_weight_takes_a_frame_to_its_spectrum(window):
    frame, outputs = 24, 20
    x = np.random.default_rng(0).standard_normal((5, frame))
    below = signal.get_window(window, frame, fftbins=False)
    expected = np.fft.rfft(x * below, 2 * (outputs - 1)) / math.sqrt(np.sum(below**2))
    rule = INITIALIZERS["stft"].replace(window=window)
    for side, part in (("real", expected.real), ("imag", expected.imag)):
        w = rule.replace(side=side)((frame, outputs), dtype="float64")
        # sums of 24 products, each of a few roundings
        np.testing.assert_allclose(x @ w, part, rtol=0, atol=24 * 4 * np.finfo("float64").eps)
    # the same kernel in PyTorch's layout, (outputs, 1, frame)
    turned = rule.replace(in_axis=1, out_axis=0)((outputs, 1, frame))
    np.testing.assert_array_equal(turned[:, 0].T, rule((frame, 1, outputs))[:, 0])


def test_a_fourier_weight_refuses_windows_that_do_not_fit_the_frame():
    out = np.full((2, 5), 5.0)
    with pytest.raises(ValueError, match="'hann' is 0 everywhere in a frame of 2"):
        initperf.draw("stft", (2, 5), out=out)
    with pytest.raises(ValueError, match="window has 3 values for a frame of 2"):
        initperf.draw("stft", (2, 5), out=out, window=[1.0, 2.0, 1.0])
    assert np.all(out == 5.0)
    assert initperf.draw("stft", (2, 5), window=[1.0, 2.0])[1, 0] == np.float32(2 / math.sqrt(5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.95, 1.0])
def test_every_output_of_a_sparse_weight_has_as_many_zeros(sparsity, dtype):
    swapped = {"in_axis": 1, "out_axis": 0}
    for shape, options in (((50, 40), {}), ((3, 5, 4, 6), {}), ((40, 50), swapped)):
        w = initperf.draw("sparse", shape, rng=1, sparsity=sparsity, dtype=dtype, **options)
        columns = np.moveaxis(w, options.get("out_axis", -1), -1)
        columns = columns.reshape(-1, columns.shape[-1])
        zeros = np.sum(columns == 0.0, axis=0)
        assert set(zeros) == {math.ceil(sparsity * len(columns))}


def test_the_zeros_of_a_sparse_weight_are_anywhere_and_its_other_values_untouched():
    shape, sparsity, count = (10, 4), 0.3, 3000
    w = np.array(
        [initperf.draw("sparse", shape, rng=2, stream=i, sparsity=sparsity) for i in range(count)]
    )
    zero = w == 0.0
    # each place is zero in a binomial number of the draws
    expected = stats.binom(count, sparsity)
    assert np.sum(zero, axis=0).min() > expected.ppf(CHANCE / zero[0].size)
    assert np.sum(zero, axis=0).max() < expected.isf(CHANCE / zero[0].size)
    # whether a place is zero says nothing about the column beside it
    pairs = np.corrcoef(zero[:, 0].T.astype(float))
    error = stats.norm.isf(CHANCE / pairs.size) / math.sqrt(count)
    assert np.abs(pairs - np.eye(4)).max() < error
    dense = initperf.draw("sparse", shape, rng=2, stream=0, sparsity=0.0)
    np.testing.assert_array_equal(w[0][~zero[0]], dense[~zero[0]])


@pytest.mark.parametrize("shape", [(70, 90), (3, 3, 40, 20)])
def test_the_choice_of_zeros_shares_no_bits_with_the_values(shape):
    # The uniform numbers must come from behind all bits of the normal ones, in either dtype.
    size = math.prod(shape)
    ranks = np.empty(size)
    fill("fill_uniform", ranks, Source.checked(ranks.size, rng=0), 0.0, 1.0)
    w = initperf.draw("sparse", shape, rng=0, sparsity=0.5, dtype="float64")
    columns = w.reshape(-1, shape[-1])
    chosen = np.argpartition(ranks.reshape(shape[-1], -1), len(columns) // 2 - 1, axis=1)
    expected = np.zeros_like(columns.T, dtype=bool)
    np.put_along_axis(expected, chosen[:, : len(columns) // 2], True, axis=1)
    assert 0.4 < np.mean((columns.T == 0.0) == expected) < 0.6


def test_a_sinusoidal_weight_is_that_of_the_papers_implementation():
    """Written as in the authors' code, for (units, inputs), but with the exact variance."""
    for inputs, units in ((30, 20), (5, 40), (17, 1), (3, 9)):
        position = np.arange(inputs) * (2 * math.pi / inputs) + 2 * math.pi / units
        waves = np.sin(np.outer(np.arange(units) + 1, position))
        expected = waves * math.sqrt(2 / (inputs + units) / waves.var())
        found = initperf.draw("sinusoidal", (inputs, units), dtype="float64")
        # whole turns are exact here and up to 40 roundings of angles there
        np.testing.assert_allclose(found, expected.T, rtol=0, atol=1e-12)


def test_a_sinusoidal_convolution_counts_inputs_channel_by_channel():
    torch_order = initperf.draw("sinusoidal", (16, 3, 2, 2), in_axis=1, out_axis=0)
    flat = initperf.draw("sinusoidal", (12, 16))
    np.testing.assert_array_equal(torch_order.reshape(16, 12), flat.T)
    np.testing.assert_array_equal(
        initperf.draw("sinusoidal", (2, 2, 3, 16)), torch_order.transpose(2, 3, 1, 0)
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_sines_that_are_all_zero_stay_zero(shape):
    rule = INITIALIZERS["sinusoidal"]
    assert not rule(shape).any()
    assert (rule.mean(shape), rule.std(shape)) == (0.0, 0.0)


@pytest.mark.parametrize(("shape", "met"), [((3, 7), 7), ((7, 3), 3), ((4, 4), 4)])
def test_a_diagonal_is_met_by_every_unit_and_the_rest_is_noise(shape, met):
    rule = INITIALIZERS["diagonal_noise"].replace(diagonal=2.0)
    found = rule(shape, rng=5, dtype="float64")
    noise = initperf.draw("normal", shape, rng=5, dtype="float64", scale=0.085 / shape[0] ** 0.5)
    on = np.zeros(shape, bool)
    on[np.arange(shape[1]) % shape[0], np.arange(shape[1])] = True
    np.testing.assert_array_equal(found[~on], noise[~on])
    np.testing.assert_array_equal(found[on], noise[on] + 2.0)
    assert on.sum() == met


def test_a_diagonal_of_a_convolution_is_in_the_middle_of_its_field():
    w = initperf.draw("diagonal_noise", (3, 4, 2, 5), noise=0.0)
    assert [tuple(place) for place in np.argwhere(w)] == [
        (1, 2, unit % 2, unit) for unit in (0, 2, 4, 1, 3)
    ]


def test_a_deep_narrow_tanh_network_keeps_its_signal_on_the_diagonal():
    """The paper's reason: Glorot's weights lose it in 100 layers of 10 units."""
    x = np.random.default_rng(0).standard_normal((100, 10))
    left = {}
    for name in ("diagonal_noise", "glorot_normal"):
        a = x
        for layer in range(100):
            a = np.tanh(a @ initperf.draw(name, (10, 10), rng=1, stream=layer, dtype="float64"))
        left[name] = a.std(axis=0).mean()
    assert left["diagonal_noise"] > 10 * left["glorot_normal"]


@pytest.mark.parametrize(
    "name",
    [
        "identity",
        "sparse",
        "delta_orthogonal",
        "clipped_normal",
        "stft",
        "sinusoidal",
        "diagonal_noise",
    ],
)
def test_draws_are_the_same_on_both_backends_and_in_any_layout(name):
    shape = (4, 6, 5)
    one = initperf.draw(name, shape, rng=4)
    strided = np.empty((5, 12, 4), "float32").transpose(2, 1, 0)[:, ::2]
    two = initperf.draw(name, shape, rng=4, backend="numpy", out=strided)
    # the orthogonal matrix is the same up to roundings of BLAS, each at most a few units
    np.testing.assert_allclose(two, one, rtol=0, atol=16 * np.finfo("float32").eps)
    assert np.array_equal(two, one) or name == "delta_orthogonal"


@pytest.mark.parametrize(
    "name", ["identity", "sparse", "delta_orthogonal", "orthogonal", "sinusoidal", "diagonal_noise"]
)
def test_what_is_drawn_whole_cannot_be_drawn_in_parts(name):
    out = np.full((3, 4), 5.0)
    with pytest.raises(ValueError, match=f"{name} weights cannot be drawn in parts; offset"):
        initperf.draw(name, (3, 4), out=out, offset=1)
    for bad, error in (({"stream": -1}, ValueError), ({"rng": "zero"}, TypeError)):
        with pytest.raises(error):
            initperf.draw(name, (3, 4), out=out, **bad)
    assert np.all(out == 5.0)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"loc": 0.3, "scale": 2.0, "low": -1.0, "high": 0.5},
        {"loc": -4.0, "low": 0.0, "high": 1.0},
        {"loc": 5.0, "scale": 0.5, "low": -1.0, "high": 3.0},
    ],
)
def test_moments_of_a_clipped_normal(parameters):
    rule = INITIALIZERS["clipped_normal"].replace(**parameters)
    distribution = stats.norm(rule.loc, rule.scale)

    def moment(power, origin):
        inside = integrate.quad(
            lambda x: (x - origin) ** power * distribution.pdf(x), rule.low, rule.high, epsabs=1e-12
        )[0]
        return (
            inside
            + (rule.low - origin) ** power * distribution.cdf(rule.low)
            + (rule.high - origin) ** power * distribution.sf(rule.high)
        )

    mean = moment(1, 0.0)
    assert rule.mean(()) == pytest.approx(mean, rel=1e-10, abs=1e-12)
    assert rule.std(()) == pytest.approx(math.sqrt(moment(2, mean)), rel=1e-9)


def test_clipping_piles_up_on_the_bounds():
    w = initperf.draw("clipped_normal", 100_000, rng=0, low=-1.0, high=2.0)
    for bound, share in ((-1.0, stats.norm.cdf(-1)), (2.0, stats.norm.sf(2))):
        found = np.sum(w == bound)
        assert stats.binomtest(int(found), w.size, share).pvalue > CHANCE


@pytest.mark.parametrize(
    "distribution", ["normal", "uniform", "truncated_normal", "clipped_normal"]
)
def test_custom_draws_what_it_names(distribution):
    np.testing.assert_array_equal(
        initperf.draw("custom", 50, rng=0, distribution=distribution),
        initperf.draw(distribution, 50, rng=0),
    )


def test_custom_refuses_a_parameter_that_its_distribution_has_not():
    with pytest.raises(TypeError, match="normal has no parameter 'low'; it has loc, scale"):
        INITIALIZERS["custom"].replace(low=0.0)


@pytest.mark.parametrize("name", ["kaiming_normal", "kaiming_uniform"])
def test_kaiming_takes_slope_mode_and_nonlinearity(name):
    shape, rule = (40, 10), INITIALIZERS[name]
    for parameters, square in (
        ({}, 2 / 40),
        ({"nonlinearity": "relu", "mode": "fan_out"}, 2 / 10),
        ({"a": 0.5}, 2 / 1.25 / 40),
        ({"a": math.sqrt(5), "mode": "fan_out"}, 1 / 3 / 10),
        ({"nonlinearity": "tanh"}, 25 / 9 / 40),
        ({"nonlinearity": "selu"}, 9 / 16 / 40),
        ({"nonlinearity": "conv2d"}, 1 / 40),
        ({"nonlinearity": "silu"}, ACTIVATIONS["silu"].gain ** 2 / 40),
    ):
        assert rule.replace(**parameters).std(shape) == pytest.approx(math.sqrt(square), rel=1e-14)


def test_lists_of_axes_will_do_and_keep_an_initializer_hashable():
    rule = INITIALIZERS["he_normal"].replace(in_axis=[0, 1], out_axis=[2, 3])
    assert rule.std((2, 3, 4, 5)) == pytest.approx(math.sqrt(2 / 6), rel=1e-14)
    assert hash(rule) == hash(rule.replace(in_axis=(0, 1)))
