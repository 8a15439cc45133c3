"""Published claims: the rule of verdicts, the records, the store, and each measurement."""

import dataclasses
import importlib
import json
import math
import sys
import threading

import child
import numpy as np
import pytest

from initperf._core.registry import Registry
from initperf.claims import (
    CLAIMS,
    Claim,
    Interval,
    OutcomeStore,
    _outcome,
    _reproduce,
    claim_values_table,
    claims_table,
    definition,
    interval,
    judge,
    markdown,
    reproduce,
)

CALLS = []


def _twice(seed, quick):
    CALLS.append(seed)
    return 2.0 * seed


# of a module of another file
_registry_measure = Registry.__len__


def _stopped(seed, quick):
    raise KeyboardInterrupt


EXAMPLE = Claim(
    name="doubling",
    statement="Seeds double.",
    cite="a test",
    setting="none.",
    quantity="twice the seed",
    number=2.0,
    low=-10.0,
    high=30.0,
    tolerance="wide.",
    measure=_twice,
    seeds=4,
    quick_seeds=3,
)


@pytest.fixture
def registered(monkeypatch):
    """Exchange the registry for one of the test's own; its CLAIMS and calls are returned."""
    claims = Registry("claim")
    for module in (_reproduce, _outcome, sys.modules["initperf.claims._table"]):
        monkeypatch.setattr(module, "CLAIMS", claims)
    monkeypatch.setattr(sys.modules["initperf.claims._page"], "CLAIMS", claims)
    claims.register(EXAMPLE.name, EXAMPLE)
    CALLS.clear()
    return claims


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.0, 2.0, "holds"),
        (1.1, 1.9, "holds"),
        (0.5, 0.99, "fails"),
        (2.01, 9.0, "fails"),
        (0.5, 1.0, "not decidable here"),
        (0.5, 1.5, "not decidable here"),
        (0.5, 2.5, "not decidable here"),
        (math.nan, math.nan, "not decidable here"),
    ],
)
def test_the_verdict_compares_the_whole_interval_with_the_tolerance(low, high, verdict):
    assert judge(Interval(0.5 * (low + high), low, high), 1.0, 2.0) == verdict


@pytest.mark.parametrize(("low", "high"), [(-math.inf, 2.0), (1.0, math.inf)])
def test_a_tolerance_may_have_one_bound(low, high):
    assert judge(Interval(1.5, 1.4, 1.6), low, high) == "holds"
    assert judge(Interval(1.5, 0.0, 3.0), low, high) == "not decidable here"


def test_the_interval_is_students_of_99_percent():
    found = interval([1.0, 2.0, 3.0])
    # t of 2 degrees of freedom at 0.995, as tables print it, times 1/√3
    assert found.mean == 2.0
    assert found.high - 2.0 == pytest.approx(9.9248 / math.sqrt(3.0), rel=1e-5)
    assert found.low == pytest.approx(4.0 - found.high)


def test_intervals_cover_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(2000):
        found = interval(rng.normal(3.0, 2.0, 5))
        covered += found.low <= 3.0 <= found.high
    # binomial: 1980 expected, and four standard deviations of √(2000 · 0.99 · 0.01)
    assert abs(covered - 1980) < 4 * 4.45


def test_a_seed_without_a_number_leaves_the_claim_undecided():
    assert math.isnan(interval([1.0, math.inf, 1.0]).mean)


