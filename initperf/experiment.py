"""One training configuration, frozen and in canonical form, and grids of them."""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from initperf.registry import Registry

OPTIMIZERS = ("sgd",)
SCHEDULES = ("constant", "triangular")
RECORDS = ("step", "epoch", "none")


def _choice(kind: str, value: str, allowed: tuple[str, ...]) -> str:
    names: Registry[str] = Registry(kind)
    for name in allowed:
        names.register(name, name)
    return names[value]


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")
    return int(value.__index__())


@dataclass(frozen=True)
class Experiment:
    """What is trained, on what and how; equal experiments give the same run.

    Attributes
    ----------
    initializer, activation : str
        Names, aliases included; held in canonical form.
    hidden : tuple of int
        Widths of the hidden layers.
    dataset : str
        Name of a data set; see `initperf.data.load`.
    epochs, batch_size : int
        Passes over the training images, and images a step.
    learning_rate : float
        The rate, or the highest of a schedule.
    optimizer : str
        ``"sgd"``.
    schedule : str
        ``"constant"``, or ``"triangular"``: Smith's cyclical rate (1506.01186) between a
        hundredth of `learning_rate` and all of it, half a cycle 2,000 steps.
    clip_norm : float, optional
        The largest L2 norm of a layer's gradient, weights and biases together.
    seed : int
        Seeds the initial weights and the order of the batches; experiments that differ only in
        the initializer or the activation see the same batches.
    dtype : str
        ``"float32"`` or ``"float64"``.
    backend : str
        ``"numba"`` or ``"numpy"``.
    record : str
        Statistics of every ``"step"``, of the last step of each ``"epoch"``, or ``"none"``.

    Raises
    ------
    ValueError
        For anything out of range, names not known included; raised when built.
    """

    initializer: str = "he_normal"
    activation: str = "relu"
    hidden: tuple[int, ...] = (512, 256, 128)
    dataset: str = "mnist"
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 0.1
    optimizer: str = "sgd"
    schedule: str = "constant"
    clip_norm: float | None = None
    seed: int = 0
    dtype: str = "float32"
    backend: str = "numba"
    record: str = "step"

    def __post_init__(self) -> None:
        from initperf.activations import ACTIVATIONS
        from initperf.initializers import INITIALIZERS

        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("initializer", INITIALIZERS.canonical(self.initializer))
        put("activation", ACTIVATIONS.canonical(self.activation))
        put("hidden", tuple(_whole("hidden", width, 1) for width in self.hidden))
        put("dataset", str(self.dataset))
        put("epochs", _whole("epochs", self.epochs, 1))
        put("batch_size", _whole("batch_size", self.batch_size, 1))
        put("seed", _whole("seed", self.seed, 0))
        put("optimizer", _choice("optimizer", self.optimizer, OPTIMIZERS))
        put("schedule", _choice("schedule", self.schedule, SCHEDULES))
        put("dtype", _choice("dtype", self.dtype, ("float32", "float64")))
        put("backend", _choice("backend", self.backend, ("numba", "numpy")))
        put("record", _choice("record", self.record, RECORDS))
        put("learning_rate", float(self.learning_rate))
        if not 0.0 <= self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate must be at least 0, not {self.learning_rate!r}")
        if self.clip_norm is not None:
            put("clip_norm", float(self.clip_norm))
            if not 0.0 < self.clip_norm < float("inf"):
                raise ValueError(f"clip_norm must be positive, not {self.clip_norm!r}")

    def replace(self, **changes: Any) -> "Experiment":
        """Return the experiment with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    def name(self, digest: str, stream_version: int) -> str:
        """Return the name of the run: a hash of this, the data's digest and the stream version."""
        whole = f"{self.to_json()}\n{digest}\n{stream_version}"
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def grid(**fields: Any) -> Iterator[Experiment]:
    """Make the experiments of a grid, the last field varying fastest.

    Parameters
    ----------
    **fields
        Fields of `Experiment`; a list stands for all its values.

    Yields
    ------
    Experiment

    Examples
    --------
    >>> len(list(grid(initializer=["he_normal", "zeros"], seed=[0, 1, 2])))
    6
    """
    values = [value if isinstance(value, list) else [value] for value in fields.values()]
    for chosen in itertools.product(*values):
        yield Experiment(**dict(zip(fields, chosen, strict=True)))
