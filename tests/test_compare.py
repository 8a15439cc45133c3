import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from initperf import cli
from initperf.benchmarks import speed
from initperf.benchmarks._noise import PRIOR_STD
from initperf.benchmarks.regressions import compare_files
from initperf.benchmarks.results_file import read_benchmarks
from initperf.errors import DataError

ROUNDS = 40
NAMES = [f"bench/bench_workloads.py::test_workload[{kernel}]" for kernel in "abcdefgh"]


def samples(rng, median_s=1e-3, spread=0.05, rounds=ROUNDS):
    return (median_s * rng.lognormal(0.0, spread, rounds)).tolist()


def row(name, data, *, keep=True, **extra):
    low, middle, high = np.quantile(data, (0.25, 0.5, 0.75))
    stats = {"median": middle, "iqr": high - low, "rounds": len(data)}
    if keep:
        stats["data"] = data
    return {"fullname": name, "name": name, "stats": stats, "extra_info": extra}


@pytest.fixture
def write(tmp_path):
    def written(name, rows, processor="P"):
        path = tmp_path / name
        machine = {"cpu": {"brand_raw": processor}}
        path.write_text(json.dumps({"benchmarks": rows, "machine_info": machine}))
        return path

    return written


def suite(rng, *, slowed=1.0, keep=True, **options):
    """Eight benchmarks; the first is slower by a factor."""
    return [
        row(name, samples(rng, 1e-3 * (slowed if name is NAMES[0] else 1.0), **options), keep=keep)
        for name in NAMES
    ]


@pytest.mark.parametrize("keep", [True, False])
def test_the_same_code_is_never_flagged(write, keep):
    for seed in range(5):  # test_noise.py has hundreds, of passes
        rng = np.random.default_rng(seed)
        found = compare_files(
            write("old.json", suite(rng, keep=keep)), write("new.json", suite(rng, keep=keep))
        )
        assert found.verdict == "ok"
        assert found.exit_code == 0
        assert set(found.table["verdict"]) == {"ok"}
        assert found.table["by_baseline"].isna().all()


@pytest.mark.parametrize("keep", [True, False])
def test_a_slowdown_of_a_fifth_is_always_flagged(write, keep):
    for seed in range(5):  # test_noise.py has hundreds, of passes
        rng = np.random.default_rng(seed)
        old = write("old.json", suite(rng, keep=keep))
        new = write("new.json", suite(rng, slowed=1.25, keep=keep))
        found = compare_files(old, new)
        assert found.exit_code == 1
        table = found.table.set_index("benchmark")
        assert list(table["verdict"]) == ["regressed"] + ["ok"] * 7
        slowed = table.loc[NAMES[0]]
        # 5 % · 1.2533 · √(2/40) = 1.4 % of error, five times which is allowed
        assert slowed["time_ratio"] == pytest.approx(1.25, rel=0.07)
        assert slowed["time_ratio_low"] < slowed["time_ratio"] < slowed["time_ratio_high"]


def test_the_smallest_slowdown_that_counts_can_be_chosen(write):
    rng = np.random.default_rng(0)
    old = write("old.json", suite(rng, spread=0.01))
    new = write("new.json", suite(rng, slowed=1.25, spread=0.01))
    assert compare_files(old, new).exit_code == 1
    assert compare_files(old, new, threshold=0.3).exit_code == 0


def test_faster_is_an_improvement_and_no_error(write):
    rng = np.random.default_rng(0)
    old, new = write("old.json", suite(rng)), write("new.json", suite(rng, slowed=0.7))
    found = compare_files(old, new)
    assert found.exit_code == 0
    assert list(found.table["verdict"]) == ["improved"] + ["ok"] * 7


def noisy(rng, names):
    return [row(name, samples(rng, spread=0.6, rounds=9)) for name in names]


