"""Parts of an experiment: network, data, clipping and recording, one record each."""

from dataclasses import dataclass

from initperf._core.arguments import choice
from initperf._core.schema import Range, Record, setting

_COUNT = Range(at_least=1)


@dataclass(frozen=True)
class Network(Record):
    """Multilayer perceptron: what is trained.

    Attributes
    ----------
    activation : str
        Name of the hidden layers' activation, in canonical form.
    hidden : tuple of int
        Widths of the hidden layers.
    residual : int
        Layers of a residual block, see `initperf.schemes.residual_blocks`; 0 for a network without.
    biases : str
        ``"zeros"``, ``"constant"``, which is 0.01, or ``"fan_in_uniform"``, PyTorch's U(±1/√n)
        with n the fan-in. A scheme sets its own: the field is then at its default.
    dtype : str
        Of parameters and images, ``"float32"`` or ``"float64"``.
    """

    activation: str = setting(
        "relu",
        "activation of the hidden layers",
        registries=("initperf.activations:ACTIVATIONS",),
        compared=False,
    )
    hidden: tuple[int, ...] = setting(
        (512, 256, 128),
        "widths of the hidden layers",
        allowed=_COUNT,
        unit="units",
        separator="-",
    )
    residual: int = setting(
        0,
        "hidden layers of a residual block, which adds its input to its output; 0 for none, "
        "and 1 where no number is given",
        allowed=Range(at_least=0),
        unit="layers",
        switch=True,
    )
    biases: str = setting(
        "zeros",
        "first biases: zeros, constant (0.01) or fan_in_uniform (PyTorch's); of initializers, "
        "as schemes set their own",
    )
    dtype: str = setting(
        "float32", "number type of parameters and images", allowed=("float32", "float64")
    )

    def __post_init__(self) -> None:
        from initperf.activations import ACTIVATIONS
        from initperf.schemes import BIASES

        super().__post_init__()
        object.__setattr__(self, "activation", ACTIVATIONS.canonical(self.activation))
        object.__setattr__(self, "biases", choice("biases", self.biases, tuple(BIASES)))


@dataclass(frozen=True)
class Data(Record):
    """Images, and how they are passed over.

    Attributes
    ----------
    dataset : str
        Name of a data set; see `initperf.data.load`.
    epochs : int
        Passes over the training images.
    batch_size : int
        Images of a step.
    """

    dataset: str = setting(
        "mnist",
        "data set, or a file of one's own, .npz or .csv",
        registries=("initperf.data:DATASETS",),
    )
    epochs: int = setting(10, "passes over the training images", allowed=_COUNT, unit="epochs")
    batch_size: int = setting(128, "images of a step", allowed=_COUNT, unit="images")


@dataclass(frozen=True)
class Clipping(Record):
    """Limit of the gradients' L2 norm, weights and biases together.

    Attributes
    ----------
    clip_norm : float or None
        Largest norm; None for no limit.
    clip : str
        Whether the norm is of each ``"layer"`` or ``"global"``, of all of them together; at its
        default where there is no limit.
    """

    clip_norm: float | None = setting(
        None, "largest L2 norm of a gradient; by default no limit", allowed=Range(above=0.0)
    )
    clip: str = setting(
        "layer", "whether the norm is of each layer or of all together", allowed=("layer", "global")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.clip_norm is None:
            object.__setattr__(self, "clip", "layer")


@dataclass(frozen=True)
class Recording(Record):
    """What is kept of a run.

    Attributes
    ----------
    record : str
        Statistics of every ``"step"``, of the last step of each ``"epoch"``, or ``"none"``.
    histogram_steps : tuple of int
        Steps, counted from 1, at which histograms of activations and gradients are kept; sorted,
        each once.
    """

    record: str = setting(
        "step",
        "keep statistics of every step, of the last step of each epoch, or none",
        allowed=("step", "epoch", "none"),
        compared=False,
    )
    histogram_steps: tuple[int, ...] = setting(
        (),
        "steps, counted from 1, at which histograms of activations and gradients are kept",
        allowed=_COUNT,
        unit="steps",
        compared=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "histogram_steps", tuple(sorted(set(self.histogram_steps))))


PARTS: dict[str, type[Record]] = {
    "network": Network,
    "data": Data,
    "clipping": Clipping,
    "recording": Recording,
}
"""Parts by the name of the experiment's field."""
