"""Progress and figures in a notebook, as nbclient runs it: one output each, without widgets."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

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
import initperf
from IPython.display import DisplayHandle
updates = []
update = DisplayHandle.update
DisplayHandle.update = lambda self, shown: (updates.append(repr(shown)), update(self, shown))
with initperf.progress("steps") as tell:
    for done in range(1, 10_001):
        tell(done, 10_000, "")
print(len(updates))
"""
FIGURE = """\
from initperf_figures import draw
draw("weight_histograms", ["he_normal"], size="slide")
"""


def executed(source, **options):
    """Return the outputs of a notebook's one cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=120, kernel_name="python3", **options).execute()
    return notebook.cells[0].outputs


def test_training_has_one_display_that_ends_with_all_done():
    (shown,) = executed(TRAINING)
    assert shown.output_type == "display_data"
    assert set(shown.data) == {"text/plain", "text/html"}
    assert shown.data["text/plain"].startswith("training: 3 of 3 epochs 0:")
    assert '<progress max="3" value="3" aria-label="training">' in shown.data["text/html"]


def test_what_was_stopped_says_so_and_how_far_it_came():
    shown, error = executed(STOPPED, allow_errors=True)
    assert error.ename == "KeyboardInterrupt"
    assert shown.data["text/plain"] == "a <sweep>: 1 of 4 he_normal 0:00 (stopped)"
    assert "a &lt;sweep&gt;" in shown.data["text/html"]
    with pytest.raises(CellExecutionError):
        executed(STOPPED)


def test_ten_thousand_steps_send_few_messages():
    shown, counted = executed(OFTEN)
    assert shown.data["text/plain"].startswith("steps: 10000 of 10000 ")
    # ten a second, and two at the end; the loop takes milliseconds
    assert 2 <= int(counted.text) < 100


def test_a_figure_is_shown_without_a_magic():
    (shown,) = executed(FIGURE)
    assert "image/png" in shown.data
