"""Trials on the data of Debian's r-cran-mlbench, which are read where it is installed."""

import os
from pathlib import Path

import numpy as np
import pytest
import rdata

from initperf import Experiment, data, train
from initperf.data import from_arrays

LIBRARY = Path(os.environ.get("R_LIBS_SITE", "/usr/lib/R/site-library"), "mlbench", "data")

pytestmark = [
    pytest.mark.skipif(not LIBRARY.is_dir(), reason="Debian's r-cran-mlbench is not installed"),
    pytest.mark.filterwarnings("ignore:Unknown encoding:UserWarning"),
]


def frame(name):
    """Return a data set of mlbench as a table."""
    (table,) = rdata.read_rda(LIBRARY / f"{name}.rda").values()
    return table


# The least accuracies are those of a linear classifier, rounded down: 0.7 of Letter Recognition
# (Frey & Slate 1991 and after), 0.8 of Satellite; of Shuttle the share of the commonest class.
@pytest.mark.parametrize(
    ("name", "target", "classes", "features", "least"),
    [
        ("LetterRecognition", "lettr", 26, 16, 0.7),
        ("Shuttle", "Class", 7, 9, 0.8),
        ("Satellite", "classes", 6, 36, 0.8),
    ],
)
def test_classes_are_told_apart(name, target, classes, features, least):
    table = frame(name)
    labels = table.pop(target).astype(str).to_numpy(str)
    dataset = from_arrays(table.to_numpy(), labels, name=name)
    assert (dataset.classes, dataset.train_images.shape[1]) == (classes, features)
    run = train(Experiment(hidden=(64, 32), epochs=10, record="none"), dataset=dataset)
    assert (run.status, run.test_accuracy > least) == ("finished", True)


def test_a_table_of_letters_is_read(tmp_path):
    frame("LetterRecognition").to_csv(tmp_path / "letters.csv", index=False)
    found = data.load(f"{tmp_path / 'letters.csv'}#lettr")
    assert "".join(found.class_names) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_prices_of_houses_are_predicted():
    table = frame("BostonHousing").astype(float)
    prices = table.pop("medv").to_numpy()
    dataset = from_arrays(table.to_numpy(), prices, name="BostonHousing")
    experiment = Experiment(
        loss="squared_error", hidden=(32,), epochs=100, batch_size=32, learning_rate=0.03
    )
    runs = [train(experiment.replace(seed=seed), dataset=dataset) for seed in range(3)]
    # linear regression explains 0.74 of the variance of all rows
    assert np.mean([run.test_r2 for run in runs]) > 0.74
