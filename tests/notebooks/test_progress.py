"""Progress and figures in a notebook, as nbclient runs it: one output each, without widgets."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

TRAINING = """\
import initperf
experiment = initperf.Experiment("he_normal", "relu", hidden=(8,), epochs=3)
with initperf.progress("training") as tell:
    run = initperf.train(experiment, progress=tell)
"""
STOPPED = """\
import initperf
with initperf.progress("a <sweep>") as tell:
    tell(1, 4, "he_normal")
    raise KeyboardInterrupt
"""
OFTEN = """\
import time
import initperf
from IPython.display import DisplayHandle
updates = []
update = DisplayHandle.update
DisplayHandle.update = lambda self, shown: (updates.append(repr(shown)), update(self, shown))
begin = time.monotonic()
with initperf.progress("steps") as tell:
    for done in range(1, 10_001):
        tell(done, 10_000, "")
print(len(updates), time.monotonic() - begin)
"""
FIGURE = """\
from initperf_figures import draw
draw("weight_histograms", ["he_normal"], size="slide")
"""


CELLS = {"training": TRAINING, "stopped": STOPPED, "often": OFTEN, "figure": FIGURE}


@pytest.fixture(scope="module")
def outputs():
    """Return the outputs of each cell, run one after another by one kernel."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=600, kernel_name="python3", allow_errors=True).execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def test_training_has_one_display_that_ends_with_all_done(outputs):
    (shown,) = outputs["training"]
    assert shown.output_type == "display_data"
    assert set(shown.data) == {"text/plain", "text/html"}
    assert shown.data["text/plain"].startswith("training: 3 of 3 epochs 0:")
    assert '<progress max="3" value="3" aria-label="training">' in shown.data["text/html"]


def test_what_was_stopped_says_so_and_how_far_it_came(outputs):
    shown, error = outputs["stopped"]
    assert error.ename == "KeyboardInterrupt"
    told = r"a <sweep>: 1 of 4 he_normal \d+:\d\d \(stopped\)"
    assert re.fullmatch(told, shown.data["text/plain"])
    assert "a &lt;sweep&gt;" in shown.data["text/html"]


def test_ten_thousand_steps_send_few_messages(outputs):
    shown, counted = outputs["often"]
    assert shown.data["text/plain"].startswith("steps: 10000 of 10000 ")
    # ten a second, the first at once, and two at the end
    messages, seconds = map(float, counted.text.split())
    assert 2 <= messages <= 10 * seconds + 3


def test_a_figure_is_shown_without_a_magic(outputs):
    (shown,) = outputs["figure"]
    assert "image/png" in shown.data
