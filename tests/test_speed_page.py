"""The script that writes the page of speeds: tables from rows, and sections in their places."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripts import bench_script

from initperf.benchmarks.rows import Row, row_of
from initperf.benchmarks.speed import Selection


@pytest.fixture
def script(monkeypatch):
    """Import the script."""
    return bench_script("speed_page", monkeypatch)


def row(method, role, median_s, size="64 x 64", workload="fill"):
    facts = {"workload": workload, "size": size, "method": method, "role": role}
    times = {"median_s": median_s, "low_s": 0.9 * median_s, "high_s": 1.1 * median_s}
    ratios = {"ratio": 8.0 / median_s, "ratio_low": 7.0 / median_s, "ratio_high": 9.0 / median_s}
    limit = {"limit_s": 0.5, "limit": "plain stores, 1 thread"}
    return Row(**facts, **times, **ratios, **limit, first_call_s=3.0 * median_s)


def test_methods_are_compared_with_our_fastest_of_the_same_size(script):
    rows = [row("NumPy", "rival", 8.0), row("Numba, 1", "ours", 4.0), row("Numba, 2", "ours", 2.0)]
    rows += [row("NumPy", "rival", 9.0, "1 x 1"), row("Numba, 1", "ours", 3.0, "1 x 1")]
    heading, rule, *lines = script.workload_lines(rows)
    assert len(lines) == len(rows)
    assert {line.count("|") for line in (heading, rule, *lines)} == {9}
    assert [line.split(" | ")[5] for line in lines] == ["4.00", "2.00", "1.00", "3.00", "1.00"]
    assert lines[2] == (
        "| 64 x 64 | **Numba, 2** | 2000 | 1800 to 2200 | 4.00 (3.50 to 4.50) | 1.00 "
        "| 25.0 % (plain stores, 1 thread) | 6.00 |"
    )


def test_workloads_of_one_table_are_told_apart(script):
    rows = [row("Numba", "ours", 4.0), row("Numba", "ours", 2.0, workload="step")]
    _, _, *lines = script.workload_lines(rows)
    assert [line.split(" | ")[0] for line in lines] == ["| fill, 64 x 64", "| step, 64 x 64"]
    assert [line.split(" | ")[5] for line in lines] == ["1.00", "1.00"]


def test_kernels_are_shown_for_each_width_of_vectors(script):
    def process(seconds):
        facts = {"size": "10 x 10 of 20", "median_s": seconds, "limit_s": 1e-6}
        return [{"kernel": name, **facts} for name in ("fill_normal_rows", "transpose")]

    found = {
        "all": [process(2e-6), process(4e-6), process(5e-6)],
        "256 bits": [process(8e-6)] * 3,
    }
    heading, _, *lines = script.kernel_lines(found)
    assert {line.count("|") for line in (heading, *lines)} == {9}
    assert lines == [
        "| fill_normal_rows 10 x 10 of 20 | 4.00 | 2.00 to 5.00 | 40.0 | 25.0 % | 8.00 "
        "| 8.00 to 8.00 | 80.0 |",
        "| transpose 10 x 10 of 20 | 4.00 | 2.00 to 5.00 | – | 25.0 % | 8.00 | 8.00 to 8.00 | – |",
    ]


def test_methods_of_several_processes_are_shown_by_their_medians(script):
    runs = [
        {"torch": {"seconds": slow, "ratio": 1.0}, "ours": {"seconds": 0.1, "ratio": 10.0 * slow}}
        for slow in (0.3, 0.9, 0.5)
    ]
    heading, _, *lines = script.large_lines({"all": runs, "256 bits": runs[:1]})
    assert heading.count("|") == 7
    assert lines == [
        "| all | torch | 500 | 300 to 900 | 1.00 | 1.00 to 1.00 |",
        "| all | ours | 100 | 100 to 100 | 5.00 | 3.00 to 9.00 |",
        "| 256 bits | torch | 300 | 300 to 300 | 1.00 | 1.00 to 1.00 |",
        "| 256 bits | ours | 100 | 100 to 100 | 3.00 | 3.00 to 3.00 |",
    ]


def test_widths_take_turns_after_a_process_each_that_compiles(script, monkeypatch):
    told = []

    def run(command, env, **_):
        told.append(("Haswell" in env.get("OPENBLAS_CORETYPE", ""), command[2:]))
        return SimpleNamespace(stdout=str(len(told)))

    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setattr(script.subprocess, "run", run)
    assert script._by_width("--rows", 2.0, 2) == {"all": [3, 5], "256 bits": [4, 6]}
    assert [narrow for narrow, _ in told] == [False, True] * 3
    assert [words for _, words in told] == [["--rows", "0.001"]] * 2 + [["--rows", "2.0"]] * 4


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (1.0, "1.00"), (12.345, "12.3"), (98765.4, "98765"), (float("nan"), "–")],
)
def test_numbers(script, value, shown):
    assert script.number(value) == shown


def test_a_section_takes_the_place_of_its_own_and_leaves_the_others(script):
    first, second, third = (part.title for part in list(script.PARTS.values())[:3])
    page = script.placed("", third, f"## {third}\n\nold\n")
    assert page.startswith(script.HEADING)
    page = script.placed(page, first, f"## {first}\n\n| a |\n")
    page = script.placed(page, third, f"## {third}\n\nnew\n")
    assert page == f"{script.HEADING}\n## {first}\n\n| a |\n\n## {third}\n\nnew\n"
    assert script.placed(page, third, f"## {third}\n\nnew\n") == page
    assert f"## {second}" not in page


def test_parts_choose_workloads_that_exist(script, monkeypatch):
    chosen = []

    def run(command, **_):
        chosen.append(Selection(words=command[command.index("--workloads") + 1]))
        return SimpleNamespace(stdout="[]")

    monkeypatch.setattr(script.subprocess, "run", run)
    own_processes = {"first_use", "kernels", "large_orthogonal"}
    for name in script.PARTS.keys() - own_processes:
        script.PARTS[name].table(0.0)
    assert all(selection.steps() for selection in chosen)
    assert len(chosen) == len(script.PARTS) - len(own_processes)


def test_first_calls_find_no_compiled_code(script, monkeypatch, tmp_path):
    """Each part is measured by a process whose caches nothing has been written to before."""
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path))
    caches = []

    def run(command, env, **_):
        for name in ("INITPERF_CACHE", "TORCHINDUCTOR_CACHE_DIR"):
            cache = Path(env[name])
            assert not cache.exists()
            cache.mkdir()
            caches.append(cache)
        return SimpleNamespace(stdout=json.dumps([row("Jit", "ours", 2.0).record()]))

    monkeypatch.setattr(script.subprocess, "run", run)
    for name in ("fill_normal", "fill_uniform"):
        assert script.PARTS[name].table(0.0)[-1].endswith(" | 6.00 |")
    assert len(set(caches)) == 4
    assert not any(cache.exists() for cache in [*caches, *tmp_path.iterdir()])


def test_a_process_prints_the_rows_of_its_workloads(script, workloads, capsys):
    script.main(["--workloads", "first", "--seconds", "0.01"])
    rows = [row_of(told) for told in json.loads(capsys.readouterr().out)]
    assert [one.method for one in rows] == [
        *("NumPy reference", "NumPy", "Numba, 1 thread", "Numba, 2 threads"),
    ]
    assert all(one.first_call_s > 0 for one in rows)
    assert script.workload_lines(rows)[-1].count("|") == 9
