"""Speed at which ReLU networks forget what distinguishes inputs (Hayou et al. 2019, 1902.06853)."""

from initperf.claims._claim import Claim, register
from initperf.claims._stack import Stack, inputs
from initperf.initializers import INITIALIZERS
from initperf.theory import arc_cosine

_LAYERS = 10_000
_DEPTH, _WIDTH = 30, 500


def _limit(seed: int, quick: bool) -> float:
    correlation = 0.0
    for _ in range(_LAYERS):
        correlation = arc_cosine(correlation)
    return _LAYERS**2 * (1.0 - correlation)


def _angle(seed: int, quick: bool) -> float:
    """Return the measured 1 − c after 30 layers, divided by that of infinite width."""
    wanted = 0.0
    for _ in range(_DEPTH - 1):
        wanted = arc_cosine(wanted)
    total, networks = 0.0, 10 if quick else 40
    for number in range(networks):
        own = seed * networks + number
        widths = [_WIDTH] * (_DEPTH + 1)
        stack = Stack.draw(own, widths, INITIALIZERS["he_normal"], "relu")
        # inputs at a right angle, so that layer 1 starts from a correlation of 0
        x = inputs(own, 2, _WIDTH).astype("float64")
        x[1] -= x[0] * (x[0] @ x[1]) / (x[0] @ x[0])
        first, second = stack.forward(x.astype("float32"))[-1].astype("float64")
        total += 1.0 - first @ second / ((first @ first) * (second @ second)) ** 0.5
    return float(total / networks / (1.0 - wanted))


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
