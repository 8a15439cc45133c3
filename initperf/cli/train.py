"""``initperf train``: training of one network."""

import argparse
from contextlib import nullcontext

from initperf.cli._arguments import add_json
from initperf.cli._figures import from_figures
from initperf.cli._kept_runs import kept_runs
from initperf.cli._outcomes import outcome
from initperf.cli._output import progress, show
from initperf.cli._settings import add_training, experiments

HELP = "train one network and print the result; --out keeps every step"
FRAMES = 200
"""Frames of a movie, each a step."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_training(parser, many=False)
    parser.add_argument(
        "--movie",
        metavar="FILE",
        help=f"write a movie of the activations in the first {FRAMES} steps: a .gif, or an .mp4",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train and print the run."""
    (experiment,) = experiments(arguments, many=False)

    from initperf.training._data import load_data
    from initperf.training.train import train

    if arguments.movie:
        from_figures("check_movie")(arguments.movie)
    dataset = load_data(experiment, arguments.data_dir)
    movie = from_figures("movie") if arguments.movie else None
    if movie is not None and not experiment.histogram_steps:
        count = len(dataset.train_images)
        steps = experiment.epochs * -(-count // min(experiment.batch_size, count))
        wanted = tuple(range(1, min(FRAMES, steps) + 1))
        experiment = experiment.replace(histogram_steps=wanted)
    keeping = kept_runs(arguments.out) if arguments.out else nullcontext()
    with keeping as store, progress("training") as tell:
        finished = train(experiment, dataset=dataset, progress=tell)
        row = outcome(finished)
        if store is not None:
            row["kept_in"] = str(store.save(finished))
    if movie is not None:
        row["movie"] = str(movie(finished, arguments.movie))
    show([row], arguments.json)
