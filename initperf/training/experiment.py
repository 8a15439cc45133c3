"""One training configuration as nested records, with the flat names of its settings."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from initperf._core.arguments import shown
from initperf._core.markup import record
from initperf._core.nearest import suggestion
from initperf._core.rule import Rule
from initperf._core.schema import Range, Record, Setting, setting, settings_of, values_of
from initperf.errors import PluginError, UnsuitableError
from initperf.optimizers import Optimizer
from initperf.training.choices import CHOICES
from initperf.training.parts import PARTS, Clipping, Data, Network, Recording
from initperf.training.schedules import Schedule

if TYPE_CHECKING:
    from initperf.initializers import Initializer
    from initperf.schemes import Scheme


@dataclass(frozen=True, init=False)
class Experiment:
    """What is trained, on what and how; equal experiments give the same run.

    Each setting is a field of one of the nested records, which say what it can be. All fields have
    names of their own, so that a setting is given, changed and read by that flat name:
    ``Experiment(hidden=(64,))``, ``experiment.replace(hidden=(32,))`` and ``experiment.hidden``
    reach ``experiment.network.hidden``. Optimizers and schedules are chosen by name, and their
    settings given beside it: ``Experiment(optimizer="adam", epsilon=1e-7)``.

    Parameters
    ----------
    initializer : str, Initializer or Scheme, optional
        Name of an initializer, or of a scheme that sets the whole network, perhaps with
        parameters: ``"he_normal(gain=2)"``; or a rule, registered or of a registered class.
    activation : str, optional
        Name of the hidden layers' activation.
    **given
        Settings by their flat names, nested records by the names below, or both.

    Attributes
    ----------
    initializer : str
        In canonical form: the name, with the parameters that differ from the registered rule's,
        as ``he_normal(gain=2.0)``.
    network : Network
        Layers, activation, biases and dtype.
    data : Data
        Data set, epochs and batch size.
    loss : str
        One of `initperf.losses.LOSSES`: the softmax cross-entropy of classes, or a loss of values.
    optimizer : Optimizer
        One of `initperf.OPTIMIZERS`, with its settings.
    learning_rate : float
        The rate, or the highest of a schedule.
    schedule : Schedule
        One of `initperf.SCHEDULES`, with its settings.
    clipping : Clipping
        Limit of the gradients' norm.
    recording : Recording
        What is kept of the run.
    seed : int
        Seeds the initial weights and the order of the batches; experiments that differ only in
        the initializer or the activation see the same batches.
    backend : str
        ``"numba"`` or ``"numpy"``.

    Notes
    -----
    A setting of an optimizer or a schedule that is not the chosen one is checked and left out, so
    that a grid can vary the optimizer and that experiments are equal when their runs are.

    Raises
    ------
    TypeError
        For a setting that no record has; the message names the nearest.
    ValueError
        For anything out of range, names not known and schemes that do not apply to the network
        included.
    """

    initializer: str = setting(
        "he_normal",
        "initializer or scheme, see initperf list",
        registries=("initperf.initializers:INITIALIZERS", "initperf.schemes:SCHEMES"),
        compared=False,
    )
    network: Network = dataclasses.field(init=False)
    data: Data = dataclasses.field(init=False)
    loss: str = setting(
        "softmax_cross_entropy",
        "what is minimised: softmax_cross_entropy of classes, or a loss of values as squared_error",
        registries=("initperf.losses:LOSSES",),
    )
    optimizer: Optimizer = dataclasses.field(init=False)
    learning_rate: float = setting(
        0.1, "learning rate, or the highest of a schedule", allowed=Range(at_least=0.0)
    )
    schedule: Schedule = dataclasses.field(init=False)
    clipping: Clipping = dataclasses.field(init=False)
    recording: Recording = dataclasses.field(init=False)
    seed: int = setting(
        0,
        "seed of the weights and of the order of the images",
        allowed=Range(at_least=0),
        compared=False,
    )
    backend: str = setting(
        "numba", "implementation of the kernels", allowed=("numba", "numpy"), compared=False
    )

    def __init__(
        self,
        initializer: "str | Initializer | Scheme | None" = None,
        activation: str | None = None,
        **given: Any,
    ) -> None:
        if isinstance(initializer, Rule):
            from initperf.training._spelling import spelled

            initializer = spelled(initializer)
        named = {"initializer": initializer, "activation": activation}
        given |= {name: value for name, value in named.items() if value is not None}
        own = settings_of(type(self))
        for field in dataclasses.fields(self):
            name = field.name
            if name in own:
                value = own[name].check(given.pop(name, own[name].default))
            elif name in PARTS:
                value = _taken(given.pop(name, PARTS[name]()), PARTS[name], given)
            else:
                choice = CHOICES[name]
                chosen = choice.take(name, given.pop(name, choice.default))
                value = _taken(chosen, type(chosen), given)
            object.__setattr__(self, name, value)
        if given:
            _check_unused(given)
        self._canonicalize()

    def _canonicalize(self) -> None:
        """Check what concerns several parts, and put names into canonical form."""
        from initperf.activations import ACTIVATIONS
        from initperf.losses import LOSSES, PointwiseLoss
        from initperf.schemes import Scheme, Supervised, as_scheme
        from initperf.training._spelling import spelled

        rule, network = self.rule, self.network
        object.__setattr__(self, "initializer", spelled(rule))
        object.__setattr__(self, "loss", LOSSES.canonical(self.loss))
        scheme = as_scheme(rule)
        if isinstance(rule, Scheme):
            object.__setattr__(self, "network", network.replace(biases="zeros"))
        activation = ACTIVATIONS[network.activation]
        scheme.guarded(scheme.check, network.hidden, activation, network.residual)
        if isinstance(scheme, Supervised) and isinstance(LOSSES[self.loss], PointwiseLoss):
            raise UnsuitableError(f"{scheme.name} uses classes, and loss={self.loss} is of values")
        self.schedule.check(self.learning_rate)

    @property
    def rule(self) -> "Initializer | Scheme":
        """Return the initializer or the scheme, as it is registered now, with its parameters."""
        from initperf.training._spelling import rule_of

        return rule_of(self.initializer)

    def __getattr__(self, name: str) -> Any:
        for part in vars(self).values():
            if isinstance(part, Record) and name in settings_of(type(part)):
                return getattr(part, name)
        raise AttributeError(f"this experiment has no setting {name!r}")

    def replace(self, **changes: Any) -> "Experiment":
        """Return the experiment with some settings changed.

        Parameters
        ----------
        **changes
            As when building one. Another optimizer or schedule, given by name, keeps the settings
            that it shares with the present one and that are not at their defaults.

        Raises
        ------
        TypeError, ValueError
            As when building one.
        """
        kept: dict[str, Any] = {}
        for name, choice in CHOICES.items():
            if isinstance(changes.get(name), str):
                changes[name] = choice.take(name, changes[name])
                shared = settings_of(type(changes[name]))
                present = settings_of(type(getattr(self, name)))
                kept |= {
                    key: value
                    for key, value in values_of(getattr(self, name)).items()
                    if key in shared and value != present[key].default
                }
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return Experiment(**(own | kept | changes))

    def flat(self) -> dict[str, Any]:
        """Return all settings by their flat names; of optimizer and schedule the name first."""
        found: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in CHOICES:
                found[field.name] = value.name
            found |= values_of(value) if isinstance(value, Record) else {field.name: value}
        return found

    def _repr_html_(self) -> str:
        """Return the experiment as notebooks show it: a row for each setting."""
        declared = settings()
        return record("Experiment", {k: declared[k].text(v) for k, v in self.flat().items()})

    def to_dict(self) -> dict[str, Any]:
        """Return the experiment as nested dictionaries with the version of the schema."""
        from initperf.training._nested import to_dict

        return to_dict(self)

    @classmethod
    def from_dict(cls, made: dict[str, Any]) -> "Experiment":
        """Return the experiment of nested dictionaries, of an earlier schema too.

        Raises
        ------
        ValueError
            For another schema, and for settings that are not known here or out of range.
        """
        from initperf.training._nested import from_dict

        return from_dict(cls, made)

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no spaces."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Experiment":
        """Return the experiment of a JSON text; raise ValueError as `from_dict` does."""
        return cls.from_dict(json.loads(text))

    def name(
        self, digest: str, stream_version: int, training_version: int, definition: str = ""
    ) -> str:
        """Return the name of the run: a hash of the experiment, its data and all versions.

        Parameters
        ----------
        digest : str
            Digest of the data set.
        stream_version : int
            Version of the random stream.
        training_version : int
            Version of the training.
        definition : str
            Digest of what the experiment's names stand for.

        Returns
        -------
        str
            16 hexadecimal digits.
        """
        whole = f"{self.to_json()}\n{digest}\n{stream_version}\n{training_version}\n{definition}"
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def settings() -> dict[str, Setting]:
    """Return all settings of experiments by their flat names, in order.

    Those of optimizers and schedules, plug-ins included, follow the choice of one, and their help
    begins with those that have them.

    Raises
    ------
    PluginError
        When two records that can stand in one experiment have a setting of the same name.
    """
    found: dict[str, Setting] = {}
    own = settings_of(Experiment)
    for field in dataclasses.fields(Experiment):
        if field.name in own:
            declared = [own[field.name]]
        elif field.name in PARTS:
            declared = list(settings_of(PARTS[field.name]).values())
        else:
            declared = list(CHOICES[field.name].settings(field.name))
        for one in declared:
            if one.name in found:
                raise PluginError(f"two parts of an experiment have a setting {one.name!r}")
            found[one.name] = one
    return found


def _taken(record: Any, kind: type[Record], given: dict[str, Any]) -> Any:
    """Return a record with the settings that are given for it, which are taken out."""
    if type(record) is not kind:
        raise ValueError(f"{kind.__name__.lower()} must be a {kind.__name__}, not {shown(record)}")
    changes = {name: given.pop(name) for name in settings_of(kind) if name in given}
    return record.replace(**changes) if changes else record


def _check_unused(given: dict[str, Any]) -> None:
    """Check settings of optimizers and schedules that are not the chosen ones."""
    known = settings()
    for name, value in given.items():
        if name not in known:
            hint = suggestion(name, known, known)
            raise TypeError(f"an experiment has no setting {name!r}; {hint}")
        known[name].check(value)
