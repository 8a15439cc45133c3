"""Every figure in the catalogue, drawn from plausible tables and measured on its canvas."""

import re
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

from initperf_figures import FIGURES, ReportFigure, canvas, register
from initperf_figures._figure import WORKLOAD
from initperf_figures._style import look

MATHS = r"a $\frac{1}$ $b_"
NAMING = {"final_accuracy", "training_curves", "speed", "weight_histograms", "activation_variance"}
"""Figures that name the initializers, or methods, that `dollars` renames."""


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


@pytest.mark.exhaustive(keep=4)
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


@pytest.mark.exhaustive(keep=4)
@pytest.mark.parametrize("amount", ["few", pytest.param("many", marks=pytest.mark.slow)])
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


@pytest.fixture(scope="module")
def dollars(few: Tables) -> Tables:
    """Names that matplotlib would read as mathematics, and as mathematics that is wrong."""
    tables = {
        name: table.replace({"initializer": {"he_normal": MATHS}}) for name, table in few.items()
    }
    speed = tables["speed"].copy()
    rivals = speed["role"] == "rival"
    speed.loc[rivals, "method"] = "$x_" + speed.loc[rivals, "method"] + "^{$"
    tables["speed"] = speed
    return tables


@pytest.mark.exhaustive(keep=3)
@pytest.mark.parametrize("name", FIGURES)
def test_names_with_dollar_signs_are_drawn_as_they_are(
    name: str, dollars: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = FIGURES[name].render(dollars)
    _drawn_texts(figure, monkeypatch)  # wrong mathematics would raise here
    texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
    assert not [text.get_text() for text in texts if text.get_parse_math()]
    assert not [text.get_text() for text in texts if "mathdefault" in text.get_text()]
    assert texts or name not in NAMING


@pytest.mark.exhaustive(keep=3)
@pytest.mark.parametrize("name", FIGURES)
def test_no_words_name_the_colours_of_ink_and_paper(name: str, few: Tables) -> None:
    """They change places on a page in dark colours."""
    figure = FIGURES[name]
    texts = [text.get_text() for text in figure.render(few).findobj(Text)]
    words = " ".join([*texts, figure.describe(few), figure.find(few)])
    assert not re.findall(r"\b(?:black|white|dark|bright)\b", words)


def test_powers_on_an_own_logarithmic_axis_are_plain_text() -> None:
    def drawn(_tables: Tables) -> Figure:
        figure = canvas(2.0)
        axes = figure.subplots()
        axes.plot([1e-3, 1e4], [0.02, 7.0])
        axes.set_xscale("log")
        axes.set_yscale("log")
        return figure

    figure = ReportFigure("own", "Own", "A line.", (), drawn).render({})
    with look():
        figure.draw_without_rendering()
    (axes,) = figure.axes
    words = [text.get_text() for text in axes.get_xticklabels() + axes.get_yticklabels()]
    assert {"10⁻³", "10⁴", "10⁻¹", "10⁰"} <= set(words)
    assert not [word for word in words if "$" in word]


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


@pytest.mark.parametrize("name", FIGURES)
def test_a_finding_is_one_plain_sentence_of_the_data(name: str, few: Tables) -> None:
    finding = FIGURES[name].find(few)
    assert 30 < len(finding) < 400
    assert finding.endswith(".")
    assert finding.count(". ") == 0
    assert "nan" not in finding
    assert any(digit in finding for digit in "0123456789")


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


@pytest.mark.slow
def test_one_seed_one_initializer_and_nothing_but_divergence_can_be_drawn() -> None:
    tables = synthetic_tables(seeds=1, activations=("relu",), epochs=2, steps_per_epoch=5)
    only = {"initializer": "large_normal"}
    for name in ("runs", "signal", "weights", "weight_statistics", "rates", "propagation"):
        tables[name] = tables[name][tables[name]["initializer"] == only["initializer"]]
    runs = tables["runs"].assign(status="diverged", diverged_step=1, test_accuracy=np.nan)
    tables["runs"] = runs
    for name in ("steps", "epochs", "layers", "histograms"):
        tables[name] = tables[name][tables[name]["run"].isin(runs["run"])]
    tables["steps"] = tables["steps"].iloc[:1].assign(loss=np.nan)
    tables["epochs"] = tables["epochs"].iloc[:1]
    tables["layers"] = tables["layers"][tables["layers"]["step"] == 1]
    for name, figure in FIGURES.items():
        drawn = figure.render(tables)
        drawn.draw_without_rendering()
        assert drawn.axes or drawn.texts, name


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
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert (words[0], words[-1], len(words)) == ("layer 1", "layer 20", 6)


def test_runs_without_layers_leave_their_rows_empty(few: Tables) -> None:
    layers = few["layers"]
    figure = FIGURES["weight_drift"].render(
        few | {"layers": layers[layers["run"].str.contains("he_normal-relu")]}
    )
    assert len(list(_panels(figure))) == 3


def _scaled(speed: pd.DataFrame, workload: str, sizes: list[str]) -> pd.DataFrame:
    rows = speed[(speed[WORKLOAD] == workload) & speed["size"].isin(sizes)]
    return pd.concat([speed[speed[WORKLOAD] != workload], rows])


def is_joined(axes: Axes, points: np.ndarray) -> bool:
    """Return whether a line, and not marks alone, goes through all of these points."""
    strokes = [line for line in axes.lines if line.get_linestyle() != "None"]
    return any(np.array_equal(line.get_xydata(), points) for line in strokes)


def test_lines_of_orthogonal_matrices_join_squares_and_end_at_their_times(few: Tables) -> None:
    figure = FIGURES["orthogonal_time"].render(few)
    times, shares = figure.axes
    speed = few["speed"]
    own = speed[(speed[WORKLOAD] == "orthogonal") & (speed["method"] == "Numba, 2 threads")]
    square = own[own["size"] != "784 x 256"]
    expected = square[["values", "median_s"]].to_numpy(float)
    assert is_joined(times, expected)
    share = square.assign(share=100 * square["limit_s"] / square["median_s"])
    assert is_joined(shares, share[["values", "share"]].to_numpy(float))
    ticks = [label.get_text() for label in times.get_xticklabels()]
    assert (ticks[0], ticks[-1]) == ("64²", "2048²")
    assert "784 × 256" in ticks


def test_nothing_that_was_measured_is_drawn_outside_the_axes(few: Tables) -> None:
    rows = few["speed"][few["speed"][WORKLOAD] == "orthogonal"]
    times, _ = FIGURES["orthogonal_time"].render(few).axes
    low, high = times.get_ylim()
    assert low < rows["limit_s"].min() < rows["high_s"].max() < high
    left, right = times.get_xlim()
    assert left < rows["values"].min() < rows["values"].max() < right


@pytest.mark.parametrize("sizes", [["784 x 256", "1024 x 1024"], ["784 x 256", "256 x 256"]])
def test_two_sizes_of_orthogonal_are_joined_whatever_their_shapes(
    sizes: list[str], few: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = _scaled(few["speed"], "orthogonal", sizes)
    figure = FIGURES["orthogonal_time"].render(few | {"speed": speed})
    assert "square" in FIGURES["orthogonal_time"].describe(few)
    assert "square" not in FIGURES["orthogonal_time"].describe(few | {"speed": speed})
    assert sum(len(line.get_xdata()) == 2 for line in figure.axes[0].lines) >= 4
    names = _drawn_texts(figure, monkeypatch)
    for method in ("PyTorch", "Numba, 1 thread", "Numba, 2 threads"):
        assert len(names[method]) == 2


def test_the_guide_grows_with_the_cube_of_the_side_above_all_times(few: Tables) -> None:
    times, _ = FIGURES["orthogonal_time"].render(few).axes
    (guide,) = [line for line in times.lines if line.get_linestyle() == ":"]
    (x0, y0), (x1, y1) = guide.get_xydata()
    assert y1 / y0 == pytest.approx((x1 / x0) ** 1.5)
    rows = few["speed"][few["speed"][WORKLOAD] == "orthogonal"]
    near = rows[rows["values"] >= x0]
    assert (near["high_s"] < y1 * (near["values"] / x1) ** 1.5).all()


def test_the_caption_of_orthogonal_names_the_fastest_at_the_largest_size(few: Tables) -> None:
    caption = FIGURES["orthogonal_time"].find(few)
    assert "At 2048 × 2048, Numba, 2 threads is the fastest with 120 ms" in caption
    assert "PyTorch takes 310 ms" in caption
    speed = few["speed"]
    ours = (speed[WORKLOAD] == "orthogonal") & (speed["role"] == "ours")
    slow = speed.assign(median_s=speed["median_s"].mask(ours, 9.0))
    caption = FIGURES["orthogonal_time"].find(few | {"speed": slow})
    assert "PyTorch is the fastest with 310 ms; Numba, 1 thread takes 9.0 s" in caption


@pytest.mark.parametrize(
    ("name", "workload", "sizes", "words"),
    [
        ("orthogonal_time", "orthogonal", ["784 x 256"], "two sizes of orthogonal in speed"),
        ("orthogonal_time", "orthogonal", [], "two sizes of orthogonal in speed"),
        ("fill_scaling", "fill_", ["784 x 256", "4096 x 4096"], "3 sizes of a fill in speed"),
        ("fill_scaling", "fill_", [], "3 sizes of a fill in speed"),
    ],
)
def test_too_few_sizes_leave_a_figure_out_and_say_so(
    name: str, workload: str, sizes: list[str], words: str, few: Tables
) -> None:
    speed = few["speed"]
    lost = speed[WORKLOAD].str.startswith(workload) & ~speed["size"].isin(sizes)
    assert FIGURES[name].missing(few) == []
    assert FIGURES[name].missing(few | {"speed": speed[~lost]}) == [words]
    assert FIGURES[name].missing({}) == ["speed"]


def test_fills_are_drawn_as_rates_below_their_limit(few: Tables) -> None:
    figure = FIGURES["fill_scaling"].render(few)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["fill_normal", "fill_uniform"]  # fill_truncated_normal has one size only
    speed = few["speed"]
    own = speed[(speed[WORKLOAD] == "fill_normal") & (speed["method"] == "NumPy")]
    expected = np.column_stack((own["values"], own["values"] / own["median_s"]))
    assert is_joined(figure.axes[0], expected)
    best = 4096**2 / 1.3e-3
    assert figure.axes[0].get_ylim()[1] > best


def test_the_caption_of_fills_names_what_comes_nearest_to_its_limit(few: Tables) -> None:
    caption = FIGURES["fill_scaling"].find(few)
    assert "Numba, 2 threads comes nearest to its limit: 28 % in fill_uniform" in caption


def test_the_speed_figure_shows_two_sizes_of_a_work_that_has_more(few: Tables) -> None:
    figure = FIGURES["speed"].render(few)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if title.startswith("orthogonal")] == [
        "orthogonal  784 x 256",
        "orthogonal  2048 x 2048",
    ]
    assert sum(title.startswith("train_step") for title in titles) == 2
    assert "the middle and the largest are here" in FIGURES["speed"].describe(few)
    two = _scaled(few["speed"], "orthogonal", ["784 x 256", "1024 x 1024"])
    two = two[~two[WORKLOAD].str.startswith("fill_")]
    assert "the middle and" not in FIGURES["speed"].describe(few | {"speed": two})


def test_every_network_is_shown(few: Tables) -> None:
    speed = few["speed"]
    one = speed[(speed[WORKLOAD] == "train_step") & speed["size"].str.startswith("784-256-10")]
    networks = [f"784-20x{width}-10, 8 steps of 64" for width in (32, 64, 128, 256)]
    several = pd.concat([one.assign(size=network) for network in networks])
    figure = FIGURES["speed"].render(few | {"speed": several})
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["train_step  " + network.split(",")[0] for network in networks]


def test_times_that_are_close_have_room_for_their_ticks(few: Tables) -> None:
    speed = few["speed"]
    rows = speed[(speed[WORKLOAD] == "train_step") & (speed["role"] != "reference")].iloc[:2]
    close = rows.assign(limit_s=0.032, low_s=[0.034, 0.074], median_s=[0.035, 0.075], high_s=0.076)
    (axes,) = FIGURES["speed"].render(few | {"speed": close}).axes
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 2 <= len(shown) <= 5


@pytest.mark.slow
def test_a_large_family_takes_two_rows_of_training_curves(many: Tables) -> None:
    figure = FIGURES["training_curves"].render(many)
    legends = [legend for axes in figure.axes if (legend := axes.get_legend())]
    rows = {legend.get_title().get_text(): legend.get_texts() for legend in legends}
    names = {row: {text.get_text() for text in texts} for row, texts in rows.items()}
    assert names["fixed scale, uniform"] == {"uniform", "historic_uniform"}
    assert "normal" in names["fixed scale, normal"]
    assert names["He"] == {"he_normal", "he_uniform"}


def test_declared_densities_stand_upright_at_their_bounds(few: Tables) -> None:
    edges = np.linspace(-1.2, 1.2, 25)
    density = np.where(np.abs(edges[1:] + edges[:-1]) / 2 < 1, 0.5, 0.0)
    columns = {"initializer": "he_uniform", "bin_left": edges[:-1], "bin_right": edges[1:]}
    weights = pd.DataFrame(columns | {"density_measured": density, "density_declared": density})
    facts = few["weight_statistics"].iloc[:1].assign(initializer="he_uniform")
    tables = {"weights": weights, "weight_statistics": facts}
    (axes,) = FIGURES["weight_histograms"].render(tables).axes
    (line,) = axes.lines
    x, y = line.get_data()
    steep = np.flatnonzero(np.diff(y))
    assert np.diff(x)[steep] == pytest.approx(0)
    assert x[steep] == pytest.approx([-1, 1])


def test_a_rule_that_hardly_learns_has_not_the_widest_range_of_good_rates() -> None:
    rows = [("he_normal", 0.9, 0.5), ("constant", 0.2, 2.0), ("lecun_normal", 0.8, 0.3)]
    rates = pd.DataFrame(rows, columns=["initializer", "test_accuracy", "good_decades"])
    rates = rates.assign(activation="relu", learning_rate=0.1, best=True)
    rates = rates.assign(good_low=0.1, good_high=0.3, good_open=False)
    words = FIGURES["rate_ranges"].finding({"rates": rates})
    assert "that of he_normal with ReLU, 0.5 decades" in words
    assert "that of lecun_normal with ReLU, 0.3" in words
    assert "constant" not in words
