"""Description of a scheme for ``initperf info``: a network that it has set, layer by layer."""

import argparse
from typing import TYPE_CHECKING

from initperf.cli._output import explain, show, show_json, usage

if TYPE_CHECKING:
    from initperf.schemes import Scheme
    from initperf.training.network import Mlp

_SIZES = (784, 256, 256, 256, 10)
_INPUTS = 512


def _described(network: "Mlp") -> str:
    name, blocks = network.activation.name, network.blocks
    if not blocks:
        return name
    of = {"residual block": len(blocks), "layer": len(blocks[0])}
    return f"{name}, " + " of ".join(f"{n} {word}{'s' * (n > 1)}" for word, n in of.items())


def describe(scheme: "Scheme", arguments: argparse.Namespace) -> None:
    """Print a scheme, and for each layer statistics of weights, biases and pre-activations.

    Parameters
    ----------
    scheme : Scheme
    arguments : argparse.Namespace
        Options of ``initperf info``: shape, activation, residual, seed and json.

    Raises
    ------
    UsageError
        When the scheme does not apply to the network.
    """
    import numpy as np

    from initperf.schemes import signals
    from initperf.training.network import Mlp

    with usage():
        sizes = tuple(arguments.shape) or _SIZES
        network = Mlp(sizes, arguments.activation or "relu", "float64", residual=arguments.residual)
        rng = np.random.default_rng(arguments.seed)
        batch = rng.standard_normal((_INPUTS, sizes[0]))
        labels = rng.integers(sizes[-1], size=_INPUTS)
        network.initialize(scheme, arguments.seed, batch=batch, labels=labels)
    facts = {
        "name": scheme.name,
        "formula": scheme.formula,
        "source": scheme.cite,
        "suits": ", ".join(scheme.suits) or "no activation in particular",
        "network": _described(network),
        "inputs": f"{_INPUTS} of standard normal features, labels at random",
    }
    rows = [
        {
            "layer": number + 1,
            "shape": " x ".join(map(str, weights.shape)),
            "weight_mean": float(weights.mean()),
            "weight_std": float(weights.std()),
            "weight_max": float(np.abs(weights).max()),
            "bias_std": float(biases.std()),
            "preactivation_variance": float(z.var()),
        }
        for number, ((weights, biases), (_, z)) in enumerate(
            zip(network.layers(), signals(network, batch), strict=True)
        )
    ]
    if arguments.json:
        show_json(facts | {"layers": rows})
        return
    for key, value in facts.items():
        explain(f"{key:17s}{value}", indent=17)
    print()
    show(rows, as_json=False)
