"""Gradients over 200 layers after random walk initialization (Sussillo & Abbott 2014)."""

from initperf.claims._claim import Claim, register
from initperf.claims._jacobian import log_norms
from initperf.schemes.random_walk import gain

_WIDTH, _LAYERS = 100, 200


def _drift(seed: int, quick: bool) -> float:
    networks = 400 if quick else 1000
    variance = gain("relu", _WIDTH) ** 2  # as the scheme has it
    return float(log_norms(seed, networks, _WIDTH, _LAYERS, variance).mean())


register(
    Claim(
        name="random_walk",
        statement="Random walk initialization has no drift of ln ‖gradient‖² over 200 ReLU layers "
        "of 100 units, where He's weights lose about 5.",
        cite="Sussillo & Abbott 2014 (1412.6558), equation 11 and figure 2",
        setting="plain ReLU networks without biases, the gain of initperf's random_walk; 1,000 "
        "each seed, quick 400.",
        quantity="mean of ln ‖Ju‖² after 200 layers",
        number=0.0,
        low=-0.5,
        high=0.5,
        tolerance="a tenth of the drift of He's weights, 5L/(2n) = 5.",
        measure=_drift,
        seeds=10,
        quick_seeds=10,
    )
)
