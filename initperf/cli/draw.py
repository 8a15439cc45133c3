"""``initperf draw``: weights of one initializer, written to a file or described."""

import argparse
from pathlib import Path

from initperf.cli._arguments import (
    OF_INITIALIZERS,
    add_backend,
    add_dtype,
    add_parameters,
    integer,
    named,
    parameters,
)
from initperf.cli._output import moments, usage
from initperf.errors import UsageError

HELP = "draw weights and write them to a .npy file, or print their statistics"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    named(parser.add_argument("name", metavar="NAME", help="see initperf list"), OF_INITIALIZERS)
    parser.add_argument(
        "shape", metavar="N", type=integer(), nargs="+", help="shape, such as 784 256"
    )
    add_parameters(parser)
    parser.add_argument(
        "--seed",
        type=integer(0),
        metavar="N",
        help="seed of the draw; by default from the operating system",
    )
    parser.add_argument(
        "--stream", type=integer(0), default=0, metavar="N", help="number of the stream"
    )
    add_dtype(parser, "float16")
    add_backend(parser)
    parser.add_argument("--out", metavar="FILE.npy", help="file to write the weights to")


def run(arguments: argparse.Namespace) -> None:
    """Draw and write or describe."""
    import numpy as np

    from initperf._core.storage import replacing
    from initperf.initializers import INITIALIZERS

    path = Path(arguments.out) if arguments.out else None
    if path is not None and (path.suffix != ".npy" or not path.parent.is_dir()):
        raise UsageError(f"--out must be a .npy file in a directory that exists, not {path}")
    if arguments.name not in INITIALIZERS:
        from initperf.schemes import SCHEMES

        with usage():
            name = SCHEMES.canonical(arguments.name)
        raise UsageError(
            f"{name} sets a whole network: initperf info {name} shows one, initperf train trains "
            "one, and initperf.draw_network gives its arrays to Python"
        )
    with usage():
        rule = INITIALIZERS[arguments.name].replace(**parameters(arguments))
        weights = rule(
            tuple(arguments.shape),
            rng=arguments.seed,
            stream=arguments.stream,
            dtype=arguments.dtype,
            backend=arguments.backend,
        )
    shape = " x ".join(map(str, weights.shape))
    if path is not None:
        try:
            with replacing(path) as temporary:
                np.save(temporary, weights)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error}") from None
        print(f"wrote {path}: {rule.name}, {shape}, {weights.dtype}")
    elif weights.size:
        mean, std = moments(weights)
        print(
            f"{rule.name}, {shape}, {weights.dtype}: mean {mean:.6g}, std {std:.6g}, "
            f"from {weights.min():.6g} to {weights.max():.6g}"
        )
    else:
        print(f"{rule.name}, {shape}, {weights.dtype}: no elements")