def test_what_is_too_noisy_is_not_judged_well(write):
    rng = np.random.default_rng(0)
    old = noisy(rng, NAMES[:2]) + suite(rng)[2:]
    found = compare_files(write("old.json", old), write("new.json", suite(rng)))
    assert list(found.table["verdict"]) == ["too noisy"] * 2 + ["ok"] * 6
    assert found.exit_code == 0, "a quarter may be too noisy"
    old = noisy(rng, NAMES[:3]) + suite(rng)[3:]
    found = compare_files(write("old.json", old), write("new.json", suite(rng)))
    assert (found.verdict, found.exit_code) == ("too noisy", 4)


def test_an_interval_that_tells_nothing_is_left_out(write):
    rng = np.random.default_rng(0)
    apart = [{"median_s": 1e-3}, {"median_s": 10.0}]  # passes that differ by a factor of 10,000
    old = [row(NAMES[0], samples(rng), passes=apart), *suite(rng)[1:]]
    table = compare_files(write("old.json", old), write("new.json", suite(rng))).table
    first = table.iloc[0]
    assert first["verdict"] == "too noisy"
    assert first[["time_ratio_low", "time_ratio_high", "hidden_percent"]].isna().all()
    assert table.iloc[1:]["time_ratio_low"].notna().all()


def test_a_name_with_control_characters_is_damage(write):
    rng = np.random.default_rng(0)
    rows = suite(rng)
    rows[0]["fullname"] += "\0"
    with pytest.raises(DataError, match="control characters"):
        read_benchmarks(write("old.json", rows))


def test_a_regression_is_worse_than_noise(write):
    rng = np.random.default_rng(0)
    old = suite(rng)
    new = suite(rng, slowed=2.0)
    new[1] = row(NAMES[1], samples(rng, spread=0.8, rounds=7))
    found = compare_files(write("old.json", old), write("new.json", new))
    assert found.exit_code == 1


def test_few_rounds_are_not_judged(write):
    rng = np.random.default_rng(0)
    single = [row(NAMES[0], [1e-3])]
    doubled = [row(NAMES[0], [2e-3])]
    rest = suite(rng)[1:]
    found = compare_files(write("old.json", single + rest), write("new.json", doubled + rest))
    assert list(found.table["verdict"]) == ["not judged"] + ["ok"] * 7
    assert found.exit_code == 0
    assert compare_files(write("old.json", single), write("new.json", doubled)).exit_code == 4


def single(write, old, new, **extra):
    """Compare one benchmark whose time doubled, with these ratios to its baseline."""
    rng = np.random.default_rng(0)
    before, after = samples(rng), samples(rng, 2e-3)
    found = compare_files(
        write("old.json", [row(NAMES[0], before, **old, **extra)]),
        write("new.json", [row(NAMES[0], after, **new, **extra)]),
    )
    return found.table.iloc[0], found.exit_code, np.median(after) / np.median(before)


def test_a_slower_machine_is_no_regression(write):
    found, code, _ = single(write, {"ratio": 8.0}, {"ratio": 7.9})
    assert (found["verdict"], code) == ("ok", 0)
    assert found["by_baseline"] == pytest.approx(8.0 / 7.9)
    assert found["time_ratio"] == found["by_baseline"]


def test_slower_by_seconds_and_against_the_baseline_is_a_regression(write):
    found, code, _ = single(write, {"ratio": 8.0}, {"ratio": 5.0})
    assert found["time_ratio"] == pytest.approx(1.6)
    assert (found["verdict"], code) == ("regressed", 1)


def test_a_baseline_that_was_slower_alone_accuses_nobody(write):
    """By seconds it is slower, by the baseline faster: they agree on nothing."""
    found, code, _ = single(write, {"ratio": 8.0}, {"ratio": 16.0})
    assert (found["time_ratio"], found["verdict"], code) == (1.0, "ok", 0)


def test_seconds_are_compared_where_one_has_no_baseline(write):
    found, code, ratio = single(write, {"ratio": 8.0}, {})
    assert found["by_baseline"] is None
    assert found["time_ratio"] == pytest.approx(ratio)
    assert (found["verdict"], code) == ("regressed", 1)


