"""Speed at which ReLU networks forget what distinguishes inputs (Hayou et al. 2019, 1902.06853)."""

from initperf.claims._claim import Claim, register
from initperf.claims._stack import Stack, correlation, mean_over_networks, orthogonal_inputs
from initperf.initializers import INITIALIZERS
from initperf.theory import arc_cosine

_LAYERS = 10_000
_DEPTH, _WIDTH = 30, 500


def _expected(layers: int) -> float:
    """Return the correlation of infinite width so many layers above one of 0."""
    found = 0.0
    for _ in range(layers):
        found = arc_cosine(found)
    return found


def _limit(seed: int, quick: bool) -> float:
    return _LAYERS**2 * (1.0 - _expected(_LAYERS))


def _angle(seed: int, quick: bool) -> float:
    """Return the measured 1 − c after 30 layers, divided by that of infinite width."""

    def last(own: int) -> float:
        stack = Stack.draw(own, [_WIDTH] * (_DEPTH + 1), INITIALIZERS["he_normal"], "relu")
        x = orthogonal_inputs(own, _WIDTH)  # so that layer 1 starts from a correlation of 0
        return 1.0 - correlation(stack.forward(x.astype("float32"))[-1])

    found = mean_over_networks(last, seed, 10 if quick else 40)
    return found / (1.0 - _expected(_DEPTH - 1))


register(
    Claim(
        name="relu_correlation_rate",
        statement="With He's weights the correlation of two inputs goes to 1 as 1 − 9π²/(2l²).",
        cite="Hayou, Doucet & Rousseau 2019 (1902.06853), proposition 3",
        setting=f"the correlation map of infinite width, {_LAYERS:,} layers from correlation 0.",
        quantity="l² (1 − c)",
        number=44.413,
        low=43.97,
        high=44.86,
        tolerance="1 %, as the next term is of the order ln l / l, 0.1 % here.",
        measure=_limit,
        exact=True,
        source_read="the constant derived again from the map's expansion; not compared with the "
        "text",
    )
)
register(
    Claim(
        name="relu_correlation_width",
        statement="Networks of 500 units follow the correlation map of infinite width.",
        cite="Hayou, Doucet & Rousseau 2019 (1902.06853), section 2, for wide networks",
        setting="plain ReLU networks, 30 layers of 500 units, N(0, 2/n), two orthogonal inputs.",
        quantity="mean 1 − c after 30 layers / that of infinite width",
        number=1.0,
        low=0.9,
        high=1.1,
        tolerance="10 %: corrections are of the order of L/n, 6 % here.",
        measure=_angle,
        seeds=30,
        quick_seeds=20,
    )
)
