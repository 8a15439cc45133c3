"""Adaptive refinement, on functions whose steep places are known."""

import itertools
import math

import pytest

from initperf.report.trainability.refinement import Axis, Cell, Refinement

SQUARE = (Axis(0.0, 1.0, 4), Axis(0.0, 1.0, 4))


def refined(function, across, up, *, levels=3, threshold=0.3, most=10_000):
    """Refine until nothing is left; return the refinement and the values of its points."""
    grid = Refinement(across, up, levels=levels, threshold=threshold)
    values = {point: function(*point) for point in grid.points}
    while fresh := grid.refine(values, most - len(grid.points)):
        assert not set(fresh) & set(values)
        values |= {point: function(*point) for point in fresh}
    assert set(values) == set(grid.points)
    return grid, values


def circle(x, y):
    """A step along a quarter of a circle."""
    return float(math.hypot(x, y) < 0.71)


def test_cells_that_a_step_passes_through_are_the_finest_and_the_others_are_few():
    grid, values = refined(circle, *SQUARE)
    crossed = [cell for cell in grid.cells if grid.change(cell, values) > 0.3]
    assert crossed
    assert {cell.level for cell in crossed} == {3}
    full = 33 * 33
    assert len(values) < 0.45 * full
    # where the function is even and no step is near, the first grid is left as it was
    assert any(cell.level == 0 for cell in grid.cells)


def test_the_step_is_found_to_the_width_of_the_finest_cell():
    _, values = refined(circle, *SQUARE)
    inside = max(math.hypot(*point) for point, value in values.items() if value)
    outside = min(math.hypot(*point) for point, value in values.items() if not value)
    diagonal = math.hypot(1 / 32, 1 / 32)
    assert 0.71 - diagonal < inside < 0.71 <= outside < 0.71 + diagonal


def test_cells_fill_the_rectangle_and_neighbours_differ_by_one_level_at_most():
    grid, _ = refined(circle, *SQUARE)
    area = sum((cell.right - cell.left) * (cell.high - cell.low) for cell in grid.cells)
    assert area == pytest.approx(1.0)  # sums of powers of two, to rounding
    for one, other in itertools.combinations(grid.cells, 2):
        if one.shares_edge(other):
            assert abs(one.level - other.level) <= 1


def test_the_largest_change_is_refined_first():
    def steps(x, y):
        return 1.0 * (x > 0.6) + 0.4 * (x < 0.1)

    grid = Refinement(*SQUARE, levels=1, threshold=0.3)
    values = {point: steps(*point) for point in grid.points}
    room = 17  # the column of the large step takes 5 + 4 * 3 points, that of the small one too
    fresh = grid.refine(values, room)
    assert len(fresh) == room
    assert {x for x, _ in fresh} == {0.5, 0.625, 0.75}


def test_a_change_below_the_threshold_asks_for_nothing():
    grid = Refinement(*SQUARE, levels=3, threshold=0.3)
    assert grid.refine({point: point[0] for point in grid.points}, 10_000) == []


@pytest.mark.parametrize("most", range(25, 75, 3))
def test_no_more_points_than_allowed_and_the_same_ones_again(most):
    grid, values = refined(circle, *SQUARE, most=most)
    assert len(values) <= most
    again, _ = refined(circle, *SQUARE, most=most)
    assert again.points == grid.points


def test_depths_are_integers_at_equal_ratios_and_end_where_neighbours_follow():
    axis = Axis(2.0, 100.0, 5, whole=True)
    lines = axis.lines()
    assert lines[0] == 2.0
    assert lines[-1] == 100.0
    assert all(line == round(line) for line in lines)
    assert axis.middle(10.0, 40.0) == 20.0
    assert axis.middle(2.0, 3.0) is None
    grid, values = refined(
        lambda x, y: float(y > 3.0), Axis(0.0, 1.0, 1), Axis(2.0, 8.0, 2, whole=True), levels=4
    )
    assert {y for _, y in values} >= {2.0, 3.0, 4.0, 8.0}
    assert all(y == round(y) for _, y in values)
    assert all(cell.high - cell.low >= 1.0 for cell in grid.cells)


def test_cells_that_touch_in_a_corner_share_no_edge():
    cell = Cell(0.0, 1.0, 0.0, 1.0)
    assert cell.shares_edge(Cell(1.0, 2.0, 0.5, 1.5))
    assert not cell.shares_edge(Cell(1.0, 2.0, 1.0, 2.0))
    assert not cell.shares_edge(Cell(2.0, 3.0, 0.0, 1.0))


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ((1.0, 1.0, 3), "must rise"),
        ((0.0, 1.0, 0), "at least one cell"),
        ((0.0, 9.0, 3, True), "begin at 1"),
    ],
)
def test_axes_that_are_none_are_refused(ends, message):
    with pytest.raises(ValueError, match=message):
        Axis(*ends)
