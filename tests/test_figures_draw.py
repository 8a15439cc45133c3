"""Figures from Python: sources of tables, sizes, selections, and what a notebook shows."""

import io
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_tables import Tables, synthetic_tables

from initperf import INITIALIZERS, Experiment, Run, train
from initperf.data import Dataset
from initperf.errors import UsageError
from initperf.training.store import RunStore
from initperf_figures import SIZES, draw
from initperf_figures._figure import FIGURES

SMALL = Experiment(hidden=(6, 5, 4), epochs=1, batch_size=50, backend="numpy")


@pytest.fixture(scope="module")
def runs(blobs: Dataset) -> list[Run]:
    names = ("he_normal", "orthogonal")
    return [train(SMALL.replace(initializer=name), dataset=blobs) for name in names]


@pytest.fixture(scope="module")
def tables() -> Tables:
    names = ("zeros", "he_normal", "orthogonal")
    return synthetic_tables(names=names, epochs=2, steps_per_epoch=4)


@pytest.mark.parametrize(
    "name", ["activation_variance", "gradient_size", "training_curves", "final_accuracy"]
)
def test_figures_of_runs(name: str, runs: list[Run]) -> None:
    figure = draw(name, runs)
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    words += [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    for axes in figure.axes:
        legend = axes.get_legend()
        words += [text.get_text() for text in legend.get_texts()] if legend else []
    assert {"he_normal", "orthogonal"} <= set(words)


def test_the_signal_of_a_run_is_that_of_its_first_step(runs: list[Run]) -> None:
    figure = draw("activation_variance", runs[0])
    (line,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3][:1]
    layers = runs[0].layers
    first = layers[(layers["step"] == 1) & (layers["layer"] <= 3)]
    np.testing.assert_allclose(line.get_ydata(), first["activation_variance"])


def test_a_store_gives_the_figures_of_its_runs(runs: list[Run], tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    for run in runs:
        store.save(run)
    assert _png(draw("final_accuracy", store)) == _png(draw("final_accuracy", runs))


def test_runs_of_other_settings_have_a_panel_of_their_own(runs: list[Run], blobs: Dataset) -> None:
    deep = train(SMALL.replace(hidden=(4, 4, 4, 4)), dataset=blobs)
    figure = draw("activation_variance", [*runs, deep])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["ReLU (4 × 4)", "ReLU (6-5-4)"]


@pytest.mark.slow
def test_a_report_on_disk_and_its_tables_give_the_same_figure(
    tables: Tables, tmp_path: Path
) -> None:
    (tmp_path / "tables").mkdir()
    for name, table in tables.items():
        table.to_parquet(tmp_path / "tables" / f"{name}.parquet")
    expected = _png(draw("weight_drift", tables))
    assert _png(draw("weight_drift", tmp_path)) == expected
    assert _png(draw("weight_drift", str(tmp_path))) == expected


def test_initializers_are_drawn_by_name_and_as_objects() -> None:
    wide = INITIALIZERS["he_normal"].replace(gain=3.0)
    figure = draw("weight_histograms", ["xavier", wide])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["glorot_normal", "he_normal(gain=3.0)"]
    assert draw("weight_histograms", wide).axes[0].get_title(loc="left") == titles[1]


@pytest.mark.parametrize("name", SIZES)
def test_a_figure_has_the_width_of_its_size_and_its_text_the_page_s(
    name: str, tables: Tables
) -> None:
    figure = draw("activation_variance", tables, size=name)
    assert figure.get_size_inches()[0] == pytest.approx(SIZES[name])
    page = draw("activation_variance", tables)
    assert figure.axes[0].title.get_fontsize() == page.axes[0].title.get_fontsize()
    columns = {round(axes.get_subplotspec().colspan.start) for axes in figure.axes}
    assert columns == ({0, 1} if name == "page" else {0})


def test_a_selection_shows_nothing_else(tables: Tables) -> None:
    figure = draw("training_curves", tables, initializers=["zeros"], activations="tanh")
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles == ["tanh: training loss", "tanh: test accuracy (%)"]
    with pytest.raises(UsageError, match="no initializer he_uniform here; there are constant, "):
        draw("training_curves", tables, initializers="he_uniform")


def test_what_a_source_lacks_is_named_with_what_it_can_be_drawn_as(tables: Tables) -> None:
    some = {name: tables[name] for name in ("bounds", "machine")}
    with pytest.raises(UsageError, match=r"needs signal, which .* drawn as bounds$"):
        draw("gradient_size", some)
    with pytest.raises(ValueError, match="did you mean 'gradient_size'"):
        draw("gradient_sizes", some)
    with pytest.raises(UsageError, match="not float"):
        draw("gradient_size", 1.0)
    with pytest.raises(ValueError, match=r"initializer 'reports'.* nor is there a directory"):
        draw("weight_histograms", "reports")
    with pytest.raises(UsageError, match="an empty source"):
        draw("gradient_size", [])
    with pytest.raises(ValueError, match="'poster'"):
        draw("bounds", some, size="poster")
    with pytest.raises(ValueError, match="not 0"):
        draw("bounds", some, size=0)


def test_a_directory_of_runs_says_how_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="RunStore"):
        draw("bounds", tmp_path)


def test_a_notebook_shows_a_figure_at_the_size_of_the_page(tables: Tables) -> None:
    figure = draw("bounds", tables)
    image, shown = figure._repr_png_()
    wide, tall = struct.unpack(">II", image[16:24])
    assert shown["width"] == round(10.8 * 96)
    assert (wide, tall) == (
        pytest.approx(2 * shown["width"], abs=2),
        pytest.approx(2 * shown["height"], abs=2),
    )


def test_a_saved_figure_has_the_style_of_the_report(tables: Tables) -> None:
    text = io.StringIO()
    draw("bounds", tables).savefig(text, format="svg")
    assert "font-family: 'DejaVu Sans', sans-serif" in text.getvalue()  # text, as the style has it


def _png(figure: object) -> bytes:
    return figure._repr_png_()[0]


@pytest.mark.slow
def test_every_figure_is_drawn_at_every_size(tables: Tables) -> None:
    for name in ("activation_variance", "weight_histograms", "learning_rates", "weight_drift"):
        for size in SIZES:
            assert draw(name, tables, size=size).axes


def test_tables_are_left_as_they_were(tables: Tables) -> None:
    before = {name: table.copy() for name, table in tables.items()}
    draw("final_accuracy", tables, initializers="zeros")
    for name, table in before.items():
        pd.testing.assert_frame_equal(tables[name], table)
    assert set(FIGURES) >= {"final_accuracy"}
