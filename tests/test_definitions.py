"""Names of runs: what is trained under a name belongs to it, parameters and code."""

import dataclasses
import json
import textwrap
from pathlib import Path

import child
import numpy as np
import pytest

from initperf import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, SCHEMES, Experiment, train
from initperf.initializers import VarianceScaling, register
from initperf.initializers.constant import Constant
from initperf.training import _definitions
from initperf.training._spelling import rule_of, spelled
from initperf.training.grids import grid
from initperf.training.train import run_name


@pytest.fixture
def registered():
    """Restore the registry of initializers."""
    with INITIALIZERS.restored():
        yield


def first_weights(blobs, experiment):
    run = train(experiment.replace(hidden=(64,), epochs=1, record="step"), dataset=blobs)
    return run.layers["weight_std"][0]


def test_parameters_of_a_rule_are_trained_with_and_kept(blobs):
    wide = Experiment(INITIALIZERS["he_normal"].replace(gain=5.0), "relu", backend="numpy")
    plain = Experiment("he_normal", "relu", backend="numpy")
    # the same stream of numbers, scaled: the ratio is exact to the rounding of float32
    ratio = first_weights(blobs, wide) / first_weights(blobs, plain)
    assert ratio == pytest.approx(5.0, rel=1e-5)
    assert wide.initializer == "he_normal(gain=5.0)"
    assert wide.to_dict()["initializer"] == {"name": "he_normal", "parameters": {"gain": 5.0}}
    assert Experiment.from_json(wide.to_json()) == wide
    assert wide == Experiment("He Normal(gain=5)", backend="numpy")
    assert run_name(wide, "a") != run_name(plain, "a")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (VarianceScaling(scale=2.3), "variance_scaling(scale=2.3)"),
        (INITIALIZERS["he_normal"].replace(), "he_normal"),
        (INITIALIZERS["variance_scaling"].replace(out_axis=(0, -1)), None),
        (INITIALIZERS["truncated_normal"].replace(high=np.inf), None),
        (INITIALIZERS["custom"].replace(distribution="uniform", low=-1e-7), None),
        (SCHEMES["critical"].replace(bias_variance=0.25), "critical(bias_variance=0.25)"),
        (
            SCHEMES["keras.Dense"].replace(weights=INITIALIZERS["he_normal"].replace(gain=3)),
            "keras.Dense(weights=he_normal(gain=3.0))",
        ),
        (SCHEMES["flax.Dense"].replace(weights=INITIALIZERS["zeros"]), None),
    ],
)
def test_a_rule_is_read_back_from_text_and_json(rule, text):
    assert rule_of(spelled(rule)) == rule
    assert text in (None, spelled(rule))
    experiment = Experiment(rule, "tanh")
    back = Experiment.from_json(experiment.to_json())
    assert (back, back.rule) == (experiment, rule)
    assert Experiment(**experiment.flat()) == experiment


@pytest.mark.parametrize("name", [*INITIALIZERS, *SCHEMES])
def test_every_rule_is_spelled_by_its_name(name):
    rule = INITIALIZERS[name] if name in INITIALIZERS else SCHEMES[name]
    assert spelled(rule) == name
    assert rule_of(name) is rule


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unregistered(Constant):
    """A rule that no registry has."""


@pytest.mark.parametrize(
    ("rule", "error", "reason"),
    [
        (Unregistered(), ValueError, r"call initperf.initializers.register\(name, rule"),
        (Unregistered(name="zeros"), ValueError, "registered"),
        ("he_normal(gian=2)", TypeError, "no parameter 'gian'; it has scale, gain"),
        ("he_normal(gain=-1)", ValueError, "gain must be at least 0"),
        ("he_normal(gain=2", ValueError, "a rule is spelled as its name with parameters"),
        ("he_normal(2)", ValueError, "a rule is spelled as its name with parameters"),
        ("he_normal(gain=1+1)", ValueError, "no number, word or tuple"),
        ("he_normal(gain=2)(1)", ValueError, "a rule is spelled as its name with parameters"),
        ("he_normal(gain=" + "-" * 5000 + "1)", ValueError, "he_normal"),
        ("he_norml(gain=2)", ValueError, "did you mean 'he_normal'"),
    ],
)
def test_what_is_no_registered_rule_is_refused(rule, error, reason):
    with pytest.raises(error, match=reason) as caught:
        Experiment(rule)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("registered")
def test_a_rule_registered_anew_names_other_runs():
    register("tried", Constant(value=0.01))
    experiment = Experiment("tried")
    names = [run_name(experiment, "a")]
    register("tried", Constant(value=0.02), replace=True)
    names.append(run_name(experiment, "a"))
    register("tried", Constant(value=0.01), replace=True)
    assert run_name(experiment, "a") == names[0]
    assert len(set(names)) == 2


def rule_with(method):
    """Register a rule whose class has this method."""
    members = {"distribution_of": method, "__module__": __name__}
    kind = dataclasses.dataclass(frozen=True, kw_only=True)(type("Own", (Constant,), members))
    register("tried", kind(), replace=True)


def factor_a():
    return 1.0


def factor_b():
    return 2.0


