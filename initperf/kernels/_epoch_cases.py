"""Test cases and benchmark loads of `initperf.kernels.train_epoch`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from initperf.activations import ACTIVATIONS
from initperf.jit.magnitudes import LIMITS
from initperf.kernels._epoch_arguments import (
    Batches,
    Descent,
    Histograms,
    Network,
    Records,
    work_size,
)
from initperf.kernels._kernel import Case, Place
from initperf.kernels._load import FLOATS, Load, both
from initperf.losses import CLASSIFICATION, LOSSES, PointwiseLoss
from initperf.optimizers import OPTIMIZERS

_STATE: tuple[Place, ...] = ((0, "parameters"), (0, "gradients"), (2, "memories"))
_SERIES: tuple[Place, ...] = ((3, "losses"), (3, "scores"))
_STATISTICS: tuple[Place, ...] = ((3, "statistics"),)
_HISTOGRAMS: tuple[Place, ...] = ((3, "histograms", "bounds"), (3, "histograms", "counts"))
_WORK: tuple[Place, ...] = ((0, "work"),)

_RATES = (0.1, 0.05, 0.2)
_EPSILON = 0.1
_SETTINGS: dict[str, Any] = {"betas": (0.9, 0.99), "epsilon": _EPSILON, "weight_decay": 0.01}


@dataclass(frozen=True)
class _Training:
    """A small training, of as many steps as there are rates.

    Attributes
    ----------
    label : str
    sizes : tuple of int
        Widths from the input to the logits.
    blocks : tuple of range
    activation, optimizer, loss : str
    images, batch_size : int
        23 images in batches of 8 leave 7 for the last step.
    recorded : int
        Steps of which statistics are taken.
    clip_norm : float
    clip_globally, layer_rates, histograms : bool
    diverges : str
        How: ``"input"`` at layer 0 of step 1, ``"weights"`` at layer 1 of step 0, ``"gradient"``
        at layer 0 of step 0, ``"update"`` at the last layer of step 1; empty for not at all.
    """

    label: str
    sizes: tuple[int, ...] = (11, 9, 5, 4)
    blocks: tuple[range, ...] = ()
    activation: str = "relu"
    optimizer: str = "sgd"
    loss: str = CLASSIFICATION.name
    images: int = 23
    batch_size: int = 8
    recorded: int = 3
    clip_norm: float = 0.0
    clip_globally: bool = False
    layer_rates: bool = False
    histograms: bool = False
    diverges: str = ""

    def arguments(self, dtype: str) -> tuple[Network, Batches, Descent, Records]:
        """Return fresh arguments of the kernel."""
        rng, sizes = np.random.default_rng(1), np.array(self.sizes)
        images = rng.standard_normal((self.images, sizes[0])).astype(dtype)
        targets, order = rng.integers(0, sizes[-1], self.images), rng.permutation(self.images)
        count = int(np.sum((sizes[:-1] + 1) * sizes[1:]))
        parameters = (0.5 * rng.standard_normal(count)).astype(dtype)
        rates = np.array(_RATES)[: -(-self.images // self.batch_size)]
        layers, first = len(sizes) - 1, sizes[0] * sizes[1]
        limit = LIMITS[dtype]
        if self.diverges == "input":
            images[order[self.batch_size]] *= 10.0 * limit
        elif self.diverges == "weights":
            parameters[first + sizes[1] :][: sizes[1] * sizes[2]] *= limit**0.5
            images[order[0]] *= 10.0 * limit**0.5
        elif self.diverges == "gradient":
            parameters[:first] = 0.0
            images[order[0]] *= 100.0 * limit
        elif self.diverges == "update":
            rates[1] = 1e3 * limit
        loss = LOSSES[self.loss]
        if isinstance(loss, PointwiseLoss):
            targets = rng.standard_normal((self.images, sizes[-1])).astype(dtype)
        optimizer = OPTIMIZERS[self.optimizer]
        settings = {name: _SETTINGS[name] for name in _SETTINGS if hasattr(optimizer, name)}
        factors = optimizer.replace(**settings).factors(rates, 0)
        descent = Descent.start(optimizer, factors, parameters)
        records = Records.of(len(rates), layers, self.recorded)
        if self.histograms:
            wanted = np.arange(len(rates)) != 1
            records = records._replace(histograms=Histograms.of(wanted, layers))
        return (
            Network(
                sizes=sizes,
                activation=ACTIVATIONS[self.activation],
                blocks=self.blocks,
                parameters=parameters,
                gradients=np.zeros_like(parameters),
                work=np.zeros(work_size(sizes, self.batch_size), dtype),
            ),
            Batches(images, targets, order, self.batch_size),
            descent._replace(
                loss=loss,
                clip_norm=self.clip_norm,
                clip_globally=self.clip_globally,
                layer_rates=rng.uniform(0.5, 1.5, (layers, 2)) if self.layer_rates else None,
            ),
            records,
        )

    def case(self, dtype: str) -> Case:
        """Return the test case for a dtype."""
        writes, unspecified = _SERIES, _WORK
        if self.diverges:
            unspecified += (*_STATE, *_STATISTICS)
        else:
            writes += (*_STATE, *_STATISTICS, *_HISTOGRAMS * self.histograms)
        # Three steps, each through the layers and back: sums of at most so many terms, one rounding
        # each. Momentum adds up the errors of three steps. Adam's step changes with the gradient by
        # at most its rate / epsilon, 0.2 / 0.1.
        terms = max(*self.sizes, self.batch_size)
        amplified = 3.0 if OPTIMIZERS[self.optimizer].memories else 1.0
        tolerance = amplified * 3 * 2 * len(self.sizes) * terms * float(np.finfo(dtype).eps)
        return Case(
            f"{dtype}-{self.label}",
            lambda: self.arguments(dtype),
            writes=writes,
            unspecified=unspecified,
            tolerance=tolerance,
        )


def _trainings() -> Iterator[_Training]:
    yield _Training("one-hidden-layer", (11, 7, 4))
    yield _Training("no-hidden-layer", (11, 4))
    yield _Training("clipped-by-layer", clip_norm=0.5)
    yield _Training("clipped-globally", clip_norm=0.5, clip_globally=True)
    one, two = (range(1, 2), range(2, 3)), (range(1, 3),)
    yield _Training("blocks-of-one", (11, 6, 6, 6, 4), one)
    yield _Training("blocks-of-two", (11, 6, 5, 6, 6, 4), two, "tanh")
    for optimizer in OPTIMIZERS:
        yield _Training(optimizer, optimizer=optimizer, activation="tanh", layer_rates=True)
    for name, loss in LOSSES.items():
        if isinstance(loss, PointwiseLoss):
            yield _Training(name, loss=name, activation="tanh")
            yield _Training(f"{name}-of-one-output", (11, 5, 1), loss=name, clip_norm=0.5)
    yield _Training("nothing-recorded", recorded=0)
    yield _Training("last-step-recorded", recorded=1)
    yield _Training("one-step", batch_size=23, recorded=1)
    # tiles of the product of small matrices, but in the last step, whose batch is too small
    yield _Training("small-products", (16, 16, 16, 4), (range(1, 2),), batch_size=8)
    yield _Training("width-1", (11, 1, 4))
    yield _Training("width-1-within", (11, 4, 1, 4, 4), two, "tanh")
    yield _Training("widths-1", (11, 1, 1, 1, 4), one, "tanh")
    yield _Training("one-feature", (1, 5, 4))
    yield _Training("one-class", (11, 5, 1))
    yield _Training("batches-of-1", images=3, batch_size=1, clip_norm=0.5)
    yield _Training("all-1", (1, 1, 1), images=2, batch_size=1, recorded=2)
    for where in ("input", "weights", "gradient", "update"):
        for clip_norm in (0.0, 0.5):
            label = f"diverges-by-{where}{'-clipped' * (clip_norm > 0.0)}"
            sizes = (11, 7, 5, 4)
            yield _Training(
                label, sizes, activation="linear", clip_norm=clip_norm, recorded=0, diverges=where
            )


def cases() -> Iterator[Case]:
    """Generate the test cases."""
    for dtype in FLOATS:
        for training in _trainings():
            yield training.case(dtype)
    # in float64 alone: a rounding of float32 may move a value that is near an edge of a bin
    yield _Training("histograms", histograms=True).case("float64")


def loads() -> Iterator[Load]:
    """Generate one step of gradient descent, without statistics, in two networks."""
    for batch, *widths in ((32, 784, 256, 10), (128, 784, 512, 256, 128, 10)):
        products = [fan_in * fan_out for fan_in, fan_out in pairwise(widths)]
        count = sum(products) + sum(widths[1:])

        def arguments(
            dtype: str, batch: int = batch, widths: Sequence[int] = widths, count: int = count
        ) -> tuple[Any, ...]:
            rng, sizes = np.random.default_rng(0), np.array(widths)
            images = rng.standard_normal((batch, widths[0])).astype(dtype)
            parameters = (0.01 * rng.standard_normal(count)).astype(dtype)
            order = np.arange(batch)
            return (
                Network(
                    sizes=sizes,
                    activation=ACTIVATIONS["relu"],
                    blocks=(),
                    parameters=parameters,
                    gradients=np.zeros_like(parameters),
                    work=np.zeros(work_size(sizes, batch), dtype),
                ),
                Batches(images, order % widths[-1], order, batch),
                Descent.plain(np.full(1, 1e-4), parameters),
                Records.of(1, len(widths) - 1),
            )

        # forward, and back twice but for the first layer; the update
        operations = both(2 * batch * (3 * sum(products) - products[0]) + 2 * count)
        # weights read twice and written, gradients written and read; the images
        moved = 5 * count + batch * widths[0]
        label = f"{'-'.join(map(str, widths))}, batch {batch}"
        yield Load(label, arguments, operations, moved)
