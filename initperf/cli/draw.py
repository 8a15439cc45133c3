"""``initperf draw``: weights of one initializer, or of a PyTorch model, written or described."""

import argparse

from initperf._core.text import one_line
from initperf.cli._arguments import (
    OF_INITIALIZERS,
    add_backend,
    add_dtype,
    check_name,
    integer,
    length,
    named,
)
from initperf.cli._output import moments, show, usage
from initperf.cli._output_files import output_file
from initperf.cli._pairs import no_effect
from initperf.cli._parameters import add_parameters, parameters
from initperf.errors import UsageError

HELP = "draw weights, or all parameters of a PyTorch model, into a file, or describe them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    name = parser.add_argument("name", metavar="NAME", nargs="?", help="see initperf list")
    named(name, OF_INITIALIZERS)
    parser.add_argument("shape", metavar="N", type=length, nargs="*", help="shape, such as 784 256")
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
    add_dtype(parser, "float16", "bfloat16")
    parser.set_defaults(dtype=None)  # float32, or that of the model
    add_backend(parser)
    parser.add_argument(
        "--out", metavar="FILE", help="file to write: .npy for weights, .safetensors for a model"
    )
    model = parser.add_argument_group("a PyTorch model, instead of NAME and N")
    model.add_argument(
        "--model", metavar="MODULE:FACTORY", help="function without arguments that builds it"
    )
    model.add_argument("--recipe", metavar="R", help="recipe or initializer, such as gpt2")
    model.add_argument("--plan", action="store_true", help="print the rule of each parameter")
    model.add_argument("--json", action="store_true", help="print the plan as JSON")
    no_effect(parser, "--recipe", "--plan", "--json", without="--model")
    no_effect(parser, "--stream", "--backend", beside="--model")
    no_effect(parser, "--json", without="--plan")
    no_effect(parser, "--seed", "--dtype", beside="--plan", without="--out")


def run(arguments: argparse.Namespace) -> None:
    """Draw and write or describe."""
    if arguments.model is not None:
        _run_model(arguments)
        return
    if arguments.name is None or not arguments.shape:
        raise UsageError("give NAME and a shape, as he_normal 784 256, or --model and --recipe")
    check_name(arguments.name)
    if arguments.dtype == "bfloat16":
        raise UsageError("--dtype bfloat16 belongs to --model: .npy files have no such type")
    import numpy as np

    from initperf._core.storage import replacing
    from initperf.initializers import INITIALIZERS

    path = output_file("--out", arguments.out, ".npy")
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
            dtype=arguments.dtype or "float32",
            backend=arguments.backend,
        )
    shape = " x ".join(map(str, weights.shape))
    if path is not None:
        try:
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.save(file, weights)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
        print(one_line(f"wrote {path}: {rule.name}, {shape}, {weights.dtype}"))
    elif weights.size:
        mean, std = moments(weights)
        print(
            f"{rule.name}, {shape}, {weights.dtype}: mean {mean:.6g}, std {std:.6g}, "
            f"from {weights.min():.6g} to {weights.max():.6g}"
        )
    else:
        print(f"{rule.name}, {shape}, {weights.dtype}: no elements")


def _run_model(arguments: argparse.Namespace) -> None:
    """Draw a model of PyTorch into a file of safetensors, or print its plan."""
    if arguments.name is not None or arguments.recipe is None:
        raise UsageError("--model takes --recipe, and neither NAME nor a shape")
    path = output_file("--out", arguments.out, ".safetensors")
    if path is None and not arguments.plan:
        raise UsageError("--model takes --out FILE.safetensors, or --plan")
    import initperf.torch
    from initperf.torch.shell import build, save

    model, options = build(arguments.model), parameters(arguments)
    with usage():
        if arguments.plan:
            show(initperf.torch.plan(model, arguments.recipe, **options).records(), arguments.json)
        if path is not None:
            count = save(
                model,
                arguments.recipe,
                path,
                seed=arguments.seed,
                dtype=arguments.dtype,
                options=options,
            )
            print(one_line(f"wrote {path}: {arguments.recipe}, {count:,} values"))
