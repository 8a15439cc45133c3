"""``initperf info``: declaration and measurement of one initializer, or of one scheme."""

import argparse
import math
from typing import Any

from initperf.cli._arguments import (
    OF_INITIALIZERS,
    OF_SCHEMES,
    add_residual,
    check_name,
    integer,
    length,
    named,
)
from initperf.cli._output import explain, moments, show_json, usage
from initperf.cli._parameters import add_parameters, parameters
from initperf.cli._scheme import describe
from initperf.errors import UsageError

HELP = "show an initializer's declared and measured statistics, and its histogram or its layers"

_BARS = " ▏▎▍▌▋▊▉█"
_BINS = 21
_WIDTH = 40
_NARROWEST = 1e-12
"""Half the range of a histogram relative to its values, at least: bins differ by more than ulps."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    name = parser.add_argument("name", metavar="NAME", help="see initperf list")
    named(name, OF_INITIALIZERS, OF_SCHEMES)
    parser.add_argument(
        "shape",
        metavar="N",
        type=length,
        nargs="*",
        default=[],  # without which argparse calls it required
        help="shape, by default 784 256; for a rule that sets a whole network, the widths of its "
        "layers, by default 784 256 256 256 10",
    )
    add_parameters(parser)
    parser.add_argument("--seed", type=integer(0), default=0, metavar="N", help="seed of the draw")
    parser.add_argument(
        "--activation", metavar="X", help="activation of such a network (default: relu)"
    )
    add_residual(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead")


def run(arguments: argparse.Namespace) -> None:
    """Print the declaration, the measurement and the histogram or the layers."""
    import numpy as np

    from initperf.initializers import INITIALIZERS
    from initperf.schemes import SCHEMES

    check_name(arguments.name)
    if arguments.name not in INITIALIZERS:
        with usage():
            scheme = SCHEMES[arguments.name].replace(**parameters(arguments))
        describe(scheme, arguments)
        return
    if arguments.activation or arguments.residual:
        raise UsageError(
            f"{arguments.name} draws a single weight: --activation and --residual are for rules "
            f"that set a whole network, {', '.join(SCHEMES)}"
        )
    with usage():
        initializer = INITIALIZERS[arguments.name].replace(**parameters(arguments))
    shape = tuple(arguments.shape) or (784, 256)
    if math.prod(shape) < 1:
        raise UsageError(f"a shape without elements has no statistics: {shape}")
    with usage():
        w = initializer(shape, rng=arguments.seed, dtype="float64").reshape(-1)
        low, high = initializer.guarded(initializer.support, shape)
        mean, std = moments(w)
        facts = {
            "name": initializer.name,
            "formula": initializer.formula,
            "source": initializer.cite,
            "suits": ", ".join(initializer.suits) or "no activation in particular",
            "shape": " x ".join(map(str, shape)),
            "declared mean": initializer.guarded(initializer.mean, shape),
            "measured mean": mean,
            "declared std": initializer.guarded(initializer.std, shape),
            "measured std": std,
            "declared support": f"[{low:.6g}, {high:.6g}]",
            "measured range": f"[{w.min():.6g}, {w.max():.6g}]",
        }
    counts, edges = np.histogram(w, _edges(float(w.min()), float(w.max())))
    if arguments.json:
        facts["histogram"] = {"counts": counts.tolist(), "edges": edges.tolist()}
        show_json(facts)
        return
    for key, value in facts.items():
        text = f"{value:.6g}" if isinstance(value, float) else f"{value}"
        explain(f"{key:17s}{text}", indent=17)
    print()
    for count, edge in zip(counts, edges[:-1] + np.diff(edges) / 2, strict=True):
        eighths = round(8 * _WIDTH * count / counts.max())
        print(f"{edge:12.4g} {'█' * (eighths // 8)}{_BARS[eighths % 8]}".rstrip())


def _edges(low: float, high: float) -> Any:
    """Return the edges of the histogram's bins, around a single value too.

    Parameters
    ----------
    low, high : float
        The least and the greatest value.
    """
    import numpy as np

    middle, largest = 0.5 * low + 0.5 * high, max(abs(low), abs(high))
    reach = max(0.5 * high - 0.5 * low, _NARROWEST * largest)
    if reach == 0.0:
        reach = 0.5
    edges = middle + reach * np.linspace(-1.0, 1.0, _BINS + 1)
    edges[0], edges[-1] = min(low, edges[0]), max(high, edges[-1])
    return edges
