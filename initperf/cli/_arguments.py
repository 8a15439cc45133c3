"""Options that several verbs share."""

import argparse
import ast
from typing import Any

from initperf.cli._output import usage
from initperf.errors import UsageError

OF_ACTIVATIONS = "initperf.activations:ACTIVATIONS"
OF_DATASETS = "initperf.data:DATASETS"
OF_INITIALIZERS = "initperf.initializers:INITIALIZERS"
OF_SCHEMES = "initperf.schemes:SCHEMES"

_REGISTRIES = {
    "--initializer": (OF_INITIALIZERS, OF_SCHEMES),
    "--activation": (OF_ACTIVATIONS,),
    "--optimizer": ("initperf.optimizers:OPTIMIZERS",),
}


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def named(action: argparse.Action, *registries: str) -> None:
    """Say of which registries, ``module:name``, an argument takes names: a shell completes them."""
    vars(action)["registries"] = registries


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add ``--set``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter of the rule, as gain=2 or mode=fan_out; may be given several times",
    )


def parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what ``--set`` gives: numbers, tuples, True, False and None, or else words."""
    given: dict[str, Any] = {}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set must be PARAMETER=VALUE, as gain=2, not {text!r}")
        if name in given:
            raise UsageError(f"--set gives {name} twice")
        try:
            given[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            given[name] = value
    return given


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--data-dir``."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where IDX files lie, plain or .gz, torchvision's layout included; "
        "the environment variable INITPERF_DATA says the same",
    )


def add_training(parser: argparse.ArgumentParser, many: bool) -> None:
    """Add the fields of an experiment; with `many`, each takes a list, separated by commas."""
    example = "; several, separated by commas, make a grid" if many else ""
    for flag, default, text in (
        ("--initializer", "he_normal", "which initializer (see initperf list)"),
        ("--activation", "relu", "activation of the hidden layers"),
        ("--seed", "0", "seed of the weights and of the order of the images"),
        ("--learning-rate", "0.1", "the rate, or the highest of a schedule"),
        ("--batch-size", "128", "images a step"),
        ("--optimizer", "sgd", "sgd, momentum, nesterov or adam"),
    ):
        action = parser.add_argument(flag, default=default, metavar="X", help=f"{text}{example}")
        if flag in _REGISTRIES:
            named(action, *_REGISTRIES[flag])
    parser.add_argument(
        "--hidden", default="512-256-128", metavar="W-W", help="widths of the hidden layers"
    )
    dataset = parser.add_argument(
        "--dataset", default="mnist", metavar="NAME", help="see initperf data"
    )
    named(dataset, OF_DATASETS)
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="passes over the data")
    typed: tuple[tuple[str, type, Any, str], ...] = (
        ("--momentum", float, 0.9, "of momentum and nesterov"),
        ("--weight-decay", float, 0.0, "how much of a weight is added to its gradient"),
        ("--schedule", str, "constant", "constant, triangular or cosine"),
        ("--base-rate", float, None, "lowest rate of a schedule (default: a hundredth)"),
        ("--half-cycle", int, 2000, "steps that triangular rises, and falls, for"),
        ("--warm-up-steps", int, 0, "steps that cosine rises for"),
        ("--clip-norm", float, None, "largest norm of a gradient"),
        ("--clip", str, "layer", "whether the norm is of each layer, or global"),
        ("--biases", str, "zeros", "zeros, constant (0.01) or fan_in_uniform (PyTorch's)"),
    )
    for flag, kind, initial, text in typed:
        parser.add_argument(flag, type=kind, default=initial, metavar="X", help=text)
    parser.add_argument(
        "--histogram-steps",
        default="",
        metavar="N,N",
        help="steps at which --out keeps histograms of activations and gradients",
    )
    add_residual(parser)
    parser.add_argument("--dtype", default="float32", metavar="T", help="float32 or float64")
    parser.add_argument("--backend", default="numba", metavar="B", help="numba or numpy")
    parser.add_argument("--record", default="step", metavar="R", help="step, epoch or none")
    parser.add_argument("--out", metavar="DIR", help="keep each run in this directory, as Parquet")
    add_data(parser)


def add_residual(parser: argparse.ArgumentParser) -> None:
    """Add the option of residual blocks."""
    parser.add_argument(
        "--residual",
        type=int,
        nargs="?",
        const=1,
        default=0,
        metavar="N",
        help="blocks of so many hidden layers, by default 1, add their input to their output",
    )


def experiments(arguments: argparse.Namespace) -> list[Any]:
    """Make the experiments that the options describe."""
    from initperf.training.experiment import grid

    with usage():
        return list(
            grid(
                initializer=arguments.initializer.split(","),
                activation=arguments.activation.split(","),
                learning_rate=[float(x) for x in arguments.learning_rate.split(",")],
                batch_size=[int(x) for x in arguments.batch_size.split(",")],
                seed=[int(x) for x in arguments.seed.split(",")],
                hidden=tuple(int(width) for width in arguments.hidden.split("-") if width),
                dataset=arguments.dataset,
                epochs=arguments.epochs,
                histogram_steps=tuple(int(x) for x in arguments.histogram_steps.split(",") if x),
                optimizer=arguments.optimizer.split(","),
                **{
                    name: getattr(arguments, name)
                    for name in (
                        *("momentum", "weight_decay", "schedule", "base_rate", "half_cycle"),
                        *("warm_up_steps", "clip_norm", "clip", "biases", "residual"),
                    )
                },
                dtype=arguments.dtype,
                backend=arguments.backend,
                record=arguments.record,
            )
        )


def outcome(run: Any) -> dict[str, Any]:
    """Return a run in one row."""
    experiment = run.experiment
    return {
        "run": run.name,
        "initializer": experiment.initializer,
        "activation": experiment.activation,
        "seed": experiment.seed,
        "data": f"{run.dataset['dataset']} ({run.dataset['dataset_size']:,})",
        "status": run.status,
        "diverged_step": run.diverged_step,
        "test_accuracy": run.test_accuracy,
        "train_s": run.train_seconds,
        "compile_s": run.compile_seconds,
    }
