"""Growth of ‖Ju‖ in many small ReLU networks at a time, J the input-output Jacobian."""

from collections.abc import Iterator

import numpy as np

from initperf.claims._random import normals

_CHUNK = 50
_START = 1 << 40


def jacobian_factors(
    seed: int, networks: int, width: int, layers: int, variance: float
) -> Iterator[np.ndarray]:
    """Give by what each layer multiplies ‖Ju‖² in networks of their own, without biases.

    The signal that decides which units are active and the vector u are independent.

    Parameters
    ----------
    seed : int
    networks : int
        A multiple of 50.
    width, layers : int
    variance : float
        n times the variance of a weight.

    Yields
    ------
    numpy.ndarray
        (50, layers): the factors of 50 networks.
    """
    scale = (variance / width) ** 0.5
    for chunk in range(networks // _CHUNK):
        x = normals(seed, _START + chunk, (_CHUNK, 2, width))
        before = np.square(x).sum(axis=2)
        factors = np.empty((_CHUNK, layers))
        for layer in range(layers):
            w = normals(seed, chunk * layers + layer, (_CHUNK, width, width), scale)
            x = x @ w
            x *= x[:, :1] > 0.0
            after = np.square(x).sum(axis=2)
            factors[:, layer] = after[:, 1] / before[:, 1]
            x /= np.sqrt(after)[:, :, None]
            before = np.square(x).sum(axis=2)
        yield factors


def log_norms(seed: int, networks: int, width: int, layers: int, variance: float) -> np.ndarray:
    """Return ln ‖Ju‖² of each network, (networks,), for ‖u‖ = 1; see `jacobian_factors`."""
    chunks = jacobian_factors(seed, networks, width, layers, variance)
    return np.concatenate([np.log(factors).sum(axis=1) for factors in chunks])
