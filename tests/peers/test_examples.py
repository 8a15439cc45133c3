"""The examples, each run as a user does, at a small size where its own takes long."""

import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PRINTED = {
    "check.py": ((), r"three draws: .*\n(.*\n)+a second call changes 0 weights\n"),
    "coordinates.py": ((), r"standard: .*\n(.*\n)+maximal: .*\n"),
    "seven_billion.py": (
        ("--layers", "1", "--width", "256"),
        r"built on meta in [\d.]+ s, materialized in [\d.]+ s\n(.*\n)+PyTorch's trunc_normal_ on ",
    ),
}
"""Arguments of each, and what is printed then, as a pattern."""

ELSEWHERE = {"sharded.py"}  # test_torch_shell.py starts its processes


def test_every_example_is_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*PRINTED, *ELSEWHERE}


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_does_what_it_says(name, monkeypatch, capsys):
    arguments, pattern = PRINTED[name]
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert re.search(pattern, capsys.readouterr().out)
