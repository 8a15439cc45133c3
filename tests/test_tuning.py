"""The script that derives the tuning constants knows them all, and measures."""

import re

import pytest
from scripts import bench_script

from initperf.jit import tuning

CONSTANTS = {name for name in vars(tuning) if name.isupper()}


@pytest.fixture
def script(monkeypatch):
    """Import the script."""
    return bench_script("derive_tuning", monkeypatch)


def test_every_constant_has_a_trial_around_its_value(script):
    assert set(script.TRIALS) == CONSTANTS
    for name, trial in script.TRIALS.items():
        assert min(trial.candidates) <= getattr(tuning, name) <= max(trial.candidates)


@pytest.mark.slow
def test_a_constant_is_derived_with_its_spread(script, capsys, monkeypatch):
    trial = script.Trial((1 << 13, 1 << 16), script.TRIALS["FILL_BUFFER"].workloads)
    monkeypatch.setitem(script.TRIALS, "FILL_BUFFER", trial)
    script.main(["FILL_BUFFER", "--rounds", "1"])
    _, row = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"FILL_BUFFER +65536 +(8192|65536) +[\d.]+ ± 0.000  [\d, ]+", row)
