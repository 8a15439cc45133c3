"""Labels, ticks and places of panels that once were missing, wrong or hard to find."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Annotation
from synthetic_tables import Tables, synthetic_tables

from initperf_figures import FIGURES
from initperf_figures._templates import unbroken


@pytest.fixture(scope="module")
def few() -> Tables:
    names = ("zeros", "glorot_uniform", "he_normal", "orthogonal", "large_normal")
    return synthetic_tables(names=names, activations=("relu", "tanh"), epochs=2, steps_per_epoch=4)


@pytest.mark.parametrize("slower", [1.0, 1e-2, 1e-4])
def test_every_limit_of_the_roofline_is_named_whatever_the_slowest_kernel(
    few: Tables, slower: float
) -> None:
    """The axes reach down to the slowest kernel; matplotlib hides annotations outside of them."""
    kernels = few["kernels"].copy()
    kernels.loc[kernels["rate"].idxmin(), "rate"] *= slower
    (axes,) = FIGURES["roofline"].render(few | {"kernels": kernels}).axes
    places = {
        text.get_text().partition(":")[0]: text.xy
        for text in axes.texts
        if isinstance(text, Annotation)
    }
    slopes = few["limits"].loc[few["limits"]["unit"] == "B/s", "limit"]
    assert len(slopes) > 1
    for limit in slopes:
        assert axes.viewLim.contains(*places[limit]), limit


def test_each_activation_s_losses_along_the_gradient_have_rows_of_their_own(few: Tables) -> None:
    rows: dict[float, set[str]] = {}
    figure = FIGURES["loss_along_gradient"].render(few, 4.75)  # two panels in a row, of five
    for axes in figure.axes:
        (remark,) = axes.texts
        rows.setdefault(axes.get_position().y0, set()).add(remark.get_text().partition(":")[0])
    assert [rows[place] for place in sorted(rows, reverse=True)] == [
        *3 * [{"ReLU"}],
        *3 * [{"tanh"}],
    ]


def test_ticks_of_speedups_are_the_powers_of_two_that_they_say(few: Tables) -> None:
    speed = few["speed"].copy()
    several = (speed["role"] == "ours") & (speed["threads"] > 1)
    speed.loc[several, ["median_s", "low_s", "high_s"]] *= 50
    figure = FIGURES["thread_scaling"].render(few | {"speed": speed})
    figure.draw_without_rendering()
    for axes in figure.axes:
        said = [float(label.get_text()) for label in axes.get_yticklabels()]
        assert min(said) < 0.1
        assert said == axes.get_yticks().tolist()


def test_bounds_of_a_claim_that_differ_have_labels_that_differ(few: Tables) -> None:
    claims = few["claims"].copy()
    first = claims.index[0]
    claims.loc[first, ["tolerance_low", "tolerance_high"]] = 0.7826475, 0.7826485
    claims.loc[first, ["mean", "interval_low", "interval_high"]] = 0.782648
    values = few["claim_values"].copy()
    values.loc[values["claim"] == claims.loc[first, "claim"], "value"] = 0.782648
    figure = FIGURES["claim_values"].render(few | {"claims": claims, "claim_values": values})
    figure.draw_without_rendering()
    (axes,) = (
        axes for axes in figure.axes if axes.get_title(loc="left") == claims.loc[first, "claim"]
    )
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.7826475", "0.7826485"]


def test_the_caption_of_dead_units_counts_the_seeds(few: Tables) -> None:
    figure = FIGURES["dead_saturated"]
    seeds = few["signal"]["seed"].unique()
    assert figure.describe(few).endswith(f" Medians of {len(seeds)} seeds.")
    one = few["signal"][few["signal"]["seed"] == np.min(seeds)]
    assert figure.describe(few | {"signal": one}).endswith(" One seed.")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("of fill_uniform at 4096 × 4096 and × 22 at most", 8),
        ("within 5 % of it (100 %)", 5),
        ("× 8·10³ of 7", 3),
        ("faster × than % of", 5),
    ],
)
def test_lines_do_not_end_within_products_factors_and_percentages(words: str, parts: int) -> None:
    found = unbroken(words)
    assert len(found.split(" ")) == parts
    assert found.replace("\u00a0", " ") == words


def test_every_course_of_the_learning_rate_is_drawn_where_rules_have_their_own(few: Tables) -> None:
    runs = few["runs"].set_index("run")["initializer"]
    steps = few["steps"][few["steps"]["run"].map(runs) != "large_normal"].copy()  # it diverges
    count = int(steps["step"].max())
    rise = np.minimum(steps["step"], count + 1 - steps["step"])
    steps["learning_rate"] = rise * np.where(steps["run"].map(runs) == "zeros", 0.01, 0.03)
    tables = few | {"steps": steps}
    figure = FIGURES["learning_rate_cycles"]
    above = figure.render(tables).axes[0]
    highest = {round(float(np.nanmax(line.get_ydata())), 6) for line in above.lines}
    assert highest == {round(0.01 * rise.max(), 6), round(0.03 * rise.max(), 6)}
    assert "with 2 highest rates" in figure.describe(tables)
    assert f"turns down once in {count} steps" in figure.find(tables)


def test_the_finding_of_many_setups_counts_winners_instead_of_naming_each() -> None:
    activations = ("relu", "tanh", "gelu", "elu", "selu")
    names = ("zeros", "he_normal")
    many = synthetic_tables(names=names, activations=activations, epochs=2, steps_per_epoch=4)
    finding = FIGURES["final_accuracy"].find(many)
    assert finding.startswith("Of 5 activations and setups, the highest mean accuracy is that of ")
    assert "he_normal of 5; from he_normal with " in finding
    few = {
        name: table[table["activation"].isin(activations[:2])] if "activation" in table else table
        for name, table in many.items()
    }
    assert FIGURES["final_accuracy"].find(few).count("he_normal with ") == 2


def test_every_line_of_the_map_s_legend_is_seen_on_light_and_on_dark(few: Tables) -> None:
    """Each has a stroke of both: a line of one colour, with a halo of the other."""
    (legend,) = FIGURES["trainability_map"].render(few).legends
    lines = [line for line in legend.get_lines() if line.get_linestyle() != "None"]
    assert len(lines) == 3
    for line in lines:
        halo = line.get_path_effects()[0]._gc["foreground"]
        assert {sum(to_rgb(colour)) > 1.5 for colour in (line.get_color(), halo)} == {True, False}
