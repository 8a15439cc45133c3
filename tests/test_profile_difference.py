"""The difference of two profiles: changes of functions and stacks, the page, the command."""

import json
import re

import numpy as np
import pytest

from initperf import cli
from initperf.errors import DataError
from initperf.profiling.difference import (
    Recorded,
    changed_boxes,
    function_changes,
    read_profile,
)
from initperf.profiling.difference_page import as_json, page
from initperf.profiling.samples import Frame, Sample

OUTER, MATH, FILL, GONE = (Frame(name, "jitted") for name in ("outer", "math", "fill", "gone"))
STACKS = ((OUTER, MATH), (OUTER, FILL), (OUTER,), (GONE,))


def recorded(weights, call_s, *, samples=2000, error_s=0.0, seed=0):
    """A profile whose samples fall on STACKS with these weights."""
    share = np.array(weights) / sum(weights)
    chosen = np.random.default_rng(seed).choice(len(STACKS), size=samples, p=share)
    return Recorded("a <target>", call_s, error_s, tuple(Sample(1, STACKS[one]) for one in chosen))


def verdicts(before, after):
    return {row["function"]: row["verdict"] for row in function_changes(before, after)}


def test_what_became_slower_is_named_and_the_rest_is_not():
    # fill takes 2 ms longer of 8, the others as long as before
    before = recorded((4, 2, 1, 1), 0.008, seed=1)
    after = recorded((4, 4, 1, 1), 0.010, seed=2)
    assert verdicts(before, after) == {
        "fill": "slower",
        "math": "within chance",
        "outer": "within chance",
        "gone": "within chance",
    }
    first, *_ = function_changes(before, after)
    assert first["function"] == "fill"
    # five standard errors, which the row states
    assert abs(first["change_s"] - 0.002) < 5 * first["error_s"]
    assert first["error_s"] < 0.0003


def test_what_is_gone_is_quicker_and_only_in_the_graph_of_before():
    before, after = recorded((4, 2, 1, 1), 0.008, seed=1), recorded((4, 2, 1, 0), 0.007, seed=2)
    assert verdicts(before, after)["gone"] == "quicker"
    names = {
        widths: {one.box.frame.name for one in changed_boxes(before, after, widths=widths)}
        for widths in ("before", "after")
    }
    assert names["before"] - names["after"] == {"gone"}


def test_two_profiles_of_one_distribution_are_within_chance():
    # of 400 differences beyond three standard errors, 0.27 % of each are expected: 1.1 of 400;
    # 6 and more have a probability of 0.1 %
    found = [
        row["verdict"]
        for seed in range(100)
        for row in function_changes(
            recorded((4, 2, 1, 1), 0.008, seed=2 * seed),
            recorded((4, 2, 1, 1), 0.008, seed=2 * seed + 1),
        )
    ]
    assert len(found) == 400
    assert sum(one != "within chance" for one in found) < 6


def test_a_call_that_is_not_known_well_hides_what_it_cannot_tell():
    before = recorded((4, 2, 1, 1), 0.008, seed=1)
    sure, unsure = (recorded((4, 2, 1, 1), 0.009, error_s=e, seed=1) for e in (0.0, 0.001))
    assert changed_boxes(before, sure)[0].change.step == 3
    assert changed_boxes(before, unsure)[0].change.step == 0


def test_boxes_count_what_they_called():
    before, after = recorded((4, 2, 1, 1), 0.008, seed=1), recorded((4, 4, 1, 1), 0.010, seed=2)
    boxes = {one.box.frame.name: one.change for one in changed_boxes(before, after)}
    whole = boxes["all samples"]
    assert (whole.before_s, whole.after_s) == (0.008, 0.010)
    inside = boxes["math"].after_s + boxes["fill"].after_s
    own = [one for one in after.samples if one.stack == (OUTER,)]
    assert boxes["outer"].after_s == pytest.approx(inside + 0.010 * len(own) / 2000, rel=1e-12)


def write(directory, one):
    directory.mkdir()
    rows = [{"phase": "warm call", "seconds": one.call_s, "of": ""}]
    (directory / "profile.json").write_text(json.dumps({"title": one.title, "phases": rows}))
    calls = [{"cat": "call", "dur": one.call_s * 1e6 + extra} for extra in (-3, 0, 3)]
    (directory / "trace.json").write_text(json.dumps({"traceEvents": [{"ph": "M"}, *calls]}))
    lines = []
    for sample in one.samples:
        lines.append(f"python {sample.thread} 1.0: cpu-clock:")
        lines += [f"\t1f {frame.name} (/tmp/perf-1.map)" for frame in reversed(sample.stack)]
        lines.append("")
    (directory / "perf.script").write_text("\n".join(lines))


def test_a_written_profile_is_read(tmp_path):
    one = recorded((4, 2, 1, 1), 0.008, samples=50)
    write(tmp_path / "before", one)
    found = read_profile(tmp_path / "before")
    assert (found.title, found.call_s, found.samples) == (one.title, one.call_s, one.samples)
    assert found.call_error_s == pytest.approx(3e-6 / 3**0.5, rel=1e-9)  # 3 µs over three calls


def test_the_page_shows_both_graphs_and_loads_nothing():
    before, after = recorded((4, 2, 1, 1), 0.008, seed=1), recorded((4, 4, 1, 0), 0.010, seed=2)
    text = page(before, after)
    assert "a &lt;target&gt;" in text
    assert text.count('class="flame"') == 2
    assert "A warm call took 8 ms before and 10 ms after, 1.25 times as long" in text
    assert re.search(r'class="more3"[^>]*title="fill: [\d.]+ ms before, [\d.]+ ms after', text)
    assert re.search(r'class="less3"[^>]*title="gone: [^>]*quicker">▼ gone', text)
    assert "src=" not in text
    assert "href=" not in text


def test_other_targets_are_told_of():
    before = recorded((1, 1, 1, 1), 0.008)
    other = Recorded("another", 0.008, 0.0, before.samples)
    assert as_json(before, other)["notes"][0] == "The targets differ: a <target>, and another."


def test_the_command_prints_and_writes(tmp_path, capsys):
    write(tmp_path / "before", recorded((4, 2, 1, 1), 0.008, seed=1))
    write(tmp_path / "after", recorded((4, 4, 1, 1), 0.010, seed=2))
    words = ["profile", "compare", str(tmp_path / "before"), str(tmp_path / "after")]
    assert not cli.main([*words, "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert "1.25 times as long" in printed
    assert "slower" in printed
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        "difference.html",
        "difference.json",
    }
    assert not cli.main([*words, "--out", str(tmp_path / "out"), "--json"])
    assert json.loads(capsys.readouterr().out)["functions"][0]["function"] == "fill"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda one: (one / "profile.json").unlink(), "holds no profile"),
        (lambda one: (one / "profile.json").write_text("{}"), "holds a damaged profile"),
        (lambda one: (one / "perf.script").unlink(), "without samples; they need Linux perf"),
        (lambda one: (one / "perf.script").write_bytes(b"\xff\xfe"), "holds a damaged profile"),
        (lambda one: (one / "trace.json").write_text("[]"), "holds a damaged profile"),
    ],
)
def test_damaged_profiles_are_bad_data_in_one_line(tmp_path, damage, message):
    write(tmp_path / "before", recorded((1, 1, 1, 1), 0.008, samples=4))
    damage(tmp_path / "before")
    with pytest.raises(DataError, match=message):
        read_profile(tmp_path / "before")
