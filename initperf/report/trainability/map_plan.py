"""Plans of trainability maps: which networks, and how finely the plane is covered.

After figures 5 and 6 of Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, "Deep information
propagation", ICLR 2017 (1611.01232): weights N(0, σw²/n), biases N(0, σb²), gradient descent at one
rate. The points are placed by `refinement`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from initperf._core.arguments import number, whole
from initperf.report.trainability.refinement import Axis, Point, Refinement
from initperf.report.usual import MAP, MAP_ACTIVATIONS
from initperf.schemes import SCHEMES
from initperf.training.experiment import Experiment

Panel = tuple[str, int]
"""Activation and width of one map."""


@dataclass(frozen=True)
class MapPlan:
    """What maps show, and how finely.

    Attributes
    ----------
    activations : tuple of str
    widths : tuple of int
        Units of each hidden layer; each activation has a map for each width.
    weight_variances : tuple of float
        The least and the largest σw².
    depths : tuple of int
        The least and the largest number of hidden layers.
    bias_variance : float
        σb².
    columns, rows : int
        Cells of the first grid, over σw² and over depth.
    levels : int
        How often a cell is halved at most.
    points : int
        Points of each map at most.
    threshold : float
        Change of accuracy in a cell above which it is split.
    seeds : int
        Runs of each point.
    given : mapping of str to object
        Settings of `Experiment` by their flat names, besides those above.

    Raises
    ------
    ValueError
        For a value out of range, and fewer points than the first grid has.
    """

    activations: tuple[str, ...] = MAP_ACTIVATIONS
    widths: tuple[int, ...] = (100, 300)
    weight_variances: tuple[float, float] = (0.5, 4.0)
    depths: tuple[int, int] = (2, 100)
    bias_variance: float = 0.05
    columns: int = 14
    rows: int = 8
    levels: int = 2
    points: int = 400
    threshold: float = 0.1
    seeds: int = 3
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("columns", "rows", "points", "seeds"):
            whole(name, getattr(self, name), 1)
        whole("levels", self.levels, 0)
        number("bias_variance", self.bias_variance, least=0.0)
        for depth in self.depths:
            whole("depths", depth, 1, most=10_000)
        for variance in self.weight_variances:
            number("weight_variances", variance, least=0.0)
        number("threshold", self.threshold, positive=True)
        first = len(self.refinement().points)
        if self.points < first:
            raise ValueError(f"points must be at least {first}, those of the first grid")
        for activation, width in self.panels():  # whose settings are checked so
            self.experiments((activation, width), [(self.weight_variances[0], self.depths[0])])

    @classmethod
    def quick(cls, **changes: Any) -> "MapPlan":
        """Return a plan of minutes: one width, one seed, fewer points, half the steps.

        Parameters
        ----------
        **changes
            Attributes that differ from it.
        """
        given = {"epochs": 2} | dict(changes.pop("given", {}))
        small: dict[str, Any] = {
            "widths": (100,),
            "seeds": 1,
            "columns": 7,
            "rows": 5,
            "points": 180,
        }
        return cls(**(small | changes), given=given)

    def panels(self) -> list[Panel]:
        """Return activation and width of each map."""
        return [(activation, width) for activation in self.activations for width in self.widths]

    def refinement(self) -> Refinement:
        """Return the first grid of a map."""
        low, high = self.weight_variances
        return Refinement(
            Axis(low, high, self.columns),
            Axis(*self.depths, self.rows, whole=True),
            levels=self.levels,
            threshold=self.threshold,
        )

    def experiments(self, panel: Panel, points: list[Point]) -> dict[Point, list[Experiment]]:
        """Return the runs of some points, one a seed.

        Parameters
        ----------
        panel : tuple
            Activation and width.
        points : list of tuple of float
            σw² and depth.
        """
        activation, width = panel
        scheme = SCHEMES["mean_field"].replace(bias_variance=float(self.bias_variance))
        made = {}
        for variance, depth in points:
            first = Experiment(
                scheme.replace(weight_variance=variance),
                activation,
                **{**MAP, **self.given, "hidden": (int(width),) * int(depth)},
            )
            made[variance, depth] = [first.replace(seed=seed) for seed in range(self.seeds)]
        return made
