"""Costs of first uses: whose seconds count, which cache is found, and the ratios."""

import subprocess

import pytest

from initperf.benchmarks import first_use
from initperf.benchmarks.first_use import Cost, FirstUse

SPIN = """
import subprocess, sys, time
if len(sys.argv) > 1:
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
else:
    subprocess.run([sys.executable, __file__, "spin"], check=True)
"""


def test_the_seconds_of_processes_that_a_command_starts_count(tmp_path):
    script = tmp_path / "spin.py"
    script.write_text(SPIN)
    cost = first_use.run(FirstUse("spin", (str(script),), "any"), tmp_path)
    assert cost.processor_s >= 0.3
    assert cost.wall_s > 0.0


def test_a_command_finds_its_cache_and_its_failure_is_raised(tmp_path):
    code = "import os, pathlib; pathlib.Path(os.environ['INITPERF_CACHE']).mkdir()"
    first_use.run(FirstUse("makes", ("-c", code), "place"), tmp_path)
    assert (tmp_path / "place").is_dir()
    with pytest.raises(subprocess.CalledProcessError):
        first_use.run(FirstUse("makes again", ("-c", code), "place"), tmp_path)


def test_what_can_be_repeated_is_repeated_in_turn(monkeypatch, tmp_path):
    uses = (
        FirstUse(first_use.IMPORT, (), "a", repeatable=True),
        FirstUse("cold", (), "a"),
        FirstUse("warm", (), "a", repeatable=True),
    )
    ran = []

    def run(use, caches):
        ran.append(use.name)
        return Cost({first_use.IMPORT: 0.5, "cold": 3.0, "warm": 1.0}[use.name] * len(ran), 0.0)

    monkeypatch.setattr(first_use, "FIRST_USES", uses)
    monkeypatch.setattr(first_use, "run", run)
    found = first_use.costs(tmp_path, rounds=3)
    assert ran == [first_use.IMPORT, "cold", "warm", *[first_use.IMPORT, "warm"] * 2]
    assert [len(runs) for runs in found.values()] == [3, 1, 3]
    # medians 0.5 * 4, 3 * 2 and 1 * 5 of the runs 1, 4, 6; 2; 3, 5, 7
    assert first_use.ratios(found) == {first_use.IMPORT: 1.0, "cold": 3.0, "warm": 2.5}


def test_a_cache_is_empty_for_the_first_command_that_is_called_cold():
    for cache in {use.cache for use in first_use.FIRST_USES}:
        first = next(
            use for use in first_use.FIRST_USES if use.cache == cache and "-m" in use.words
        )
        assert first.name.startswith("cold")


def test_nothing_is_written_into_a_cache():
    """A report refuses a directory that holds what no report wrote, such as compiled code."""
    caches = {use.cache for use in first_use.FIRST_USES}
    written = [
        use.words[use.words.index("--out") + 1]
        for use in first_use.FIRST_USES
        if "--out" in use.words
    ]
    assert written
    assert not caches & set(written)
