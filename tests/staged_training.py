"""Training of maps and studies on one worker, without progress."""

import contextlib

from initperf.report.trainability.staged import StagedTraining
from initperf.training.sweep import Workers


def training(dataset, store=None, budget=None, kind=StagedTraining):
    return kind(
        stages=lambda title: contextlib.nullcontext(lambda done, total, label: None),
        workers=Workers(1, time_budget=budget),
        store=store,
        datasets={"mnist": dataset},
        notice=lambda text: None,
    )
