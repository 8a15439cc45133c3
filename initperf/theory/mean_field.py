"""Second moments, correlations and gradients in wide random networks: mean-field theory.

Poole, Lahiri, Raghu, Sohl-Dickstein & Ganguli, "Exponential expressivity in deep neural networks
through transient chaos", NeurIPS 2016 (1606.05340); Schoenholz, Gilmer, Ganguli & Sohl-Dickstein,
"Deep information propagation", ICLR 2017 (1611.01232). Weights have variance σw²/n with n the
fan-in, biases σb²; in the limit of width the pre-activations are normal, and all that follows is
an expectation over one or two normal variables.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import whole
from initperf.activations import Activation
from initperf.theory import _domain, _maps
from initperf.theory._moments import as_activation


@dataclass(frozen=True, eq=False)
class MeanField:
    """A network of infinite width: an activation, a variance of weights and one of biases.

    All methods take floats or arrays, broadcast them against the variances, and return floats for
    floats. Expectations are right to a relative 1e-12 for any registered activation.

    Attributes
    ----------
    activation : Activation or str
        A name is held as the activation that it stands for.
    weight_variance : float or array_like
        σw², at least 0: a weight has the variance σw²/n, n the fan-in.
    bias_variance : float or array_like
        σb², at least 0.

    Raises
    ------
    ValueError
        For a variance that is negative or not finite, or a name that is not known.

    Examples
    --------
    >>> from initperf.theory import MeanField
    >>> chaotic = MeanField("tanh", 2.5, 0.05)
    >>> q = chaotic.fixed_point()
    >>> round(q, 6), round(chaotic.chi(q), 6), round(chaotic.fixed_correlation(), 6)
    (1.063958, 1.133516, 0.446804)
    >>> MeanField("relu", [1.0, 2.0]).q_map(3.0)
    array([1.5, 3. ])
    """

    activation: Activation | str
    weight_variance: Any
    bias_variance: Any = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", as_activation(self.activation))
        for name in ("weight_variance", "bias_variance"):
            object.__setattr__(self, name, _domain.variance(name, getattr(self, name)))

    def q_map(self, q: Any) -> Any:
        """Return the second moment of a layer's pre-activations from that, `q`, of the one before.

        σw² E[f(√q z)²] + σb².
        """
        return self._each(_maps.q_map, _domain.second_moment(q))

    def q_slope(self, q: Any) -> Any:
        """Return the derivative of `q_map`: below 1 at a fixed point that attracts.

        Where f(0) is not 0, as of sigmoid, rounding adds an error of about σw² 1e-15/√q.
        """
        return self._each(_maps.q_slope, _domain.second_moment(q))

    def chi(self, q: Any) -> Any:
        """Return the factor by which a layer multiplies the squared norm of a gradient, χ₁ at q*.

        σw² E[f'(√q z)²]. Above 1 gradients explode, below 1 they vanish.
        """
        return self._each(_maps.chi, _domain.second_moment(q))

    def correlation_map(self, correlation: Any, q: Any) -> Any:
        """Return the correlation of two inputs' pre-activations from that in the layer before.

        Parameters
        ----------
        correlation : float or array_like
            In [−1, 1].
        q : float or array_like
            The second moment of both.

        Returns
        -------
        float or numpy.ndarray
            To 1e-12, for activations with kinks too; NaN where the second moment becomes 0.

        Raises
        ------
        ValueError
            For an argument outside of its domain.
        """
        return self._each(
            _maps.correlation_map, _domain.correlation(correlation), _domain.second_moment(q)
        )

    def correlation_slope(self, correlation: Any, q: Any) -> Any:
        """Return the derivative of `correlation_map` by the correlation; at 1 and q* it is χ₁.

        σw² q E[f'(u) f'(v)] divided by the next second moment.

        Parameters
        ----------
        correlation : float or array_like
            In [−1, 1].
        q : float or array_like
            The second moment of both.

        Returns
        -------
        float or numpy.ndarray
            To a relative 1e-12; NaN where the second moment becomes 0.

        Raises
        ------
        ValueError
            For an argument outside of its domain.
        """
        return self._each(
            _maps.correlation_slope, _domain.correlation(correlation), _domain.second_moment(q)
        )

    def fixed_point(self, start: Any = 1.0) -> Any:
        """Return q*, to which the second moment goes, layer after layer, from `start`.

        Found as the first sign change of q_map(q) − q on the way that the first layer takes, which
        a map that rises, as those of all common activations, cannot pass. Right to a relative
        1e-12 divided by the distance of `q_slope` from 1.

        Raises
        ------
        ValueError
            When it grows without bound.
        """
        return self._each(_maps.fixed_point, _domain.second_moment(start))

    def fixed_correlation(self, q: Any = None) -> Any:
        """Return c*, to which the correlation of two different inputs goes, layer after layer.

        1 where χ₁ is at most 1, as in the ordered phase and on the critical line. Else the fixed
        point below 1, by Newton's method from 0: the map is a power series in c without negative
        coefficients, so that it is convex on [0, 1] and the iterates rise to the fixed point.
        Right to 1e-12/(χ₁ − 1).

        Parameters
        ----------
        q : float or array_like, optional
            The second moment, which must be a fixed point of `q_map`; by default
            ``fixed_point()``.

        Raises
        ------
        ValueError
            When the second moment grows without bound.
        """
        return self._each(_maps.fixed_correlation, self._moment(q))

    def depth_scales(self, q: Any = None) -> tuple[Any, Any]:
        """Return ξ_q and ξ_c: in how many layers deviations from q* and from c* shrink to 1/e.

        −1/log of `q_slope` and of `correlation_slope` at c*, which is χ₁ where c* is 1. Infinite
        where deviations do not shrink exponentially, as those of correlations on the critical
        line; of q negative where they grow.

        Parameters
        ----------
        q : float or array_like, optional
            As of `fixed_correlation`.

        Raises
        ------
        ValueError
            When the second moment grows without bound.

        Examples
        --------
        >>> from initperf.theory import MeanField
        >>> of_q, of_correlation = MeanField("tanh", 2.5, 0.05).depth_scales()
        >>> round(of_q, 3), round(of_correlation, 3)
        (1.18, 11.796)
        """
        q = self._moment(q)
        return self._each(_maps.q_scale, q), self._each(_maps.correlation_scale, q)

    def second_moments(self, first: Any, depth: int) -> np.ndarray:
        """Return the second moments of the pre-activations of `depth` layers, the first given.

        Parameters
        ----------
        first : float or array_like
        depth : int
            At least 0.

        Returns
        -------
        numpy.ndarray
            (depth, ...): infinite once beyond 1e12.

        Raises
        ------
        ValueError
            For an argument outside of its domain.
        """
        q = np.broadcast_arrays(_domain.second_moment(first), *self._variances)[0]
        found = np.empty((whole("depth", depth, 0), *q.shape))
        for layer in range(depth):
            found[layer] = q
            diverged = q >= _maps.LARGEST
            q = np.where(diverged, math.inf, self.q_map(np.where(diverged, 0.0, q)))
        return found

    def correlations(self, first: Any, depth: int, q: Any = 1.0) -> np.ndarray:
        """Return the correlations of two inputs in `depth` layers, those of the first given.

        Parameters
        ----------
        first : float or array_like
            The correlation in the first layer.
        depth : int
            At least 0.
        q : float or array_like
            The second moment of both in the first layer.

        Returns
        -------
        numpy.ndarray
            (depth, ...); NaN once the second moment is 0.

        Raises
        ------
        ValueError
            For an argument outside of its domain.
        """
        c, q, _, _ = np.broadcast_arrays(
            _domain.correlation(first), _domain.second_moment(q), *self._variances
        )
        found = np.empty((whole("depth", depth, 0), *c.shape))
        for layer in range(depth):
            found[layer] = c
            following = self.correlation_map(np.where(np.isnan(c), 0.0, c), q)
            c, q = np.where(np.isnan(c), math.nan, np.clip(following, -1.0, 1.0)), self.q_map(q)
        return found

    def gradient_growth(self, first: Any, depth: int) -> np.ndarray:
        """Return by what the squared norm of a gradient grew between the last layer and each other.

        The norm is that of the gradient by a layer's pre-activations, divided by the last's; going
        back through a layer multiplies it by `chi` of that layer's second moment. Widths are
        equal; the weights above are taken to be independent of those below.

        Parameters
        ----------
        first : float or array_like
            The second moment of the first layer's pre-activations.
        depth : int
            At least 0.

        Returns
        -------
        numpy.ndarray
            (depth, ...): the last is 1.

        Raises
        ------
        ValueError
            For an argument outside of its domain, or a second moment that grows beyond 1e12.
        """
        q = self.second_moments(first, depth)
        factors = np.ones_like(q)
        factors[:-1] = self.chi(q[:-1])
        return np.asarray(np.cumprod(factors[::-1], axis=0)[::-1])

    @property
    def _variances(self) -> tuple[Any, Any]:
        return self.weight_variance, self.bias_variance

    def _moment(self, q: Any) -> Any:
        return self.fixed_point() if q is None else _domain.second_moment(q)

    def _each(self, function: Callable[..., float], *arguments: Any) -> Any:
        return _domain.elementwise(
            functools.partial(function, self.activation), *self._variances, *arguments
        )
