"""Histories of benchmarks: files by commit, drift, and the places at which a level changes."""

import datetime
import json
import math
import os
import subprocess

import numpy as np
import pytest
from scipy.stats import binom

from initperf import cli
from initperf.benchmarks.change_points import change_points
from initperf.benchmarks.history import Session, add, changes, read_history, series
from initperf.errors import DataError, UsageError

NAME = "bench/bench_workloads.py::test_workload[normal-784x256]"
CONTROLS = tuple(f"bench/bench_controls.py::test_control[{which}]" for which in "abc")


@pytest.mark.parametrize("count", [10, 30, 100])
def test_a_series_without_change_is_seldom_cut(count):
    rng = np.random.default_rng(count)
    trials = 400
    cut = sum(bool(change_points(rng.normal(0.0, 0.03, count))) for _ in range(trials))
    # 5 % are claimed; more than this many would come by chance once in a thousand times
    assert cut <= binom.isf(1e-3, trials, 0.05)


@pytest.mark.parametrize("factor", [1.15, 0.85])
def test_a_step_of_five_standard_deviations_is_found_where_it_is(factor):
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        logs = rng.normal(0.0, 0.03, 40)
        logs[25:] += math.log(factor)
        found.append(change_points(logs))
    exact = sum(any(abs(place - 25) <= 1 for place in places) for places in found)
    assert exact >= 190


def test_one_slow_session_is_no_level_and_few_sessions_are_none():
    logs = np.random.default_rng(2).normal(0.0, 0.01, 30)
    logs[12] += 0.7
    assert change_points(logs) == []
    assert change_points(np.array([0.0, 0.0, 0.0, 1.0, 1.0])) == []


def test_levels_that_are_almost_equal_are_one():
    steady = np.zeros(40)
    steady[20:] = math.log(1.019)  # certain without noise, and yet too small to matter
    assert change_points(steady) == []
    steady[20:] = math.log(1.021)
    assert change_points(steady) == [20]


def sessions(times, *, slow=1.0, processor="P"):
    """Return sessions with three controls; from the middle on, the machine is slower by `slow`."""
    rng = np.random.default_rng(3)
    found = []
    for place, time in enumerate(times):
        machine = slow if place >= len(times) // 2 else 1.0
        measured = {NAME: time * machine * rng.lognormal(0.0, 0.01)}
        measured |= {name: 1e-3 * machine * rng.lognormal(0.0, 0.01) for name in CONTROLS}
        date = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(place)
        found.append(Session(f"c{place:02}", date, processor, measured, CONTROLS))
    return found


def test_a_slower_machine_is_no_slower_code():
    assert changes(series(sessions([1e-3] * 20, slow=1.4))) == []


def test_a_change_names_its_first_commit_and_its_ratio():
    found = changes(series(sessions([1e-3] * 12 + [1.3e-3] * 8, slow=0.7)))
    assert [(row["benchmark"], row["commit"]) for row in found] == [(NAME, "c12")]
    # each level is a mean of 8 values or more, each with an error of 1 % and a drift's as large
    assert found[0]["time_ratio"] == pytest.approx(
        1.3, rel=4 * 0.01 * math.sqrt(2 * (1 / 8 + 1 / 12))
    )


def test_processors_are_series_of_their_own():
    mixed = sessions([1e-3] * 6) + sessions([2e-3] * 6, processor="Q")
    table = series(mixed)
    assert changes(table) == []
    assert table.groupby("processor").size().to_dict() == {"P": 6, "Q": 6}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Make a repository of one commit the working directory."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # which may want commits to be signed
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "nobody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "nobody@example.org")
    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "Begin")):
        subprocess.run(["git", *words], check=True)
    return root


def benchmark_file(path, median):
    rows = [
        {
            "fullname": name,
            "stats": {"median": median, "iqr": 0.0, "rounds": 9, "data": [median] * 9},
            "extra_info": {"role": "control"} if name in CONTROLS else {},
        }
        for name in (NAME, *CONTROLS)
    ]
    path.write_text(json.dumps({"benchmarks": rows, "machine_info": {"cpu": {"brand_raw": "P"}}}))
    return path


def test_sessions_are_kept_by_commit(repository):
    file = benchmark_file(repository / "x.json", 1e-3)
    history = repository / "history"
    first = add(history, file)
    assert add(history, benchmark_file(file, 2e-3), "HEAD") == first, "one session a commit"
    (session,) = read_history(history)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert session.commit == head.strip()
    assert session.times_s[NAME] == 2e-3
    assert session.controls == CONTROLS
    subprocess.run(["git", "tag", "-a", "v1", "-m", "A tag with a message"], check=True)
    assert add(history, file, "v1") == first
    with pytest.raises(UsageError, match="no commit 'nowhere' here"):
        add(history, file, "nowhere")


def test_a_session_of_no_checkout_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"--add needs the git checkout .* lies in none"):
        add(tmp_path / "history", benchmark_file(tmp_path / "x.json", 1e-3))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"initperf_history": 1}',
        '{"initperf_history": 9}',
        '{"initperf_history": 1, '
        '"commit": "a/b", "date": "2026-01-01T00:00:00Z", "processor": "P", "times_s": {}, '
        '"controls": []}',
    ],
)
def test_a_damaged_session_is_named(tmp_path, content):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(DataError, match=r"bad\.json"):
        read_history(tmp_path)


def test_the_verb_adds_prints_and_draws(repository, capsys):
    file = benchmark_file(repository / "x.json", 1e-3)
    assert not cli.main(["history", "kept", "--add", str(file), "--figure", "kept.svg", "--json"])
    told = capsys.readouterr()
    assert json.loads(told.out) == []
    assert "1 session, 0 changes of level" in told.err
    assert "<svg" in (repository / "kept.svg").read_text()
    assert cli.main(["history", "nowhere"]) == 3
    assert "nowhere; initperf history nowhere --add FILE makes it" in capsys.readouterr().err
    assert cli.main(["history", str(file)]) == 3
    assert f"a history is a directory; {file} is a file" in capsys.readouterr().err
    assert cli.main(["history", "kept", "--commit", "HEAD"]) == 2
    assert cli.main(["history", "kept", "--figure", "kept.doc"]) == 2
