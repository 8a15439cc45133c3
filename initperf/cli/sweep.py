"""``initperf sweep``: training of a grid of networks, side by side."""

import argparse

from initperf.cli._arguments import add_json, add_training, experiments, outcome
from initperf.cli._output import progress, show

HELP = "train a grid of networks side by side; runs kept in --out are not trained again"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_training(parser, many=True)
    parser.add_argument(
        "--workers", type=int, metavar="N", help="runs at a time; by default as many as processors"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train the grid and print a row a run."""
    from initperf import data
    from initperf.training.store import RunStore
    from initperf.training.sweep import sweep

    chosen = experiments(arguments)
    names = dict.fromkeys(one.dataset for one in chosen)
    datasets = {name: data.load(name, arguments.data_dir) for name in names}
    with progress("training") as tell:
        runs = sweep(
            chosen,
            workers=arguments.workers,
            store=RunStore(arguments.out) if arguments.out else None,
            datasets=datasets,
            progress=tell,
        )
    show([outcome(one) for one in runs], arguments.json)
