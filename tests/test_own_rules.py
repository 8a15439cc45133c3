"""One's own rules: the decorator, and names of objects in modules."""

import json
import re

import numpy as np
import pytest

import initperf
from initperf import INITIALIZERS, SCHEMES, Experiment, cli, train
from initperf.errors import PluginError
from initperf.initializers import weights_tables
from initperf.schemes import find

MODULE = '''
import initperf
from initperf import SCHEMES

def flat(shape, rng):
    return rng.uniform(-0.1, 0.1, shape)

@initperf.initializer(suits=("relu",), cite="a test")
def peaked_{mark}(shape, rng):
    """N(0, 2/n), cubed"""
    return rng.normal(0.0, (2 / shape[0]) ** 0.5, shape) ** 3

steady = SCHEMES["critical"].replace(bias_variance=0.1)
number = 3
'''


@pytest.fixture(autouse=True)
def _registries_as_before():
    with INITIALIZERS.restored(), SCHEMES.restored():
        yield


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give the name of a module in the current directory, which no path leads to."""
    name = f"rules_of_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE.replace("{mark}", name))
    monkeypatch.chdir(tmp_path)
    return name


@pytest.fixture
def decorated():
    @initperf.initializer
    def own_rule_of_a_test(shape, rng):
        """U(0, 1)"""
        return rng.random(shape)

    return own_rule_of_a_test


def test_a_decorated_function_is_an_initializer(decorated, blobs):
    assert INITIALIZERS["own_rule_of_a_test"] is decorated
    assert decorated.formula == "U(0, 1)"
    first = initperf.draw("own_rule_of_a_test", (30, 20), rng=1)
    assert first.dtype == np.float32
    assert 0 <= first.min() < first.max() < 1
    assert np.array_equal(first, decorated((30, 20), rng=1))
    assert not np.array_equal(first, decorated((30, 20), rng=2))
    assert not np.array_equal(first, decorated((30, 20), rng=1, stream=1))
    run = train(
        Experiment("own_rule_of_a_test", hidden=(3,), epochs=1, backend="numpy"), dataset=blobs
    )
    assert run.experiment.initializer == "own_rule_of_a_test"
    facts = weights_tables([decorated])["weight_statistics"]
    assert facts["declared_std"][0] == pytest.approx(12**-0.5, rel=0.01)  # of 784 · 256 entries


def test_a_rule_decorated_again_replaces_itself_but_no_other(decorated):
    def own_rule_of_a_test(shape, rng):
        return rng.random(shape) + 5.0

    again = initperf.initializer(own_rule_of_a_test)
    assert INITIALIZERS["own_rule_of_a_test"] is again
    assert initperf.draw("own_rule_of_a_test", (2, 2), rng=0).min() >= 5.0
    with pytest.raises(ValueError, match="registered already"):
        initperf.initializer(name="he_normal")(own_rule_of_a_test)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda shape, rng: rng.random(shape[::-1]), r"of shape \(3, 2\), not \(2, 3\)"),
        (lambda shape, rng: np.full(shape, "x"), "must return real numbers"),
    ],
)
def test_weights_of_the_wrong_kind_are_refused(function, message):
    rule = initperf.initializer(name="wrong_rule_of_a_test")(function)
    with pytest.raises(ValueError, match=message):
        rule((3, 2), rng=0)


def test_declared_moments_are_those_given():
    rule = initperf.initializer(
        name="declaring_rule_of_a_test", mean=lambda shape: 7.0, std=lambda shape: shape[0]
    )(lambda shape, rng: rng.random(shape))
    assert (rule.mean((3, 2)), rule.std((3, 2)), rule.support(3)) == (7.0, 3.0, (-np.inf, np.inf))


def test_objects_of_modules_are_found_by_module_and_name(own, blobs):
    flat = INITIALIZERS[f"{own}:flat"]
    assert flat.name == f"{own}:flat"
    assert flat((500, 40), rng=0).std() == pytest.approx(0.1 / 3**0.5, rel=0.02)
    assert find(f"{own}:peaked_{own}").suits == ("relu",)
    scheme = find(f"{own}:steady")
    assert scheme == SCHEMES["critical"].replace(bias_variance=0.1)
    experiment = Experiment(f"{own}:steady", "tanh", hidden=(3,), epochs=1, backend="numpy")
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert train(experiment, dataset=blobs).status == "finished"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{}:flut", "did you mean '{}:flat'"),
        ("{}:number", "it is of the type int"),
        ("no_such_module:x", "there is no module 'no_such_module'"),
    ],
)
def test_names_that_lead_nowhere_say_why(own, name, message):
    with pytest.raises(ValueError, match=re.escape(message.format(own))):
        find(name.format(own))


def test_a_module_that_fails_is_named(tmp_path, monkeypatch):
    (tmp_path / "failing_rules.py").write_text("1 / 0")
    (tmp_path / "lacking_rules.py").write_text("import nothing_like_it")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PluginError, match=r"'failing_rules:x'.*ZeroDivisionError"):
        find("failing_rules:x")
    with pytest.raises(PluginError, match=r"'lacking_rules:x'.*nothing_like_it"):
        find("lacking_rules:x")


def test_the_command_line_takes_them(own, capsys):
    assert cli.main(["draw", f"{own}:flat", "30", "20"]) == 0
    assert capsys.readouterr().out.startswith(f"{own}:flat, 30 x 20")
    assert cli.main(["list", "--json"]) == 0
    names = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert {f"{own}:flat", f"peaked_{own}"} <= names


def test_notebooks_show_rules_experiments_and_runs_as_tables(decorated, blobs):
    rule = initperf.initializer(name="shown_rule_of_a_test", formula="<b>&")(
        lambda shape, rng: rng.random(shape)
    )
    shown = rule._repr_html_()
    assert "shown_rule_of_a_test" in shown
    assert "&lt;b&gt;&amp;" in shown
    assert "<b>&<" not in shown
    assert ">gain</th>" in INITIALIZERS["he_normal"]._repr_html_()
    experiment = Experiment(hidden=(3,), epochs=1, backend="numpy", learning_rate=0.25)
    assert ">learning_rate</th>" in experiment._repr_html_()
    assert ">0.25</td>" in experiment._repr_html_()
    run = train(experiment, dataset=blobs)
    assert f"{100 * run.test_accuracy:.2f} %" in run._repr_html_()
    assert run._repr_html_().endswith(experiment._repr_html_())
