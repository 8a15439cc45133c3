"""Planted faults are found and named; healthy models raise no finding."""

from pathlib import Path

import check_tables
import pytest
from check_trials import FAULTS, HEALTHY, MENDED
from hostile import number

from initperf.torch.fixing.unmended import REASONS
from initperf.torch.signals.thresholds import THRESHOLDS

PAGE = Path(__file__).parents[2] / "docs" / "check.md"


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_named(name):
    fault = FAULTS[name]
    found = check_tables.found(fault, seeds=2)
    assert found.kind == fault.kind, found.text
    assert "seeds)" not in found.text  # in each of them
    assert found.severe


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_model_raises_no_finding(name):
    # docs/check.md has the findings of 20 seeds, as has this with INITPERF_TRIALS=20
    seeds = min(number(3), check_tables.SEEDS)
    _, _, findings = check_tables.healthy(HEALTHY[name], seeds)
    assert not findings


def test_the_page_has_every_fault_model_and_threshold():
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [tuple(part.strip() for part in row.strip("|").split("|")) for row in rows]
    found = {row[0]: row[2] for row in cells if row[0] in FAULTS}
    assert found == {name: fault.kind for name, fault in FAULTS.items()}
    left = {row[0]: row[5] for row in cells if row[0] in FAULTS}
    for name, fault in FAULTS.items():
        # where several findings are left, each has its reason
        mended = name in MENDED
        assert (left[name] == "healthy") is mended, name
        assert mended or REASONS[fault.kind] in left[name], name
    quiet = {row[0]: row[3:] for row in cells if row[0] in HEALTHY}
    assert quiet == dict.fromkeys(HEALTHY, (str(check_tables.SEEDS), "none"))
    assert set(THRESHOLDS) <= {row[0] for row in cells}