@pytest.mark.usefixtures("registered")
def test_code_of_a_rule_its_helpers_and_its_constants_belong_to_the_name(monkeypatch):
    def with_helper(self, shape):
        return factor_a() * self.value

    def closing_over(factor):
        return lambda self, shape: factor * self.value

    names = []
    for method in (
        lambda self, shape: self.value + 1,
        lambda self, shape: self.value + 2,
        lambda self, shape: self.value - 1,
        closing_over(3),
        closing_over(4),
        with_helper,
    ):
        rule_with(method)
        names.append(run_name(Experiment("tried"), "a"))
        assert run_name(Experiment("tried"), "a") == names[-1]
    monkeypatch.setitem(globals(), "factor_a", factor_b)
    names.append(run_name(Experiment("tried"), "a"))
    assert len(set(names)) == 7


@pytest.mark.parametrize(
    ("registry", "chosen"),
    [(ACTIVATIONS, {"activation": "tanh"}), (OPTIMIZERS, {"optimizer": "adam"})],
)
def test_activation_and_optimizer_belong_to_the_name(registry, chosen):
    experiment = Experiment(**chosen)
    before = run_name(experiment, "a")
    (name,) = chosen.values()
    entry = registry[name]
    if registry is ACTIVATIONS:
        other = dataclasses.replace(entry, value_and_slope=lambda x: (x, 1.0 + 0.0 * x))
    else:
        other = type("Adam", (type(entry),), {"__module__": __name__})()
    with registry.restored():
        registry.register(name, other, replace=True)
        assert run_name(Experiment(**chosen), "a") != before
    assert run_name(experiment, "a") == before


@pytest.mark.slow
def test_an_edited_file_names_other_runs_and_its_comments_do_not(monkeypatch, tmp_path):
    """Files are edited by changing what is read of them, as the package itself must stay."""
    experiments = [Experiment("glorot_uniform"), Experiment("critical", "tanh")]

    def names():
        _definitions.sources.cache_clear()
        _definitions.parsed.cache_clear()
        return [run_name(experiment, "a") for experiment in experiments]

    read = _definitions.inspect.getsource
    before = names()

    def edited(change):
        return lambda module: change(read(module), module.__name__)

    def comment(text, _name):
        return text.replace("import math", "import math  # for square roots", 1)

    def scaling(text, name):
        edit = name == "initperf.initializers.variance_scaling"
        return text.replace("math.sqrt(3.0 ", "math.sqrt(2.0 ") if edit else text

    def theory(text, name):
        return text + "\nx = 1\n" if name == "initperf.theory.critical_points" else text

    changes = (comment, [True, True]), (scaling, [False, False]), (theory, [True, False])
    for change, same in changes:
        monkeypatch.setattr(_definitions.inspect, "getsource", edited(change))
        assert [one == other for one, other in zip(names(), before, strict=True)] == same
    monkeypatch.undo()
    assert names() == before


PLUGIN = """
from initperf.initializers import Independent, register
from initperf.initializers.constant import Constant
from dataclasses import dataclass
from initperf.initializers import Point
from own_rules_helper import factor

@dataclass(frozen=True, kw_only=True)
class Own(Constant):
    def distribution_of(self, shape):
        return Point(factor() * self.value)

register("own", Own(value=0.5))
"""


@pytest.mark.slow
def test_a_plug_in_that_is_edited_names_other_runs(tmp_path: Path):
    (tmp_path / "own_rules.py").write_text(PLUGIN)
    (tmp_path / "own_rules_helper.py").write_text("def factor():\n    return 1.0\n")
    code = """
        import sys
        sys.dont_write_bytecode = True
        sys.path.insert(0, sys.argv[1])
        import own_rules
        from initperf import Experiment
        from initperf.training.train import run_name
        print(run_name(Experiment("own"), "a"), run_name(Experiment("zeros"), "a"))
    """
    first = child.run(textwrap.dedent(code), str(tmp_path))
    assert child.run(textwrap.dedent(code), str(tmp_path), PYTHONHASHSEED="5") == first
    (tmp_path / "own_rules.py").write_text(PLUGIN.replace("factor() *", "2.0 * factor() *"))
    second = child.run(textwrap.dedent(code), str(tmp_path))
    assert second.split()[0] != first.split()[0]
    assert second.split()[1] == first.split()[1]


def test_a_grid_varies_parameters_of_rules():
    made = list(
        grid(
            initializer=["he_normal", "zeros"],
            parameters={"gain": [1.0, 2.0], "mode": "fan_out"},
            seed=[0, 1],
        )
    )
    assert [one.initializer for one in made[::2]] == [
        "he_normal(mode='fan_out')",
        "he_normal(gain=2.0, mode='fan_out')",
        "zeros",
    ]
    assert json.loads(made[2].to_json())["initializer"]["parameters"]["gain"] == 2.0
    with pytest.raises(ValueError, match="no parameter 'gian' of he_normal; did you mean 'gain'"):
        list(grid(initializer="he_normal", parameters={"gian": 2.0}))
    with pytest.raises(ValueError, match="no parameter 'zzz' of he_normal; there are scale, "):
        list(grid(initializer="he_normal", parameters={"zzz": 2.0}))
