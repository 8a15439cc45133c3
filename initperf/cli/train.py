"""``initperf train``: training of one network."""

import argparse

from initperf.cli._arguments import add_json, add_training, experiments, outcome
from initperf.cli._output import progress, show
from initperf.errors import UsageError

HELP = "train one network and print the result; --out keeps every step"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_training(parser, many=False)
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train and print the run.

    Raises
    ------
    UsageError
        When the options describe several experiments.
    """
    from initperf import data
    from initperf.training.store import RunStore
    from initperf.training.train import train

    chosen = experiments(arguments)
    if len(chosen) != 1:
        raise UsageError("train takes one value for each option; initperf sweep takes several")
    dataset = data.load(chosen[0].dataset, arguments.data_dir)
    store = RunStore(arguments.out) if arguments.out else None
    with progress("training") as tell:
        finished = train(chosen[0], dataset=dataset, progress=tell)
    row = outcome(finished)
    if store is not None:
        row["kept_in"] = str(store.save(finished))
    show([row], arguments.json)