def passes(*medians_s, **extra):
    return {"passes": [{"median_s": median, "rounds": ROUNDS, **extra} for median in medians_s]}


def test_a_pass_that_was_disturbed_does_not_count(write):
    data = samples(np.random.default_rng(0))
    old = [row(name, data, **passes(1.00e-3, 1.01e-3, 1.02e-3)) for name in NAMES]
    new = [row(name, data, **passes(2.30e-3, 1.01e-3, 1.00e-3)) for name in NAMES]
    found = compare_files(write("old.json", old), write("new.json", new))
    assert set(found.table["verdict"]) == {"ok"}
    assert list(found.table["time_ratio"]) == pytest.approx([1.0] * 8)


def test_one_quick_pass_of_three_says_how_little_it_is_to_be_believed(write):
    data = samples(np.random.default_rng(0))
    old = [row(name, data, **passes(1.0e-3, 1.4e-3, 1.4e-3)) for name in NAMES]
    new = [row(name, data, **passes(1.4e-3, 1.4e-3, 1.4e-3)) for name in NAMES]
    found = compare_files(write("old.json", old), write("new.json", new))
    assert (set(found.table["verdict"]), found.exit_code) == ({"too noisy"}, 4)


def controls(rng, drift, spread, **extra):
    names = [f"bench/bench_workloads.py::test_workload[rival{number}]" for number in range(20)]
    return [
        row(name, [1e-3 * drift * rng.lognormal(0.0, spread)] * ROUNDS, role="rival", **extra)
        for name in names
    ]


def test_controls_tell_the_drift_of_the_machine(write):
    """The machine is slower by a third, and so are all benchmarks but one, that kept its time."""
    rng = np.random.default_rng(0)
    old = suite(rng) + controls(rng, 1.0, 0.0)
    new = suite(rng, slowed=1.5) + controls(rng, 1.5, 0.005)
    found = compare_files(write("old.json", old), write("new.json", new))
    assert found.noise.one.controls == 20
    assert math.exp(found.noise.one.drift) == pytest.approx(1.5, rel=0.01)
    table = found.table.set_index("benchmark")
    assert table.loc[NAMES[0], "verdict"] == "ok"
    assert set(table.loc[NAMES[1:], "verdict"]) == {"improved"}
    assert set(table["verdict"][8:]) == {"control"}


def test_controls_that_scatter_hide_more(write):
    rng = np.random.default_rng(0)
    hidden = []
    for spread in (0.005, 0.1):
        old = suite(rng) + controls(rng, 1.0, 0.0)
        new = suite(rng) + controls(rng, 1.0, spread)
        found = compare_files(write("old.json", old), write("new.json", new))
        assert not {"regressed", "improved"} & set(found.table["verdict"])
        hidden.append(found.table["hidden_percent"].iloc[0])
    assert hidden[1] > 2 * hidden[0]


def test_controls_on_several_threads_are_those_of_several_threads(write):
    """They scatter: what takes several threads is believed less, and nothing else."""
    rng = np.random.default_rng(0)
    ours = [row(name, samples(rng), threads=1 + (name in NAMES[:4])) for name in NAMES]
    quiet = controls(rng, 1.0, 0.0)
    loud = [{**one, "fullname": f"{one['fullname']} 2"} for one in controls(rng, 1.0, 0.1)]
    for one in loud:
        one["extra_info"]["threads"] = 2
    steady = [{**one, "stats": quiet[0]["stats"]} for one in loud]
    found = compare_files(
        write("old.json", ours + quiet + steady), write("new.json", ours + quiet + loud)
    )
    assert found.noise.several.controls == found.noise.one.controls == 20
    # 20 absolute deviations know a standard deviation to 1/√(2·0.37·19) = 27 %
    assert found.noise.several.std == pytest.approx(0.1, rel=0.5)
    assert found.noise.one.std < PRIOR_STD
    hidden = found.table["hidden_percent"]
    assert hidden[:4].min() > 2 * hidden[4:8].max()


