"""Weights that transform a frame of a signal to its spectrum.

Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier transform",
IEEE Transactions on Acoustics, Speech, and Signal Processing 25, 1977; `STFT` of Keras, for the
kernel (frame length, 1, frequencies) of a one-dimensional convolution.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import number, shown
from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers._initializer import register
from initperf.initializers._whole import Whole

_DEFAULT = "hann"


@dataclass(frozen=True, kw_only=True)
class ShortTimeFourier(Whole):
    """Cosines or sines of equally spaced frequencies, times a window.

    Output k of K has the frequency k/(2K − 2) of the sampling rate, from 0 to one half; a frame
    holds the entries that feed an output, in C order. A single output has the frequency 0.

    Attributes
    ----------
    side : str
        ``"real"`` for cos, ``"imag"`` for −sin of the angle: the parts of exp(−i angle).
    window : str, tuple or None
        A name of ``scipy.signal.windows``, a tuple of one and its parameters, as
        ``("kaiser", 8.6)``, a tuple of numbers, one for each place of the frame, or None.
    scaling : str or None
        Divisor of the window: ``"density"`` for its L2 norm, ``"spectrum"`` for its L1 norm, None
        for 1.
    periodic : bool
        Whether a window given by its name is periodic rather than symmetric.
    """

    side: str = "real"
    window: str | tuple[Any, ...] | None = _DEFAULT
    scaling: str | None = "density"
    periodic: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("side", ("real", "imag"))
        if self.scaling is not None:
            self.check_choice("scaling", ("density", "spectrum"))
        if not isinstance(self.periodic, bool):
            raise ValueError(f"periodic must be True or False, not {shown(self.periodic)}")
        if isinstance(self.window, list):
            object.__setattr__(self, "window", tuple(self.window))
        if isinstance(self.window, tuple) and self.window and not isinstance(self.window[0], str):
            numbers = (
                number(f"window[{place}]", value, least=-math.inf)
                for place, value in enumerate(self.window)
            )
            object.__setattr__(self, "window", tuple(numbers))
        # importing SciPy's windows is slow, and the default one is known to exist
        if self.window is not None and self.window != _DEFAULT:
            self._values(None)

    def _values(self, length: int | None) -> np.ndarray:
        """Return the window before it is scaled, float64; None for any length that it can have."""
        window = self.window
        if window is None:
            return np.ones(length or 1)
        if isinstance(window, tuple) and window and not isinstance(window[0], str):
            if length not in (None, len(window)):
                raise ValueError(f"window has {len(window)} values for a frame of {length}")
            return np.array(window, dtype=np.float64)
        from scipy.signal import get_window

        try:
            if not window or not isinstance(window, (str, tuple)):
                raise ValueError("it is neither")
            values: np.ndarray = get_window(window, length or 1, fftbins=self.periodic)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "window must be a name of scipy.signal.windows, a tuple of one and its "
                f"parameters, a tuple of numbers, or None, not {shown(window)}: {error}"
            ) from None
        return values

    def _window(self, shape: Any) -> np.ndarray:
        frame, _ = self._matrix_shape(shape)
        values = self._values(frame)
        if self.window is None or self.scaling is None:
            return values
        norm = float(np.linalg.norm(values, 2 if self.scaling == "density" else 1))
        if not norm > 0.0:
            raise ValueError(
                f"the window {self.window!r} is 0 everywhere in a frame of {frame}, and cannot be "
                "scaled; a longer frame or scaling=None would be right"
            )
        scaled: np.ndarray = values / norm
        return scaled

    def _matrix(self, shape: Any) -> np.ndarray:
        """Return the weight as a matrix (frame, outputs), float64."""
        frame, outputs = self._matrix_shape(shape)
        period = max(1, 2 * (outputs - 1))
        # integer arithmetic removes whole turns, so that the angle is not rounded
        turns = np.outer(np.arange(frame), np.arange(outputs)) % period / period
        angle = 2.0 * math.pi * turns
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        matrix: np.ndarray = wave * self._window(shape)[:, None]
        return matrix

    def _check(self, out: np.ndarray) -> None:
        self._window(out.shape)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        moved = np.moveaxis(out, (self.in_axis, self.out_axis), (-2, -1))
        moved[...] = self._matrix(out.shape).reshape(moved.shape)

    def mean(self, shape: Any) -> float:
        """Return the mean entry, from the sum of a cosine or sine over the frequencies."""
        frame, outputs = self._matrix_shape(shape)
        half, time = max(1, outputs - 1), np.arange(frame)
        odd = time % 2 == 1
        if outputs == 1:
            sums = np.ones(frame) if self.side == "real" else np.zeros(frame)
        elif self.side == "real":
            sums = np.where(time % (2 * half) == 0, half, 0.0) + np.where(odd, 0.0, 1.0)
        else:
            sums = np.where(odd, -1.0 / np.tan(0.5 * math.pi * np.where(odd, time, 1) / half), 0.0)
        return float(self._window(shape) @ sums) / math.prod(as_shape(shape))

    def std(self, shape: Any) -> float:
        """Return the standard deviation over the entries, from the sums of squares likewise."""
        frame, outputs = self._matrix_shape(shape)
        half = max(1, outputs - 1)
        whole = np.where(np.arange(frame) % half == 0, half, 0.0)
        cosines = 0.5 * (outputs + 1.0 + whole) if outputs > 1 else np.ones(frame)
        sums = cosines if self.side == "real" else outputs - cosines
        square = float(self._window(shape) ** 2 @ sums) / math.prod(as_shape(shape))
        return math.sqrt(max(0.0, square - self.mean(shape) ** 2))

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the least and the greatest entry."""
        matrix = self._matrix(shape)
        return float(matrix.min()), float(matrix.max())


register(
    "short_time_fourier",
    ShortTimeFourier(
        formula="cos(2π t k / (2K − 2)) h(t) / |h|, Hann's window h",
        cite="Allen 1977; Keras, STFT",
        suits=("linear",),
        in_report=False,
    ),
    aliases=("stft", "stft_initializer"),
)
