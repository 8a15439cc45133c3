"""``initperf train``: training of one network."""

import argparse

from initperf.cli._arguments import add_json
from initperf.cli._outcomes import outcome
from initperf.cli._output import progress, show
from initperf.cli._settings import add_training, experiments

HELP = "train one network and print the result; --out keeps every step"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_training(parser, many=False)
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train and print the run."""
    (experiment,) = experiments(arguments, many=False)

    from initperf.training._data import load_data
    from initperf.training.store import RunStore
    from initperf.training.train import train

    dataset = load_data(experiment, arguments.data_dir)
    store = RunStore(arguments.out) if arguments.out else None
    with progress("training") as tell:
        finished = train(experiment, dataset=dataset, progress=tell)
    row = outcome(finished)
    if store is not None:
        row["kept_in"] = str(store.save(finished))
    show([row], arguments.json)