def test_several_threads_are_never_believed_more_than_one(write):
    rng = np.random.default_rng(0)
    loud, quiet = controls(rng, 1.0, 0.1), controls(rng, 1.0, 0.0)
    steady = [
        {**one, "fullname": f"{one['fullname']} 2", "extra_info": {"role": "control", "threads": 2}}
        for one in quiet
    ]
    found = compare_files(write("old.json", quiet + steady), write("new.json", loud + steady))
    assert found.noise.one.std > PRIOR_STD
    assert found.noise.several.std == found.noise.one.std


def test_the_baselines_of_controls_are_no_controls_of_one_thread(write):
    """They are the same loops on one thread, which are steadier than libraries."""
    rows = [
        row(name, [1e-3 * k] * ROUNDS, role="control", threads=2, ratio=2.0 * k)
        for k, name in enumerate(NAMES, start=1)
    ]
    file = write("x.json", rows)
    found = compare_files(file, file)
    assert (found.noise.one.controls, found.noise.several.controls) == (0, 8)


def test_noise_is_told_in_its_standard_deviation(write):
    rng = np.random.default_rng(0)
    rows = suite(rng) + controls(rng, 1.0, 0.0)
    file = write("x.json", rows)
    said = str(compare_files(file, file).noise)
    # the prior of 4 degrees of freedom at 2 %, 0.37 · 19 at 0 %, and the error of the drift:
    # 2 % · √(4/11.03 · (1 + π/2/20)) = 1.3 %; the other has 2 % · √(1 + π/2/8) = 2.2 %
    assert said == (
        "noise between sessions: σ = 1.3 % (20 control benchmarks); "
        "on several threads σ = 2.2 % (0 control benchmarks)"
    )


def test_without_controls_only_large_changes_are_believed(write):
    """Student's distribution with 4 degrees of freedom, for eight benchmarks at once."""
    rng = np.random.default_rng(0)
    old = suite(rng, spread=0.0)
    found = compare_files(write("old.json", old), write("new.json", old))
    std = PRIOR_STD * math.sqrt(1 + math.pi / 2 / 8)
    expected = math.exp(std * student.isf(0.005 / 8, 4)) - 1
    assert list(found.table["hidden_percent"]) == pytest.approx([100 * expected] * 8)


def test_a_baseline_that_took_turns_with_several_is_one_control(write):
    rows = [
        row(name, [time_s] * ROUNDS, ratio=1e-2 / time_s)
        for name, time_s in zip(
            NAMES, (1e-3, 2e-3, 3e-3, 5e-3, 7e-3, 11e-3, 13e-3, 17e-3), strict=True
        )
    ]
    file = write("x.json", rows)
    assert compare_files(file, file).noise.one.controls == 1


def test_a_time_of_nothing_is_not_judged(write):
    rng = np.random.default_rng(0)
    old, new = suite(rng), suite(rng)
    new[0] = row(NAMES[0], [0.0] * ROUNDS)
    found = compare_files(write("old.json", old), write("new.json", new))
    assert list(found.table["verdict"]) == ["not judged"] + ["ok"] * 7


def test_a_disturbance_beyond_all_bounds_is_too_noisy(write):
    rng = np.random.default_rng(0)
    old, new = suite(rng), suite(rng)
    new[0] = row(NAMES[0], [1e-3] * 4 + [1e3])
    found = compare_files(write("old.json", old), write("new.json", new))
    assert list(found.table["verdict"]) == ["too noisy"] + ["ok"] * 7


def test_benchmarks_of_one_file_only_are_reported(write):
    rng = np.random.default_rng(0)
    rows = suite(rng)
    found = compare_files(write("old.json", rows[:6]), write("new.json", rows[2:]))
    assert found.missing == tuple(NAMES[:2])
    assert found.added == tuple(NAMES[6:])
    assert list(found.table["benchmark"]) == NAMES[2:6]


