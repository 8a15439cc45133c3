"""One training configuration, frozen and in canonical form, and grids of them."""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from initperf._core.arguments import choice, number, whole

SCHEDULES = ("constant", "triangular", "cosine")
CLIPS = ("layer", "global")
RECORDS = ("step", "epoch", "none")

_SCHEDULED: dict[str, tuple[str, ...]] = {
    "constant": (),
    "triangular": ("base_rate", "half_cycle"),
    "cosine": ("base_rate", "warm_up_steps"),
}


@dataclass(frozen=True)
class Experiment:
    """What is trained, on what and how; equal experiments give the same run.

    Attributes
    ----------
    initializer : str
        Name of an initializer, or of a scheme that sets the whole network; an alias is held in
        canonical form.
    activation : str
        Name of the hidden layers' activation, held in the same way.
    hidden : tuple of int
        Widths of the hidden layers.
    dataset : str
        Name of a data set; see `initperf.data.load`.
    epochs, batch_size : int
        Passes over the training images, and images a step.
    learning_rate : float
        The rate, or the highest of a schedule.
    optimizer : str
        ``"sgd"``, ``"momentum"``, ``"nesterov"`` or ``"adam"``, as PyTorch has them.
    momentum : float
        Of ``"momentum"`` and ``"nesterov"``.
    betas : tuple of float
        How slowly the two means of ``"adam"`` forget.
    epsilon : float
        Added to the root of the second of them.
    weight_decay : float
        So much of each parameter, biases included, is added to its gradient.
    schedule : str
        ``"constant"``; ``"triangular"``, Smith's cyclical rate (1506.01186) between `base_rate`
        and `learning_rate`; ``"cosine"``, from `learning_rate` down to `base_rate` along half a
        period (Loshchilov & Hutter 2017), after a linear rise.
    base_rate : float, optional
        The lowest rate of a schedule; by default a hundredth of `learning_rate`.
    half_cycle : int
        Steps that ``"triangular"`` rises, and falls, for.
    warm_up_steps : int
        Steps that ``"cosine"`` rises for, from 0.
    clip_norm : float, optional
        The largest L2 norm of a gradient, weights and biases together.
    clip : str
        Whether `clip_norm` is for each ``"layer"`` or ``"global"``, for all of them together.
    biases : str
        ``"zeros"``, ``"constant"``, which is 0.01, or ``"fan_in_uniform"``, PyTorch's U(±1/√n)
        with n the fan-in; a scheme sets its own.
    residual : int
        Layers of a residual block, see `initperf.schemes.residual_blocks`; 0 for a network without.
    seed : int
        Seeds the initial weights and the order of the batches; experiments that differ only in
        the initializer or the activation see the same batches.
    dtype : str
        ``"float32"`` or ``"float64"``.
    backend : str
        ``"numba"`` or ``"numpy"``.
    record : str
        Statistics of every ``"step"``, of the last step of each ``"epoch"``, or ``"none"``.
    histogram_steps : tuple of int
        Steps, counted from 1, at which histograms of activations and gradients are kept.

    Notes
    -----
    A field that the chosen scheme, optimizer, schedule or clipping does not use is held at its
    default, so that experiments are equal when their runs are.

    Raises
    ------
    ValueError
        For anything out of range, names not known and schemes that do not apply to the network
        included; raised when built.
    """

    initializer: str = "he_normal"
    activation: str = "relu"
    hidden: tuple[int, ...] = (512, 256, 128)
    dataset: str = "mnist"
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 0.1
    optimizer: str = "sgd"
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    schedule: str = "constant"
    base_rate: float | None = None
    half_cycle: int = 2000
    warm_up_steps: int = 0
    clip_norm: float | None = None
    clip: str = "layer"
    biases: str = "zeros"
    residual: int = 0
    seed: int = 0
    dtype: str = "float32"
    backend: str = "numba"
    record: str = "step"
    histogram_steps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        from initperf.activations import ACTIVATIONS
        from initperf.initializers import INITIALIZERS
        from initperf.optimizers import OPTIMIZERS
        from initperf.schemes import BIASES, as_scheme

        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        scheme = as_scheme(self.initializer)
        put("initializer", scheme.name)
        put("activation", ACTIVATIONS.canonical(self.activation))
        put("hidden", tuple(whole("hidden", width, 1) for width in self.hidden))
        put("dataset", str(self.dataset))
        put("epochs", whole("epochs", self.epochs, 1))
        put("batch_size", whole("batch_size", self.batch_size, 1))
        put("seed", whole("seed", self.seed, 0))
        put("optimizer", OPTIMIZERS.canonical(self.optimizer))
        put("clip", choice("clip", self.clip, CLIPS))
        put("biases", choice("biases", self.biases, tuple(BIASES)))
        put("residual", whole("residual", +self.residual, 0))
        scheme.check(self.hidden, ACTIVATIONS[self.activation], self.residual)
        put("schedule", choice("schedule", self.schedule, SCHEDULES))
        put("dtype", choice("dtype", self.dtype, ("float32", "float64")))
        put("backend", choice("backend", self.backend, ("numba", "numpy")))
        put("record", choice("record", self.record, RECORDS))
        steps = {whole("histogram_steps", step, 1) for step in self.histogram_steps}
        put("histogram_steps", tuple(sorted(steps)))
        put("learning_rate", number("learning_rate", self.learning_rate))
        put("momentum", number("momentum", self.momentum, 1.0))
        put("betas", tuple(number("betas", beta, 1.0) for beta in self.betas))
        if len(self.betas) != 2:
            raise ValueError(f"betas must be two numbers, not {self.betas!r}")
        put("epsilon", number("epsilon", self.epsilon))
        put("weight_decay", number("weight_decay", self.weight_decay))
        put("half_cycle", whole("half_cycle", self.half_cycle, 1))
        put("warm_up_steps", whole("warm_up_steps", self.warm_up_steps, 0))
        if self.base_rate is not None:
            put("base_rate", number("base_rate", self.base_rate))
            if self.base_rate > self.learning_rate:
                raise ValueError(
                    f"base_rate must be at most learning_rate, {self.learning_rate!r}, "
                    f"not {self.base_rate!r}"
                )
        if self.clip_norm is not None:
            put("clip_norm", float(self.clip_norm))
            if not 0.0 < self.clip_norm < float("inf"):
                raise ValueError(f"clip_norm must be positive, not {self.clip_norm!r}")
        used = {*OPTIMIZERS[self.optimizer].settings, *_SCHEDULED[self.schedule]}
        if self.clip_norm is not None:
            used.add("clip")
        if self.initializer in INITIALIZERS:
            used.add("biases")
        settings = {"momentum", "betas", "epsilon", "clip", "biases"}
        for name in settings.union(*_SCHEDULED.values()) - used:
            put(name, type(self).__dataclass_fields__[name].default)

    def replace(self, **changes: Any) -> "Experiment":
        """Return the experiment with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    def name(self, digest: str, stream_version: int, training_version: int) -> str:
        """Return the name of the run: a hash of this, the data's digest and the two versions."""
        whole = f"{self.to_json()}\n{digest}\n{stream_version}\n{training_version}"
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
