"""Depths until which rules learn, and good ranges of rates, on curves with known answers."""

import math

import numpy as np
import pandas as pd
import pytest

from initperf.report.rate_search import good_range, with_good_ranges
from initperf.report.trainability.half_way import crossing, depth_limit, half_way

DEPTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


def falling(limit, depths=DEPTHS):
    """Return accuracies that fall linearly in log depth, through 0.5 at the limit."""
    return [float(np.clip(0.5 - 0.3 * math.log2(depth / limit), 0.1, 0.9)) for depth in depths]


@pytest.mark.parametrize("limit", [3.0, 8.0, 10.0, 50.0])
def test_the_crossing_of_a_line_in_log_depth_is_found_exactly(limit):
    # linear where it crosses, and so interpolated without error but rounding
    assert crossing(DEPTHS, falling(limit), 0.5) == pytest.approx(limit, rel=1e-9)


def test_curves_that_never_or_always_fall_are_said_to():
    assert crossing(DEPTHS, [0.9] * 6, 0.5) == math.inf
    assert crossing(DEPTHS, [0.2] * 6, 0.5) == 0.0


def test_the_first_fall_counts_where_a_curve_rises_again():
    assert crossing((2.0, 8.0, 32.0), (0.9, 0.1, 0.9), 0.5) == pytest.approx(4.0)


def test_the_limit_is_the_geometric_mean_with_students_interval():
    limits = (8.0, 12.0, 18.0)
    found = depth_limit([dict(zip(DEPTHS, falling(one), strict=True)) for one in limits], 0.5)
    assert found.depth == pytest.approx(12.0, rel=1e-9)
    # three logarithms at distance log 1.5: standard error log 1.5/√3, quantile of Student's t(2)
    reach = 4.302652729911275 * math.log(1.5) / math.sqrt(3)
    assert found.low == pytest.approx(12.0 * math.exp(-reach), rel=1e-9)
    assert found.high == pytest.approx(12.0 * math.exp(reach), rel=1e-9)
    assert (found.bound, found.seeds) == ("", 3)


def test_seeds_beyond_the_depths_tried_give_bounds():
    deep = dict.fromkeys(DEPTHS, 0.9)
    found = depth_limit([deep, deep], 0.5)
    assert (found.depth, found.bound, found.high) == (pytest.approx(64.0), "at least", math.inf)
    never = dict.fromkeys(DEPTHS, 0.1)
    found = depth_limit([never, never], 0.5)
    assert (found.depth, found.bound, found.low) == (pytest.approx(2.0), "at most", 0.0)
    mixed = depth_limit([deep, dict(zip(DEPTHS, falling(16.0), strict=True))], 0.5)
    assert mixed.bound == "at least"
    assert mixed.depth == pytest.approx(32.0)


def test_one_seed_has_no_interval():
    found = depth_limit([dict(zip(DEPTHS, falling(8.0), strict=True))], 0.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_half_way_is_between_guessing_and_the_best():
    assert half_way(0.1, 0.9) == 0.5


@pytest.mark.parametrize("depths", [(), (2.0, 2.0), (4.0, 2.0)])
def test_depths_that_do_not_rise_are_refused(depths):
    with pytest.raises(ValueError, match="depths must be"):
        crossing(depths, [0.5] * len(depths), 0.5)


def test_no_seeds_are_refused():
    with pytest.raises(ValueError, match="at least one seed"):
        depth_limit([], 0.5)


def test_the_range_of_good_rates_ends_where_a_parabola_does():
    # accuracy 0.9 − 0.05 (log10 rate + 1)²: within 0.05 of the best one decade to either side
    rates = np.geomspace(1e-4, 100.0, 241)  # 40 a decade: linear pieces are right to 1e-3
    found = good_range({float(r): 0.9 - 0.05 * (math.log10(r) + 1) ** 2 for r in rates})
    assert found.low == pytest.approx(0.01, rel=5e-3)
    assert found.high == pytest.approx(1.0, rel=5e-3)
    assert found.decades == pytest.approx(2.0, abs=5e-3)
    assert not found.is_open


def test_a_range_that_reaches_the_last_rate_is_open_and_one_peak_has_no_width_to_speak_of():
    found = good_range({0.01: 0.5, 0.1: 0.9, 1.0: 0.9})
    assert (found.high, found.is_open) == (1.0, True)
    # to the left from 0.9 to 0.5 over a decade: 0.85 after an eighth of it
    assert found.low == pytest.approx(0.1 * 10**-0.125)
    peak = good_range({0.01: 0.1, 0.1: 0.9, 1.0: 0.0})
    assert peak.decades == pytest.approx(0.05 / 0.8 + 0.05 / 0.9)


def test_good_rates_beyond_a_bad_one_are_not_in_the_range():
    found = good_range({0.001: 0.88, 0.01: 0.2, 0.1: 0.9, 1.0: 0.1})
    assert found.low > 0.01


def test_one_rate_has_no_width_and_none_is_refused():
    assert good_range({0.1: 0.5}).decades == 0.0
    with pytest.raises(ValueError, match="at least one rate"):
        good_range({0.0: 0.5})


def test_rules_that_learn_at_no_rate_have_no_good_range_and_lost_runs_count_as_nothing():
    rows = [("a", rate, "finished", 0.11) for rate in (0.01, 0.1)]
    rows += [("b", 0.01, "finished", 0.9), ("b", 0.1, "diverged", 0.89)]
    table = pd.DataFrame(rows, columns=["initializer", "learning_rate", "status", "test_accuracy"])
    found = with_good_ranges(table.assign(activation="relu")).set_index("initializer")
    assert found.loc["a", "good_decades"].isna().all()
    # from 0.9 to nothing over a decade: 0.85 after 1/18 of it
    assert found.loc["b", "good_decades"].tolist() == pytest.approx([1 / 18, 1 / 18])
    assert found.loc["b", "good_open"].all()
