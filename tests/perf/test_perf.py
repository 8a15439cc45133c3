"""With Linux perf: its samples name the jitted function. Where perf is absent, an error."""

import json

import pytest

from initperf import cli


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (("fill_normal",), "fill_normal(float32[], uint64, uint64, …)"),
        (("draw", "glorot_uniform", "2048", "2048"), "fill_uniform(float32[], uint64, uint64, …)"),
    ],
)
def test_perf_names_the_jitted_function(capsys, tmp_path, words, function):
    assert cli.main(["profile", *words, "--seconds", "1", "--json", "--out", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    busiest = found["samples"][0]
    # nothing else of a fill computes; its least share here is that of a draw, whose pages are new
    assert busiest["function"] == function, found["notes"]
    assert busiest["percent"] > 50.0
    assert busiest["code"] == "jitted"
    named = [
        line for line in (tmp_path / "perf.script").read_text().splitlines() if function in line
    ]
    assert named
    assert all(".map)" in line for line in named)
    assert f">{function}</button>" in (tmp_path / "index.html").read_text("utf-8")
