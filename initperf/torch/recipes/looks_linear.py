"""Looks-linear weights: mirrored blocks that make a network of rectifiers a linear map at first.

Balduzzi et al., "The shattered gradients problem", arXiv:1702.08591, section 4: layers that read
the concatenation (relu(x), relu(−x)) get (W, −W), with W orthogonal, so that they pass on Wx.
Networks of plain rectifiers pass both signs on where their units are mirrored too: the first layer
(W; −W), hidden layers (W, −W; −W, W), the last (W, −W), as Burkholz & Dubatovka, "Initialization
of ReLUs for dynamical isometry", arXiv:1806.06362, have it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers._whole import Whole
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, register, role
from initperf.torch.recipes._ends import is_first, is_last


@dataclass(frozen=True, kw_only=True)
class Mirrored(Whole):
    """A weight drawn for half of its inputs, outputs or both; the other half has the other sign.

    Attributes
    ----------
    rule : str
        Initializer of one block.
    inputs, outputs : bool
        Whether the second half of the inputs, and of the outputs, mirrors the first.
    """

    rule: str = "orthogonal"
    inputs: bool = True
    outputs: bool = True

    def _block(self, shape: Any) -> tuple[Initializer, tuple[int, ...]]:
        """Return the rule of one block, with the layer's axes, and its shape."""
        self._channels(shape)  # which checks that there are two axes
        lengths = list(as_shape(shape))
        for mirrored, axis, what in (
            (self.inputs, self.in_axis, "inputs"),
            (self.outputs, self.out_axis, "outputs"),
        ):
            if mirrored and lengths[axis] % 2:
                raise ValueError(f"mirrored {what} are an even number, not {lengths[axis]}")
            lengths[axis] //= 2 if mirrored else 1
        found: Any = INITIALIZERS[self.rule]
        return found.replace(in_axis=self.in_axis, out_axis=self.out_axis), tuple(lengths)

    def _check(self, out: np.ndarray) -> None:
        rule, shape = self._block(out.shape)
        rule.filler(np.broadcast_to(np.zeros((), out.dtype), shape))

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        rule, shape = self._block(out.shape)
        block = np.empty(shape, out.dtype)
        rule.draw_into(block, source)
        for i in range(1 + self.inputs):
            for j in range(1 + self.outputs):
                place = [slice(None)] * out.ndim
                for axis, number in ((self.in_axis, i), (self.out_axis, j)):
                    length = shape[axis]
                    place[axis] = slice(number * length, (number + 1) * length)
                out[tuple(place)] = -block if (i + j) % 2 else block

    def mean(self, shape: Any) -> float:
        """Return the expectation over all entries: 0 as soon as anything is mirrored."""
        rule, block = self._block(shape)
        return 0.0 if self.inputs or self.outputs else rule.mean(block)

    def std(self, shape: Any) -> float:
        """Return the root of an entry's mean square; the block's mean is 0."""
        rule, block = self._block(shape)
        return rule.std(block)

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the block's interval and its mirror image."""
        rule, block = self._block(shape)
        low, high = rule.support(block)
        reach = max(abs(low), abs(high))
        return -reach, reach


@dataclass(frozen=True, kw_only=True)
class LooksLinear(Recipe):
    """Mirrored orthogonal weights, biases 0; each process draws whole weights.

    Attributes
    ----------
    concatenated : bool
        Whether layers after the first read (relu(x), relu(−x)), and so mirror their inputs alone;
        else rectifiers are plain, and hidden layers mirror inputs and outputs, which both must be
        even in number.
    """

    concatenated: bool = False

    def _weight(self, parameter: Parameter) -> Initializer:
        outputs = not self.concatenated and not is_last(parameter)
        return Mirrored(inputs=not is_first(parameter), outputs=outputs)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (*NORMALIZATIONS, Assign(role("weight"), self._weight), *BIASES)


register(
    LooksLinear(
        name="looks_linear",
        formula="first (W; −W), hidden (W, −W; −W, W), last (W, −W), W orthogonal; biases 0",
        cite="Balduzzi et al. 2017 (1702.08591), section 4; 1806.06362",
    ),
    aliases=("ll_init",),
)