@pytest.mark.parametrize(("values", "exact"), [([1.0], False), ([], False), ([1.0, 1.0], True)])
def test_the_number_of_values_is_checked(values, exact):
    with pytest.raises(ValueError, match=r"seeds|one value"):
        interval(values, exact=exact)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Two words"}, "lower case"),
        ({"low": 3.0, "high": 1.0}, "no tolerance"),
        ({"low": -math.inf, "high": math.inf}, "no tolerance"),
        ({"number": 31.0}, "31.0 is not in"),
        ({"quick_seeds": 1}, "at least two seeds"),
    ],
)
def test_a_claim_is_checked_when_built(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(EXAMPLE, **changes)


def test_claims_are_sentences_with_a_source_and_numbers():
    assert len(CLAIMS) >= 40
    for name, claim in CLAIMS.items():
        assert claim.name == name
        for text in (claim.statement, claim.setting, claim.tolerance, claim.remark or "."):
            assert text.endswith("."), (name, text)
        for text in (claim.cite, claim.quantity, claim.source_read):
            assert text, name
            assert not text.endswith("."), (name, text)


def test_seeds_are_measured_once_and_outcomes_kept(tmp_path, registered):
    store = OutcomeStore(tmp_path)
    (first,) = reproduce(quick=True, store=store)
    assert sorted(CALLS) == [0, 1, 2]
    assert first.values == (0.0, 2.0, 4.0)
    assert first.verdict == "holds"
    assert reproduce(["doubling"], quick=True, store=store) == [first]
    assert len(CALLS) == 3
    (whole,) = reproduce(store=store)
    assert whole.values == (0.0, 2.0, 4.0, 6.0)
    assert list(store.best()) == [whole]
    assert reproduce(quick=True, store=store) == [whole]


def test_an_interrupted_reproduction_goes_on_from_what_is_whole(tmp_path, registered):
    store = OutcomeStore(tmp_path)
    late = dataclasses.replace(EXAMPLE, name="late", measure=_stopped)
    registered.register("late", late)
    with pytest.raises(KeyboardInterrupt):
        reproduce(quick=True, store=store, workers=1)
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["doubling"]
    registered.register("late", dataclasses.replace(late, measure=_twice), replace=True)
    assert len(reproduce(quick=True, store=store)) == 2
    assert sorted(CALLS) == [0, 0, 1, 1, 2, 2]


def test_an_interrupted_reproduction_waits_for_no_seed(registered, monkeypatch):
    monkeypatch.setattr("initperf.training._workers._GRACE_SECONDS", 2 * child.TIMEOUT_SECONDS)
    monkeypatch.setattr("initperf.claims._reproduce._GRACE_SECONDS", 0.0)
    begun, going_on, ended = threading.Event(), threading.Event(), []

    def endless(*_):
        begun.set()
        going_on.wait(child.TIMEOUT_SECONDS)
        ended.append(True)
        return 0.0

    registered.register("endless", dataclasses.replace(EXAMPLE, name="endless", measure=endless))

    def interrupt(*_):
        assert begun.wait(child.TIMEOUT_SECONDS)
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            reproduce(quick=True, workers=2, progress=interrupt)
        assert ended == []
    finally:
        going_on.set()


@pytest.mark.parametrize(
    "changes", [{"high": 31.0}, {"quick_seeds": 4}, {"measure": _registry_measure}]
)
def test_another_definition_is_measured_anew(tmp_path, registered, changes):
    store = OutcomeStore(tmp_path)
    reproduce(quick=True, store=store)
    changed = dataclasses.replace(EXAMPLE, **changes)
    assert definition(changed) != definition(EXAMPLE)
    assert store.load(changed, quick=True) is None
    assert store.load(EXAMPLE, quick=True) is not None


def test_other_words_are_the_same_definition():
    assert definition(dataclasses.replace(EXAMPLE, remark="New.")) == definition(EXAMPLE)


def test_comments_and_registrations_do_not_change_a_definition_and_code_does(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = "import math\n\n\ndef measure(seed, quick):\n    return math.pi\n"
    texts = {
        "claim_plain": code,
        "claim_worded": f"{code}str()  # word\n",
        "claim_other": code.replace("math.pi", "math.tau"),
    }
    definitions = {}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        measure = importlib.import_module(name).measure
        definitions[name] = definition(dataclasses.replace(EXAMPLE, measure=measure))
    assert definitions["claim_plain"] == definitions["claim_worded"]
    assert definitions["claim_plain"] != definitions["claim_other"]


def test_definitions_cover_every_file_that_measurements_share():
    shared = set()
    for claim in CLAIMS.values():
        for value in vars(sys.modules[claim.measure.__module__]).values():
            module = getattr(value, "__module__", None) or ""
            if module.startswith("initperf.claims._"):
                shared.add(module.rpartition(".")[2])
    assert shared - {"_claim"} <= set(_outcome.MEASURING)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"claim": "doubling", "values": [1.0]}', "[" * 100_000]
)
def test_a_damaged_outcome_is_measured_again(tmp_path, registered, text):
    store = OutcomeStore(tmp_path)
    (first,) = reproduce(quick=True, store=store)
    (path,) = tmp_path.iterdir()
    path.write_text(text)
    (again,) = reproduce(quick=True, store=store)
    assert again.values == first.values
    assert json.loads(path.read_text())["verdict"] == "holds"


def test_the_table_and_the_page_tell_the_same(tmp_path, registered):
    outcomes = reproduce(quick=True)
    (row,) = claims_table(outcomes).to_dict("records")
    assert (row["claim"], row["mean"], row["verdict"]) == ("doubling", 2.0, "holds")
    assert (row["claimed"], row["seeds"], row["sample"]) == (2.0, 3, "quick")
    values = claim_values_table(outcomes)
    assert values["value"].mean() == row["mean"]
    assert values[["claim", "seed"]].values.tolist() == [["doubling", seed] for seed in range(3)]
    page = markdown(outcomes, "initperf reproduce --quick")
    assert "Written by `initperf reproduce --quick`" in page
    assert "Claims: 1 *holds*, 0 *fails*, 0 *not decidable here*." in page
    assert "| [doubling](#doubling) | 2 | −10 to 30 | 2 |" in page
    assert "| 3 (quick) | **holds** |" in page
    assert page.count("\n## ") == 1


def test_a_table_of_nothing_is_empty():
    assert claims_table([]).empty


# Claims that seed 0 of the quick measurement contradicts, as the page does, and claims that one
# seed does not decide: its number spreads as widely as the tolerance, from seed to seed or, by
# roundings that training enlarges, from one processor's products to another's.
CONTRADICTED = {
    "normalized_backward",
    "selu_mean_slope",
    "shattered_plain",
    "shattered_residual",
    "siren_arcsine",
    "standard_backward",
}
UNDECIDED = {
    "fixup_thousand_blocks",
    "he_trains_thirty",
    "looks_linear_depth",
    "lsuv_over_he",
    "lsuv_over_orthogonal",
    "lsuv_over_xavier",
    "maximal_update_rate",
    "siren_with_biases",
    "sinusoidal_gain",
    "standard_rate",
    "trainable_depth",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMS)
def test_the_quick_measurement_of_one_seed_says_what_the_page_says(name):
    claim = CLAIMS[name]
    value = claim.measure(0, True)
    assert math.isfinite(value)
    if name in UNDECIDED:
        return
    assert (claim.low <= value <= claim.high) == (name not in CONTRADICTED)
