"""Two inputs and a perturbation sent through an untrained network, beside mean-field theory.

Poole et al. 2016 and Schoenholz et al. 2017 predict how the correlation of two inputs changes with
depth, Pennington, Schoenholz & Ganguli 2017 the singular values of the input-output Jacobian.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from initperf._core.progress import Progress
from initperf.activations import ACTIVATIONS
from initperf.data import Dataset
from initperf.schemes import as_scheme
from initperf.theory import JacobianSpectrum, MeanField
from initperf.training._epochs import CLASSES
from initperf.training.each_network import EachNetwork
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

if TYPE_CHECKING:
    import pandas as pd

_PAIRS = 16
_IMAGES = 512  # the largest batch that a scheme looks at
_CENTRED = 100.0  # least ratio of variance and squared mean of weights that theory applies to
_STEADY = 1.1  # largest ratio of second moments that count as equal
_DEPTHS = (1, 2, 4, 8, 16, 32, 64)  # of which singular values are computed


def propagation_table(
    experiment: Experiment, images: np.ndarray, labels: np.ndarray | None = None
) -> "pd.DataFrame":
    """Send pairs of inputs through the hidden layers of an untrained network.

    The weights are those that would be trained, of the experiment's dtype; what is computed of
    them is in float64.

    Parameters
    ----------
    experiment : Experiment
        Says initializer, activation, hidden layers, biases, seed and dtype; without residual
        blocks.
    images : numpy.ndarray
        (count, features), of which the first make the pairs, each scaled to a mean square of 1.
    labels : numpy.ndarray, optional
        (count,), for a scheme that uses them.

    Returns
    -------
    pandas.DataFrame
        One row a hidden layer. ``correlation`` and ``second_moment`` are of pre-activations,
        means over the pairs, and ``…_theory`` what follows from those of the first layer and the
        variances of the weights and the biases drawn. ``rms_singular`` and
        ``largest_singular`` are of the derivative of its pre-activations by those of the first
        layer, for one input, NaN at most depths. Theory knows the largest only where the second
        moment is the same in all layers.
    """
    import pandas as pd

    sizes = (images.shape[1], *experiment.hidden, CLASSES)
    network = Mlp(sizes, experiment.activation, experiment.dtype)
    scheme = as_scheme(experiment.rule, experiment.biases)
    classes = None if labels is None else labels[: scheme.images]
    batch = images[: scheme.images].astype(experiment.dtype)
    network.initialize(scheme, rng=experiment.seed, batch=batch, labels=classes)
    layers = [(w.astype(np.float64), b.astype(np.float64)) for w, b in network.layers()][:-1]
    inputs = images[: 2 * _PAIRS].astype(np.float64)
    inputs /= np.sqrt((inputs**2).mean(axis=1, keepdims=True)).clip(1e-12)
    rows = _measured(network, layers, inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        _add_theory(rows, experiment, layers)
    return pd.DataFrame(
        {
            "initializer": experiment.initializer,
            "activation": experiment.activation,
            "seed": experiment.seed,
            "layer": np.arange(1, len(layers) + 1),
            **{name: np.where(np.isfinite(x), x, np.nan) for name, x in rows.items()},
        }
    )


def _measured(
    network: Mlp, layers: list[tuple[np.ndarray, np.ndarray]], inputs: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the measured columns of `propagation_table`.

    Parameters
    ----------
    network : Mlp
    layers : list of tuple of numpy.ndarray
        Weights and biases of the hidden layers.
    inputs : numpy.ndarray
        (2 · pairs, features); a pair is an input and the next.
    """
    names = ("second_moment", "correlation", "rms_singular", "largest_singular")
    found = {name: np.full(len(layers), np.nan) for name in names}
    activation = network.activation
    x, slopes, jacobian = inputs, np.ones(0), np.eye(len(layers[0][1]))
    with np.errstate(all="ignore"):
        for place, (weights, biases) in enumerate(layers):
            if place:
                jacobian = jacobian @ (slopes[:, None] * weights)
            z = x @ weights + biases
            squares = (z**2).mean(axis=1)
            if not np.isfinite(squares).all():
                break  # activations may map NaN to a number
            products = (z[::2] * z[1::2]).mean(axis=1)
            found["second_moment"][place] = squares.mean()
            if weights.std() > 0.0:  # else all units are equal, and correlations are ±1
                pairs = products / np.sqrt(squares[::2] * squares[1::2])
                found["correlation"][place] = pairs.mean()
            if place in _DEPTHS and np.isfinite(jacobian).all():
                values = np.linalg.svd(jacobian, compute_uv=False)
                found["rms_singular"][place] = np.sqrt((values**2).mean())
                found["largest_singular"][place] = values[0]
            x, slopes = activation.value(z), activation.derivative(z[0])
    return found


def _add_theory(
    rows: dict[str, np.ndarray],
    experiment: Experiment,
    layers: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Add the columns of theory, NaN where it says nothing: weights with a mean, and overflow.

    Parameters
    ----------
    rows : dict of numpy.ndarray
        The measured columns, to which those of theory are added.
    experiment : Experiment
    layers : list of tuple of numpy.ndarray
        Weights and biases, whose variances theory takes.
    """
    count = len(layers)
    for name in ("second_moment", "correlation", "rms_singular", "largest_singular"):
        rows[f"{name}_theory"] = np.full(count, np.nan)
    q, c = float(rows["second_moment"][0]), float(rows["correlation"][0])
    activation, orthogonal = (
        ACTIVATIONS[experiment.activation],
        "orthogonal" in experiment.initializer,
    )
    gain, moments = 1.0, [q]
    try:
        for place, (weights, biases) in enumerate(layers):
            if place:
                spread, centre = float(weights.var()), float(weights.mean())
                if spread <= _CENTRED * centre**2 or spread == 0.0:
                    return
                variance = len(weights) * spread
                field = MeanField(activation, variance, float(biases.var()))
                gain *= float(field.chi(q))
                if place in _DEPTHS:
                    rows["rms_singular_theory"][place] = np.sqrt(gain)
                    if max(moments) < _STEADY * min(moments):
                        spectrum = JacobianSpectrum(field, q=q, orthogonal=orthogonal)
                        edge = spectrum.largest(place) / spectrum.mean(place)
                        rows["largest_singular_theory"][place] = np.sqrt(gain * edge)
                c, q = float(field.correlation_map(c, q)), float(field.q_map(q))
                moments.append(q)
            rows["second_moment_theory"][place] = q
            rows["correlation_theory"][place] = c
    except ValueError:
        return  # a moment has grown out of the domain of the maps, or all is 0


def propagations(experiments: Iterable[Experiment], dataset: Dataset) -> EachNetwork:
    """Return how `propagations_table` is made; parameters as there."""
    count = min(_IMAGES, len(dataset.test_labels))
    images = dataset.features("test", "float64", count)
    labels = dataset.test_labels[:count]
    return EachNetwork(
        tuple(one for one in experiments if not one.residual),
        lambda one: propagation_table(one, images, labels),
        ("initializer", "activation", "seed", "layer"),
    )


def propagations_table(
    experiments: Iterable[Experiment], dataset: Dataset, progress: Progress
) -> "pd.DataFrame":
    """Return `propagation_table` of every experiment without residual blocks.

    Parameters
    ----------
    experiments : iterable of Experiment
    dataset : Dataset
        Its first test images are the inputs.
    progress : callable
    """
    return propagations(experiments, dataset).table(progress)