def test_different_processors_are_warned_of(write):
    rows = suite(np.random.default_rng(0))
    old, new = write("old.json", rows, "A"), write("new.json", rows, "B")
    assert compare_files(old, old).warnings == ()
    assert compare_files(old, new).warnings == ("the files are of different processors: A and B",)


def test_files_without_a_common_benchmark_are_an_error(write):
    rows = suite(np.random.default_rng(0))
    with pytest.raises(DataError, match="no benchmark in common"):
        compare_files(write("old.json", rows[:4]), write("new.json", rows[4:]))


GOOD = {"fullname": "a", "stats": {"median": 1.0, "iqr": 0.1, "rounds": 9}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "\x00\xff",
        "[]",
        "3",
        "{}",
        json.dumps({"benchmarks": 3}),
        json.dumps({"benchmarks": []}),
        json.dumps({"benchmarks": [3]}),
        json.dumps({"benchmarks": [{"fullname": "a"}]}),
        json.dumps({"benchmarks": [{**GOOD, "stats": {"median": 1.0}}]}),
        json.dumps({"benchmarks": [{**GOOD, "stats": {**GOOD["stats"], "median": "x"}}]}),
        json.dumps({"benchmarks": [{**GOOD, "stats": {**GOOD["stats"], "median": math.nan}}]}),
        json.dumps({"benchmarks": [{**GOOD, "stats": {**GOOD["stats"], "rounds": 0}}]}),
        json.dumps({"benchmarks": [{**GOOD, "stats": {**GOOD["stats"], "data": ["x"]}}]}),
        json.dumps({"benchmarks": [GOOD], "machine_info": 3}),
        json.dumps({"benchmarks": [{**GOOD, "extra_info": 3}]}),
    ],
)
def test_other_files_are_told_from_those_of_pytest_benchmark(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(DataError) as raised:
        read_benchmarks(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "Error" not in str(raised.value)  # words, and no type of Python's


def test_what_a_file_lacks_is_named(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(DataError) as raised:
        read_benchmarks(path)
    assert str(raised.value) == f"{path} is not of pytest-benchmark: it has no 'benchmarks'"


def test_a_missing_file_is_missing_data(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_benchmarks(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot read"):
        read_benchmarks(tmp_path)


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.nan])
def test_the_threshold_is_positive(threshold):
    with pytest.raises(ValueError, match="threshold must be positive"):
        compare_files("a", "b", threshold=threshold)


def test_where_samples_are_not_stored_the_quartiles_stand_for_them(tmp_path):
    path = tmp_path / "x.json"
    many = {**GOOD, "stats": {**GOOD["stats"], "rounds": 400}}
    path.write_text(json.dumps({"benchmarks": [many]}))
    found = read_benchmarks(path).benchmarks["a"]
    assert np.quantile(found.samples_s, (0.25, 0.5, 0.75)) == pytest.approx(
        (0.95, 1.0, 1.05), abs=1e-3
    )
    # the median of n values of density 1/(2 · IQR) has the standard error IQR/√n = 0.005
    low, high = found.interval_s
    assert high - low == pytest.approx(2 * 1.96 * 0.005, rel=0.15)
    assert found.error == pytest.approx(0.005, rel=0.15)


def test_times_that_are_not_stored_are_not_negative(tmp_path):
    path = tmp_path / "x.json"
    wide = {**GOOD, "stats": {"median": 1.0, "iqr": 9.0, "rounds": 9}}
    path.write_text(json.dumps({"benchmarks": [wide]}))
    assert read_benchmarks(path).benchmarks["a"].samples_s.min() == 0.0


def test_a_file_of_before_workloads_had_that_name_is_compared(write):
    rng = np.random.default_rng(0)
    told = {"method": "NumPy", "role": "rival", "threads": 1}
    old = row("bench/bench_works.py::test_work[fill-NumPy]", samples(rng), kernel="fill", **told)
    new = row(
        "bench/bench_workloads.py::test_workload[fill-NumPy]", samples(rng), workload="fill", **told
    )
    file = write("old.json", [old])
    assert read_benchmarks(file).benchmarks[new["fullname"]].row.workload == "fill"
    found = compare_files(file, write("new.json", [new]))
    assert (found.missing, found.added) == ((), ())
    assert list(found.table["verdict"]) == ["control"]


DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("name", ["bench_save_0.1.json", "pytest_benchmark_0.1.json"])
def test_files_of_the_first_version_are_read(name):
    """Kept from `initperf bench --save` and `pytest --benchmark-json` before the one schema."""
    found = compare_files(DATA / name, DATA / name)
    assert len(found.table) == 4
    assert list(found.table["time_ratio"]) == [1.0] * 4
    assert list(found.table["verdict"]).count("control") == 1
    table = speed.from_benchmark_json(DATA / name)
    assert set(table["workload"]) == {"fill_uniform"}
    assert table[["limit_s", "ratio", "threads"]].notna().all(axis=None)


def test_thresholds_by_pattern(write):
    rng = np.random.default_rng(0)
    old = write("old.json", suite(rng, spread=0.01))
    new = write("new.json", suite(rng, slowed=1.25, spread=0.01))
    assert compare_files(old, new, threshold={"*[a]": 0.3}).exit_code == 0
    assert compare_files(old, new, threshold={"*[b]": 0.3}).exit_code == 1
    assert compare_files(old, new, threshold={"*": 0.3, "*[a]": 0.05}).exit_code == 1
    with pytest.raises(ValueError, match="no benchmark of both matches 'nothing'"):
        compare_files(old, new, threshold={"nothing": 0.3})


def test_files_of_one_session_are_passes(write):
    rng = np.random.default_rng(0)
    first = write("first.json", [row(NAMES[0], samples(rng, 3.0))])
    second = write("second.json", [row(NAMES[0], samples(rng, 2.0))])
    one = read_benchmarks(first, second).benchmarks[NAMES[0]]
    assert [len(one.passes), one.rounds] == [2, 2 * ROUNDS]
    assert one.least_s == np.quantile(one.samples_s[ROUNDS:], 0.1)  # of the second, the quicker


def test_a_table_for_a_pull_request(write, capsys):
    rng = np.random.default_rng(0)
    old, new = write("old.json", suite(rng)), write("new.json", suite(rng, slowed=1.25))
    assert cli.main(["compare", str(old), str(new), "--markdown"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("### initperf: regressed\n\n7 ok, 1 regressed; noise between sessions")
    above, below = told.split("<details>")
    assert [f"`{name}`" in above for name in NAMES] == [True] + [False] * 7
    assert [f"`{name}`" in below for name in NAMES] == [False] + [True] * 7
    assert cli.main(["compare", str(old), str(new)]) == 1
    table, notes = capsys.readouterr()
    for column in ("by_seconds", "by_baseline", "time_ratio", "hidden_percent"):
        assert column in table.splitlines()[0]
        assert f" {column} " in notes


@pytest.mark.parametrize(("apart_s", "verdict"), [(30.0, "not judged"), (60.0, "regressed")])
def test_threads_are_judged_where_passes_are_minutes_apart(write, apart_s, verdict):
    rng = np.random.default_rng(0)

    def session(factor):
        rows = suite(rng, spread=0.01)
        slowed = passes(*(1e-3 * factor,) * 3)
        for k, one in enumerate(slowed["passes"]):
            one["taken_s"] = 1e9 + k * apart_s
        data = samples(rng, factor * 1e-3, 0.01, 3 * ROUNDS)
        return [row("threaded", data, threads=2, **slowed), *rows]

    found = compare_files(write("old.json", session(1.0)), write("new.json", session(1.6)))
    assert found.table.set_index("benchmark").loc["threaded", "verdict"] == verdict
