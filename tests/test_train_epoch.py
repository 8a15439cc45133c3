"""The training loop: both backends on random trainings, and where trainings diverge."""

import numpy as np
import pytest
from hostile import number

from initperf.activations import ACTIVATIONS
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import STATISTICS, Batches, Descent, Histograms, Records
from initperf.losses import LOSSES
from initperf.optimizers import OPTIMIZERS
from initperf.schemes import residual_blocks
from initperf.training.network import Mlp

EPSILON = 0.1  # of adam
SMOOTH = ("linear", "tanh", "sigmoid", "softplus", "gelu")
"""Continuous slopes: a rounding of z cannot switch a unit, as it can at the edge of ReLU."""


def random_training(seed, loss="softmax_cross_entropy"):
    """Return a maker of networks and the arguments of a training, equal for both backends."""
    rng = np.random.default_rng(seed)
    widths = [1, 1, 2, 5, 16, 33]
    sizes = [int(width) for width in rng.choice(widths, rng.integers(2, 7))]
    residual = int(rng.integers(3))
    if residual and len(sizes) > residual + 2:  # so that one block fits
        sizes[1 + residual] = sizes[1]
    else:
        residual = 0
    assert residual == 0 or residual_blocks(sizes, residual)
    batch_size, steps = int(rng.choice([1, 2, 8, 9])), int(rng.integers(1, 4))
    count = max(1, batch_size * steps - int(rng.integers(batch_size)))
    steps = -(-count // batch_size)
    activation, rule = str(rng.choice(SMOOTH)), OPTIMIZERS[str(rng.choice(list(OPTIMIZERS)))]
    images, targets = rng.standard_normal((count, sizes[0])), rng.integers(0, sizes[-1], count)
    order, start = rng.permutation(count), int(rng.integers(1000))
    rule = rule.replace(
        weight_decay=0.01, **({"epsilon": EPSILON} if hasattr(rule, "epsilon") else {})
    )
    factors = rule.factors(np.full(steps, EPSILON), 0)
    clip_norm, clip_globally = float(rng.choice([0.0, 0.1])), bool(rng.integers(2))
    layer_rates = rng.uniform(0.5, 1.0, (len(sizes) - 1, 2))
    if loss != "softmax_cross_entropy":
        targets = rng.standard_normal((count, sizes[-1]))
    recorded, wanted = int(rng.choice([0, 1, steps])), rng.integers(0, 2, steps) > 0

    def train(backend):
        network = Mlp(sizes, activation, "float64", backend, residual)
        network.initialize("lecun_normal", rng=start, biases="fan_in_uniform")
        arrays = network.arrays(batch_size)
        descent = Descent.start(rule, factors, network.parameters)._replace(
            clip_norm=clip_norm,
            clip_globally=clip_globally,
            layer_rates=layer_rates,
            loss=LOSSES[loss],
        )
        records = Records.of(steps, network.depth, recorded)
        records = records._replace(histograms=Histograms.of(wanted, network.depth))
        batches = Batches(images, targets, order, batch_size)
        done = KERNELS["train_epoch"][backend](arrays, batches, descent, records)
        assert done == (steps, 0)
        return {
            "parameters": network.parameters,
            "gradients": arrays.gradients,
            "memories": descent.memories,
            "losses": records.losses,
            "scores": records.scores,
            # where all values are nearly one, roundings decide on the bins; those of regular values
            # are compared by the kernel's cases
            "counted": records.histograms.counts.sum(axis=-1),
            "bounds": records.histograms.bounds,
        } | {name: records.statistics[..., i] for i, name in enumerate(STATISTICS)}

    # Sums of at most so many terms, one rounding each, in all layers and back, in three steps.
    # Momentum adds up three steps; adam's step changes with the gradient by at most rate / epsilon.
    # Below the largest layer, a gradient may be larger than in the end by as many weights of order
    # one as it passed, and cancel.
    terms = max(*sizes, batch_size)
    tolerance = 3 * 3 * 2 * len(sizes) * terms * 10.0 * np.finfo(np.float64).eps
    return train, tolerance, (sizes, activation, rule.name, residual, batch_size, clip_norm)


@pytest.mark.parametrize(
    ("seed", "loss"),
    [(seed, name) for name in LOSSES for seed in range(number(60))],
)
def test_both_backends_train_alike_whatever_the_shape(seed, loss):
    train, tolerance, told = random_training(seed, loss)
    expected, found = train("numpy"), train("numba")
    for name, want in expected.items():
        if name == "counted" or (name == "scores" and loss == "softmax_cross_entropy"):
            np.testing.assert_array_equal(found[name], want, str(told))
        else:
            scale = max(1.0, np.max(np.abs(want), initial=0.0))
            np.testing.assert_allclose(
                found[name], want, rtol=0, atol=tolerance * scale, err_msg=f"{name} of {told}"
            )


EXPECTED = {"input": (1, 0), "weights": (0, 1), "gradient": (0, 0), "update": (1, 2)}
DIVERGING = [case for case in KERNELS["train_epoch"].cases() if "diverges" in case.label]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("case", DIVERGING, ids=lambda case: case.label)
def test_a_training_ends_at_the_step_and_the_layer_that_diverge(case, backend):
    (where,) = (where for where in EXPECTED if f"diverges-by-{where}" in case.label)
    network, batches, descent, records = case.arguments()
    assert KERNELS["train_epoch"][backend](network, batches, descent, records) == EXPECTED[where]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_statistics_before_a_divergence_are_those_of_a_training_that_ends_there(activation):
    case = next(case for case in DIVERGING if "float64-diverges-by-update" in case.label)
    found = {}
    for backend in ("numpy", "numba"):
        network, batches, descent, _ = case.arguments()
        records = Records.of(3, 3, recorded=3)
        network = network._replace(activation=ACTIVATIONS[activation])
        done, _ = KERNELS["train_epoch"][backend](network, batches, descent, records)
        assert done == 1
        found[backend] = records.statistics[0]
        assert found[backend].any()
    # a step through three layers and back, sums of at most 11 terms
    np.testing.assert_allclose(found["numba"], found["numpy"], rtol=0, atol=6 * 11 * 2.3e-16)
