"""Which share of units the figure of dead and saturated units shows."""

import pytest
from synthetic_tables import synthetic_tables

from initperf_figures import FIGURES
from initperf_figures.dead_saturated import measure_of


@pytest.mark.parametrize(
    ("activation", "measure"),
    [
        ("relu", "dead"),
        *((name, "saturated") for name in ("selu", "elu", "gelu", "gelu_erf", "silu", "tanh")),
        ("softplus", "saturated"),
        ("of_another_session", "saturated"),
    ],
)
def test_only_units_that_are_zero_where_they_are_flat_die(activation, measure):
    assert measure_of(activation) == measure


def test_the_figure_shows_saturation_of_elu():
    signal = synthetic_tables(names=("he_normal",), activations=("tanh",), seeds=1)["signal"]
    signal = signal.assign(activation="elu", saturated_fraction=0.49, dead_fraction=0.0)
    (axes,) = FIGURES["dead_saturated"].render({"signal": signal}).axes
    assert axes.get_title("left") == "ELU: saturated units"
    assert [text.get_text() for text in axes.texts] == ["49 %"]
