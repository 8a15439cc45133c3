"""Signals and gradients of residual networks at initialization.

Second moments and correlations in the limit of width follow from the field of one branch (Yang &
Schoenholz, "Mean field residual networks", NeurIPS 2017, 1712.08969). De & Smith, "Batch
normalization biases residual blocks towards the identity function in deep networks", NeurIPS 2020
(2002.10444, SkipInit), give the growth of signals with and without normalization; Balduzzi,
Frean, Leary, Lewis, Ma & McWilliams, "The shattered gradients problem", ICML 2017 (1702.08591), how
gradients of different inputs lose their correlation.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import shown
from initperf.theory import _domain
from initperf.theory.mean_field import MeanField, as_field

_LARGEST = 1e150  # whose square is a float64


@dataclass(frozen=True, eq=False)
class ResidualField:
    """Residual blocks of infinite width: x ← s x + α (W f(x) + b).

    All methods take floats or arrays and broadcast them against the scales and the variances.

    Attributes
    ----------
    field : MeanField
        The activation and the variances of the branch.
    branch_scale : float or array_like
        α, finite.
    skip_scale : float or array_like
        s, finite.

    Raises
    ------
    ValueError
        For a scale that is not finite.

    Examples
    --------
    >>> from initperf.theory import MeanField, ResidualField
    >>> he = ResidualField(MeanField("relu", 2.0))
    >>> round(he.q_map(1.0), 12), round(he.chi(1.0), 12)
    (2.0, 2.0)
    """

    field: MeanField
    branch_scale: Any = 1.0
    skip_scale: Any = 1.0

    def __post_init__(self) -> None:
        as_field(self.field)
        for name in ("branch_scale", "skip_scale"):
            value = _scale(name, getattr(self, name))
            object.__setattr__(self, name, value)

    def q_map(self, q: Any) -> Any:
        """Return the second moment after a block, s² q + α² (σw² E[f²] + σb²)."""
        return self._sum(_domain.second_moment(q), self.field.q_map(q))

    def chi(self, q: Any) -> Any:
        """Return the factor by which a block multiplies a gradient's squared norm: s² + α² χ."""
        return self._sum(1.0, self.field.chi(q))

    def correlation_map(self, correlation: Any, q: Any) -> Any:
        """Return the correlation of two inputs' signals after a block.

        Parameters
        ----------
        correlation : float or array_like
            In [−1, 1].
        q : float or array_like
            The second moment of both.

        Returns
        -------
        float or numpy.ndarray
            To 1e-12; NaN where the second moment becomes 0.

        Raises
        ------
        ValueError
            For an argument outside of its domain.
        """
        moment = np.asarray(self.field.q_map(q))
        # a branch that is silent adds nothing, and its own correlation is not a number
        branch = np.where(moment == 0.0, 0.0, self.field.correlation_map(correlation, q) * moment)
        own = _domain.correlation(correlation) * _domain.second_moment(q)
        after = np.asarray(self.q_map(q))
        covariance = np.asarray(self._sum(own, branch))
        absent = np.full(covariance.shape, np.nan)
        result = np.asarray(np.divide(covariance, after, out=absent, where=after != 0.0))
        return result if result.ndim else float(result)

    def _sum(self, own: Any, branch: Any) -> Any:
        return self.skip_scale**2 * own + self.branch_scale**2 * branch


def residual_growth(blocks: Any, branch_scale: Any = 1.0, *, normalized: bool = False) -> Any:
    """Return by what a residual network multiplies the second moment of its signal.

    A branch that keeps the second moment of what it is given adds α² times it in each block:
    (1 + α²)ᴸ. A branch that begins with a normalization adds α² of the input's: 1 + α² L.

    Parameters
    ----------
    blocks : int or array_like
        L, at least 0.
    branch_scale : float or array_like
        α: 1 for plain He weights, 0 at the start of SkipInit, 1/√L to be bounded by e.
    normalized : bool
        Whether branches begin with a batch or layer normalization.

    Returns
    -------
    float or numpy.ndarray
        To a relative 1e-15 L.

    Raises
    ------
    ValueError
        For blocks that are no such integers or a scale that is not finite.

    Examples
    --------
    >>> from initperf.theory import residual_growth
    >>> residual_growth(10), residual_growth(10, normalized=True)
    (1024.0, 11.0)
    """
    count = _blocks(blocks)
    added = np.square(_scale("branch_scale", branch_scale))
    with np.errstate(over="ignore"):  # growth beyond all floats is infinite
        result = 1.0 + added * count if normalized else np.power(1.0 + added, count)
    return result if np.ndim(result) else float(result)


def gradient_correlation(
    depth: int,
    *,
    branch_scale: float | None = None,
    normalized: bool = False,
    both_active: float = 0.25,
) -> float:
    """Return the correlation of the gradients of two inputs in a ReLU network with He weights.

    Units are active for half of the inputs, for both of two with a chance p that is the same in
    all layers: plain networks keep (2p)ᴸ, residual ones a factor (q + 2p α²)/(q + α²) a block, with
    q the second moment that the branch is normalized by: 1, or with normalization 1 + α² l. At
    p = 1/4 these are 2⁻ᴸ, (3/4)ᴸ and about 2/√(πL).

    Parameters
    ----------
    depth : int
        L, layers of a plain network or blocks of a residual one, at least 0.
    branch_scale : float, optional
        α of a residual network; by default the network is plain.
    normalized : bool
        Whether branches begin with a normalization; of residual networks only.
    both_active : float
        p, in [0, 1/2]: 1/4 for independent pre-activations, ``arc_cosine(c, 0) / 2`` for those of
        correlation c.

    Returns
    -------
    float
        To a relative 1e-15 L.

    Raises
    ------
    ValueError
        For an argument outside of its domain, or normalization without branches.

    Examples
    --------
    >>> from initperf.theory import gradient_correlation
    >>> gradient_correlation(3), gradient_correlation(2, branch_scale=1.0)
    (0.125, 0.5625)
    """
    layers = _domain.layers("depth", depth, 0)
    kept = 2.0 * float(_domain.within("both_active", both_active, 0.0, 0.5))
    if branch_scale is None:
        if normalized:
            raise ValueError("normalized is of residual networks: branch_scale must be given")
        return kept**layers
    added = float(_scale("branch_scale", branch_scale)) ** 2
    scale = 1.0 + added * np.arange(layers) if normalized else np.ones(layers)
    return float(np.prod((scale + kept * added) / (scale + added)))


def _scale(name: str, value: Any) -> Any:
    """Check finite scales whose squares are finite too."""
    finite = _domain.within(name, value, -np.inf)
    return _domain.within(name, finite, -_LARGEST, _LARGEST)


def _blocks(blocks: Any) -> Any:
    count = _domain.within("blocks", blocks, 0.0)
    if np.any(count != np.floor(count)):
        raise ValueError(f"blocks must be whole numbers, not {shown(blocks)}")
    return count
