"""Looks-linear weights in a deep plain ReLU network (Balduzzi et al. 2017, 1702.08591)."""

from initperf.claims._claim import Claim, register
from initperf.claims._training import accuracy
from initperf.training.experiment import Experiment

_RATES = 0.0003, 0.001, 0.003, 0.01


def _trained(initializer: str, seed: int, quick: bool) -> float:
    """Return the test accuracy at the best of the rates."""
    epochs = 3 if quick else 6
    return max(
        accuracy(
            Experiment(
                initializer,
                "relu",
                hidden=(64,) * 200,
                learning_rate=rate,
                epochs=epochs,
                batch_size=64,
                seed=seed,
            )
        )
        for rate in _RATES
    )


def _mirrored(seed: int, quick: bool) -> float:
    return _trained("looks_linear", seed, quick)


def _he(seed: int, quick: bool) -> float:
    return _trained("he_normal", seed, quick)


_CITE = "Balduzzi, Frean, Leary, Lewis, Ma & McWilliams 2017 (1702.08591), section 4"
_READ = "very deep networks compared with the abstract, 200 layers with a summary of the paper"
_SETTING = (
    "200 ReLU layers of 64 units, 5,000 images of MNIST, gradient descent, the best of the rates "
    "0.0003, 0.001, 0.003 and 0.01, 6 epochs, quick 3; the paper's networks have concatenated "
    "rectifiers and convolutions."
)

register(
    Claim(
        name="looks_linear_depth",
        statement="A plain ReLU network of 200 layers trains from looks-linear weights.",
        cite=_CITE,
        setting=_SETTING,
        quantity="test accuracy",
        number=None,
        low=0.8,
        high=1.0,
        tolerance="above 80 %, where guessing gives 10 %.",
        measure=_mirrored,
        seeds=8,
        quick_seeds=5,
        source_read=_READ,
    )
)
register(
    Claim(
        name="he_two_hundred",
        statement="A plain ReLU network of 200 layers does not train from He's weights.",
        cite=_CITE,
        setting=_SETTING,
        quantity="test accuracy",
        number=None,
        low=0.0,
        high=0.4,
        tolerance="below 40 %, where guessing gives 10 %.",
        measure=_he,
        seeds=8,
        quick_seeds=4,
        source_read=_READ,
    )
)
