"""Every figure in the catalogue, drawn from plausible tables and measured on its canvas."""

from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from synthetic_tables import Tables, synthetic_tables

from initperf_figures import FIGURES, register
from initperf_figures._style import look


@pytest.fixture(scope="module")
def few() -> Tables:
    """Five initializers and three activations, one of which nobody drew before."""
    names = ("zeros", "glorot_uniform", "he_normal", "orthogonal", "large_normal")
    activations = ("relu", "tanh", "gelu")
    return synthetic_tables(names=names, activations=activations, epochs=3, steps_per_epoch=8)


@pytest.fixture(scope="module")
def many() -> Tables:
    """25 initializers, one of which no palette knows."""
    tables = synthetic_tables(more=True, epochs=3, steps_per_epoch=8)
    for name in ("runs", "signal", "weights", "weight_statistics", "bounds"):
        table = tables[name]
        tables[name] = table.replace({"initializer": {"lsuv": "brand_new_rule"}})
    return tables


def _drawn_texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Bbox]]:
    """Draw the figure; return the boxes, in pixels, of each text that appeared."""
    drawn: list[Text] = []
    draw = Text.draw

    def record(self: Text, renderer: object, *rest: object) -> None:
        if self.get_visible() and self.get_text().strip():
            drawn.append(self)
        draw(self, renderer, *rest)

    with look(), monkeypatch.context() as patch:
        patch.setattr(Text, "draw", record)
        figure.draw_without_rendering()
    boxes: dict[str, list[Bbox]] = {}
    for text in dict.fromkeys(drawn):
        boxes.setdefault(text.get_text(), []).append(Text.get_window_extent(text))
    return boxes


def _panels(figure: Figure) -> Iterator[Axes]:
    return (axes for axes in figure.axes if axes.axison)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_labelled_panels_with_something_in_each(name: str, few: Tables) -> None:
    figure = FIGURES[name].render(few)
    panels = list(_panels(figure))
    assert panels
    above = figure.get_supxlabel(), figure.get_supylabel()
    for axes in panels:
        assert axes.lines or axes.patches or axes.collections, axes.get_title(loc="left")
    for which, shared in zip("xy", above, strict=True):
        labels = [getattr(axes, f"get_{which}label")() for axes in panels]
        named = [axes.get_title(loc="left") for axes in panels]
        ticks = [label.get_text() for axes in panels for label in axes.get_yticklabels()]
        assert shared or any(labels) or (which == "y" and (any(named) or any(ticks)))


@pytest.mark.parametrize("amount", ["few", "many"])
@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_canvas_or_covers_another(
    name: str, amount: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = FIGURES[name].render(request.getfixturevalue(amount))
    boxes = _drawn_texts(figure, monkeypatch)
    words = [text for text, places in boxes.items() for _ in places]
    # x0, y0, x1, y1 of each text; half a pixel of anti-aliasing may touch
    edges = np.array([box.extents for places in boxes.values() for box in places])
    edges += [0.5, 0.5, -0.5, -0.5]
    width, height = figure.bbox.size
    outside = (edges < -0.5).any(axis=1) | (edges[:, 2] > width) | (edges[:, 3] > height)
    assert not [word for word, out in zip(words, outside, strict=True) if out]
    left, low, right, high = (edges[:, index] for index in range(4))
    across = (left[:, None] < right) & (left < right[:, None])
    along = (low[:, None] < high) & (low < high[:, None])
    pairs = np.argwhere(np.triu(across & along, 1))
    assert not [(words[first], words[second]) for first, second in pairs]


def test_the_look_is_gone_after_drawing(few: Tables) -> None:
    before = dict(matplotlib.rcParams)
    FIGURES["bounds"].render(few)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", FIGURES)
def test_a_caption_is_a_few_plain_sentences(name: str, few: Tables) -> None:
    caption = FIGURES[name].describe(few)
    assert 60 < len(caption) < 600
    assert caption.endswith(".")
    assert "nan" not in caption


@pytest.mark.parametrize("name", [name for name in FIGURES if "runs" in FIGURES[name].needs])
def test_runs_on_different_data_are_not_compared(name: str, few: Tables) -> None:
    runs = few["runs"].copy()
    runs.loc[runs.index[-1], "dataset_digest"] = "0ther"
    with pytest.raises(ValueError, match="0ther, 5e1c0de5"):
        FIGURES[name].render(few | {"runs": runs})


def test_runs_with_different_settings_are_not_compared(few: Tables) -> None:
    runs = few["runs"].copy()
    runs.loc[runs["seed"] == 0, "learning_rate"] = 0.5
    with pytest.raises(ValueError, match=r"gelu differ in learning_rate \(0\.1, 0\.5\)"):
        FIGURES["final_accuracy"].render(few | {"runs": runs})


def test_a_setting_may_differ_between_activations(few: Tables) -> None:
    runs = few["runs"].copy()
    runs.loc[runs["activation"] == "tanh", "learning_rate"] = 0.5
    assert FIGURES["final_accuracy"].render(few | {"runs": runs}).axes


def test_a_figure_names_the_tables_it_lacks() -> None:
    figure = FIGURES["training_curves"]
    assert figure.missing({"runs": pd.DataFrame({"run": [1]}), "steps": pd.DataFrame()}) == [
        "steps",
        "epochs",
    ]


def test_one_seed_one_initializer_and_nothing_but_divergence_can_be_drawn() -> None:
    tables = synthetic_tables(seeds=1, activations=("relu",), epochs=2, steps_per_epoch=5)
    only = {"initializer": "large_normal"}
    for name in ("runs", "signal", "weights", "weight_statistics"):
        tables[name] = tables[name][tables[name]["initializer"] == only["initializer"]]
    runs = tables["runs"].assign(status="diverged", diverged_step=1, test_accuracy=np.nan)
    tables["runs"] = runs
    for name in ("steps", "epochs", "layers"):
        tables[name] = tables[name][tables[name]["run"].isin(runs["run"])]
    tables["steps"] = tables["steps"].iloc[:1].assign(loss=np.nan)
    tables["epochs"] = tables["epochs"].iloc[:1]
    tables["layers"] = tables["layers"][tables["layers"]["step"] == 1]
    for figure in FIGURES.values():
        figure.render(tables).draw_without_rendering()


@pytest.mark.parametrize(
    ("name", "section", "complaint"),
    [("../up", "more", "lower case"), ("new", "nowhere", "unknown section 'nowhere'")],
)
def test_a_figure_that_could_not_be_filed_is_refused(
    name: str, section: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        register(name, title="", caption="", needs=(), draw=lambda _: Figure(), section=section)
    assert name not in list(FIGURES)


def test_a_deep_network_shows_first_and_last_layer(few: Tables) -> None:
    layers = [few["layers"].assign(layer=few["layers"]["layer"] + 4 * more) for more in range(5)]
    figure = FIGURES["weight_drift"].render(few | {"layers": pd.concat(layers)})
    legends = [legend for axes in figure.axes if (legend := axes.get_legend())]
    words = [text.get_text() for text in legends[0].get_texts()]
    assert (words[0], words[-1], len(words)) == ("layer 1", "layer 20", 6)


def test_runs_without_layers_leave_their_rows_empty(few: Tables) -> None:
    layers = few["layers"]
    figure = FIGURES["weight_drift"].render(
        few | {"layers": layers[layers["run"].str.contains("he_normal-relu")]}
    )
    assert len(list(_panels(figure))) == 3
