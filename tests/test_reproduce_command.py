"""``initperf reproduce``."""

import json

import pytest

from initperf import cli

CHEAP = ("selu_mean_slope", "born-dead")


def run(capsys, *words):
    """Return (exit code, standard output, standard error) of a command line."""
    try:
        code = cli.main(words)
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return code or 0, captured.out, captured.err


def test_it_prints_verdicts_and_keeps_outcomes(capsys, tmp_path):
    words = ("reproduce", *CHEAP, "--quick", "--json", "--out", str(tmp_path))
    code, out, _ = run(capsys, *words)
    assert code == 0
    rows = json.loads(out)
    assert [row["claim"] for row in rows] == ["selu_mean_slope", "born_dead"]
    assert [row["verdict"] for row in rows] == ["fails", "holds"]
    assert [row["seeds"] for row in rows] == [1, 5]
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2
    assert run(capsys, "reproduce", CHEAP[0], *words[1:])[1] == out  # named twice
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


def test_it_writes_a_page_that_names_its_command(capsys, tmp_path, monkeypatch):
    page = tmp_path / "claims.md"
    words = ["reproduce", "born_dead", "--quick", "--page", str(page), "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["initperf", *words])
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "born_dead" in out
    text = page.read_text(encoding="utf-8")
    assert "initperf reproduce born_dead --quick --page" in text
    assert "## born_dead" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("born_ded",), "did you mean 'born_dead'"),
        (("--workers", "0"), "--workers: must be a positive integer, not '0'"),
        (("--workers", "x"), "--workers: must be a positive integer, not 'x'"),
        (("--page", "nowhere/claims.md"), "in a directory that exists, not nowhere/claims.md"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "reproduce", *words, "--out", str(tmp_path / "kept"))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
