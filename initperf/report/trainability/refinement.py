"""Adaptive refinement of a rectangle: points where the value changes fastest, not a full grid.

The rectangle begins as a regular grid of cells. Of each cell the *change* is the largest less the
smallest of the values that are known in it, on its corners and its edges. Cells whose change is
above a threshold are split in two in both directions, the largest change first, until a level or
a number of points is reached. A cell is never more than one level coarser than one that shares an
edge with it (a balanced quadtree; Finkel & Bentley 1974), so that an edge that is found somewhere
is followed into cells whose corners happen to agree. Everything follows from the values alone, so
that a refinement that is begun again asks for the same points.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """One direction of the rectangle.

    Attributes
    ----------
    low, high : float
        Ends.
    cells : int
        Cells of the first grid.
    whole : bool
        Whether places are integers, above 0, at equal ratios; else numbers at equal distances.
    """

    low: float
    high: float
    cells: int
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"an axis must rise, and does not from {self.low:g} to {self.high:g}")
        if self.cells < 1:
            raise ValueError(f"an axis must have at least one cell, not {self.cells}")
        if self.whole and self.low < 1:
            raise ValueError(f"an axis of integers must begin at 1 or above, not {self.low:g}")

    def lines(self) -> list[float]:
        """Return the places of the first grid, each once."""
        shares = [number / self.cells for number in range(self.cells + 1)]
        if self.whole:
            ratio = self.high / self.low
            places = [float(round(self.low * ratio**share)) for share in shares]
        else:
            places = [self.low + (self.high - self.low) * share for share in shares]
        return list(dict.fromkeys(places))

    def middle(self, low: float, high: float) -> float | None:
        """Return the place between two others, or None where there is none.

        Parameters
        ----------
        low, high : float
        """
        if not self.whole:
            return 0.5 * (low + high)
        place = float(round(math.sqrt(low * high)))
        return place if low < place < high else None


@dataclass(frozen=True, order=True)
class Cell:
    """Rectangle between neighbouring places, and how often the first grid's was halved."""

    left: float
    right: float
    low: float
    high: float
    level: int = 0

    def corners(self) -> Iterator[Point]:
        """Give the four corners."""
        return itertools.product((self.left, self.right), (self.low, self.high))

    def holds(self, point: Point) -> bool:
        """Return whether a point is in the cell or on its edge."""
        return self.left <= point[0] <= self.right and self.low <= point[1] <= self.high

    def shares_edge(self, other: "Cell") -> bool:
        """Return whether two cells touch along an edge, not in a corner alone."""
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.high, other.high) - max(self.low, other.low)
        return min(across, along) == 0.0 and max(across, along) > 0.0


class Refinement:
    """Cells of a rectangle that are split where values change.

    Parameters
    ----------
    across, up : Axis
    levels : int
        How often a cell of the first grid is halved at most.
    threshold : float
        Change of a cell above which it is split.

    Attributes
    ----------
    points : list of tuple of float
        All points asked for so far.
    """

    def __init__(self, across: Axis, up: Axis, *, levels: int, threshold: float) -> None:
        self._across, self._up = across, up
        self._levels, self._threshold = levels, threshold
        self._cells = {
            Cell(left, right, low, high)
            for left, right in itertools.pairwise(across.lines())
            for low, high in itertools.pairwise(up.lines())
        }
        self._points = dict.fromkeys(itertools.product(across.lines(), up.lines()))

    @property
    def points(self) -> list[Point]:
        """Return the points asked for so far, those of the first grid first."""
        return list(self._points)

    @property
    def cells(self) -> list[Cell]:
        """Return the cells, sorted."""
        return sorted(self._cells)

    def change(self, cell: Cell, values: Mapping[Point, float]) -> float:
        """Return the largest less the smallest value that is known in a cell.

        Parameters
        ----------
        cell : Cell
        values : mapping of tuple to float
            By point.
        """
        own = [value for point, value in values.items() if cell.holds(point)]
        return max(own) - min(own) if own else 0.0

    def refine(self, values: Mapping[Point, float], most: int) -> list[Point]:
        """Split the cells that change most, and return the points that are new.

        Parameters
        ----------
        values : mapping of tuple to float
            Values of all points asked for so far.
        most : int
            Number of new points, at most.

        Returns
        -------
        list of tuple of float
            Empty when nothing is left to split, or there is no room for the next split.
        """
        changes = {cell: self.change(cell, values) for cell in self._cells}
        steep = [cell for cell in self._cells if changes[cell] > self._threshold]
        before = len(self._points)
        for cell in sorted(steep, key=lambda one: (-changes[one], one)):
            if cell.level >= self._levels or cell not in self._cells:
                continue
            group = self._with_coarser(cell)
            fresh = {
                point
                for one in group
                for child in self._corners_of_children(one)
                for point in child
            }
            if len(self._points | dict.fromkeys(fresh)) > before + most:
                break
            for one in group:
                self._split(one)
        return list(self._points)[before:]

    def _with_coarser(self, cell: Cell) -> list[Cell]:
        """Return a cell with those that must be split with it, the coarsest first."""
        group: dict[Cell, None] = {}
        for other in sorted(self._cells):
            if other.level < cell.level and other.shares_edge(cell):
                group |= dict.fromkeys(self._with_coarser(other))
        return [*group, cell]

    def _children(self, cell: Cell) -> list[Cell]:
        """Return the parts of a cell: four, two where one side has no middle, or itself."""
        beside = self._across.middle(cell.left, cell.right)
        above = self._up.middle(cell.low, cell.high)
        columns = [cell.left, *([] if beside is None else [beside]), cell.right]
        rows = [cell.low, *([] if above is None else [above]), cell.high]
        return [
            Cell(left, right, low, high, cell.level + 1)
            for left, right in itertools.pairwise(columns)
            for low, high in itertools.pairwise(rows)
        ]

    def _corners_of_children(self, cell: Cell) -> Iterator[list[Point]]:
        return (list(child.corners()) for child in self._children(cell))

    def _split(self, cell: Cell) -> None:
        self._cells.discard(cell)
        for child in self._children(cell):
            self._cells.add(child)
            self._points |= dict.fromkeys(child.corners())
