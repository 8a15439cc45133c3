"""The parts that figures share: colours, label placement, numbers in words."""

import re
from importlib.resources import files
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from initperf_figures._axes import activation_name, magnitude, spread
from initperf_figures._scaling import _LIBRARIES
from initperf_figures._style import _FAMILIES, family, in_order, strokes
from initperf_figures._svg import _VARIABLES
from initperf_figures.speed import duration, times
from initperf_figures.training_curves import _smooth
from initperf_figures.weight_histograms import finding

KNOWN = [name for _, members in _FAMILIES.values() for name in members]

# Linear RGB as seen with normal vision and by the three kinds of dichromats; Machado, Oliveira
# and Fernandes (2009), severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def _linear(colour: str) -> np.ndarray:
    value = np.array(to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ np.clip(linear, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_families_look_different_to_everyone(vision: str) -> None:
    first = {name: next(iter(members.values())) for name, (_, members) in _FAMILIES.items()}
    seen = {name: _lab(VISION[vision] @ _linear(colour)) for name, colour in first.items()}
    # A difference of 2.3 in CIE L*a*b* is just noticeable side by side; thin lines need several.
    near = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    assert min(near.values()) > 10, min(near, key=lambda pair: near[pair])


def test_no_two_initializers_are_drawn_alike() -> None:
    assert len(KNOWN) == 27
    assert len({strokes(name) for name in KNOWN}) == len(KNOWN)


def test_methods_read_on_a_light_page_and_on_a_dark_one() -> None:
    """Their names are text in these colours, to which the page gives other values in the dark."""
    style = files("initperf_figures").joinpath("templates", "style.css").read_text("utf-8")
    schemes = [
        dict(re.findall(r"(--\w+): (#\w+);", block)) for block in style.split("--ink: ")[1:4]
    ]
    assert schemes[1] == schemes[2]  # chosen, and the system's
    for scheme in (*schemes[:2], {"--paper": "#fff"}):  # light, dark, and a figure's own files
        page = float(LUMINANCE @ _linear(scheme["--paper"]))
        for name, (colour, _) in _LIBRARIES.items():
            variable = _VARIABLES[colour].removeprefix("var(").removesuffix(")")
            own = float(LUMINANCE @ _linear(scheme.get(variable, colour)))
            dark, light = sorted((page, own))
            assert (light + 0.05) / (dark + 0.05) > 4.5, name  # WCAG 2.1, 1.4.3
    assert len({marker for _, marker in _LIBRARIES.values()}) == len(_LIBRARIES)


def test_an_unknown_initializer_has_a_colour_of_its_own() -> None:
    assert family("he_lognormal") == "He"
    assert strokes("he_lognormal").colour in _FAMILIES["He"][1].values()
    assert family("brand_new") == "other"
    assert strokes("brand_new") == strokes("brand_new")
    assert strokes("brand_new").colour != strokes("another_new").colour


def test_the_order_keeps_families_together_and_unknown_names_last() -> None:
    ordered = in_order(["zoo", "he_uniform", "zeros", "he_normal", "glorot_normal", "zeros"])
    assert ordered == ["zeros", "glorot_normal", "he_normal", "he_uniform", "zoo"]


@pytest.mark.parametrize("seed", range(20))
def test_spread_keeps_labels_apart_in_order_and_near_their_places(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = sorted(rng.beta(0.4, 0.4, size=12))
    placed = spread(wanted, 0.05, 0.0, 1.0)
    assert min(b - a for a, b in pairwise(placed)) > 0.05 - 1e-12
    assert -1e-12 < placed[0] <= placed[-1] < 1 + 1e-12


def test_spread_moves_nothing_that_has_room_and_shares_out_what_has_not() -> None:
    assert spread([0.1, 0.5, 0.9], 0.1, 0.0, 1.0) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.5, 0.5], 0.1, 0.0, 1.0) == pytest.approx([0.45, 0.55])
    assert spread([0.0, 0.0], 0.1, 0.0, 1.0) == pytest.approx([0.0, 0.1])
    assert spread([0.5] * 21, 0.1, 0.0, 1.0) == pytest.approx(list(np.linspace(0, 1, 21)))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (0.34, "0.34"),
        (120.4, "120"),
        (3.2e-17, "3·10⁻¹⁷"),
        (float("inf"), "overflow"),
        (float("nan"), "–"),
    ],
)
def test_magnitudes(value: float, words: str) -> None:
    assert magnitude(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2.14, "2.1 s"), (0.9999, "1.0 s"), (0.137, "137 ms"), (3.27e-4, "327 µs"), (4e-9, "4.0 ns")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_ratios_have_two_figures_on_both_sides_of_one() -> None:
    assert [times(ratio) for ratio in (0.0861, 0.75, 1.04, 25.9)] == ["0.086", "0.75", "1.0", "26"]


def test_activations_are_written_as_people_write_them() -> None:
    assert [activation_name(name) for name in ("relu", "selu", "tanh")] == ["ReLU", "SELU", "tanh"]


def test_losses_of_runs_that_all_end_within_an_epoch_keep_their_place() -> None:
    step = np.arange(1, 151)
    steps = pd.DataFrame({"run": "a", "step": step, "epoch": 1 + (step - 1) // 100, "loss": 1.0})
    assert _smooth(steps)["at"].max() == pytest.approx(1.5, abs=0.05)  # a point is of a few steps


@pytest.mark.parametrize(
    ("declared", "words"), [(1.0, "within 2 %"), (1.012, "within 0.3 %"), (0.0, "the same value.")]
)
def test_the_finding_of_weights_bounds_their_errors(declared: float, words: str) -> None:
    facts = pd.DataFrame({"declared_std": [declared], "std": 1.0142, "rows": 784, "columns": 256})
    assert words in finding({"weight_statistics": facts})
    assert "nan" not in finding({"weight_statistics": facts})
