"""A git revision and the working tree, measured in turns."""

import os
import subprocess

import pytest

from initperf import cli
from initperf.benchmarks.revisions import measure_in_turns
from initperf.errors import UsageError

BENCHMARKS = """
import work

def test_one(recorded):
    recorded(work.SAMPLES)

def test_other(recorded):
    recorded(work.SAMPLES)
"""
WORK = "SAMPLES = [{}e-3 * noise for noise in (1.0, 1.01, 0.99, 1.02, 1.0, 1.005, 0.995, 1.01)]\n"


def git(*words):
    subprocess.run(["git", *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Make a repository the working directory, which is ten times as slow as its last commit."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # which may want commits to be signed
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "nobody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "nobody@example.org")
    (tmp_path / "bench").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bench" / "test_work.py").write_text(BENCHMARKS)
    (tmp_path / "work.py").write_text(WORK.format(1))
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "Begin")
    (tmp_path / "work.py").write_text(WORK.format(10))
    return tmp_path


WORDS = ("-k", "test_one", "--benchmark-max-time=0.2")


@pytest.mark.slow
def test_the_working_tree_is_compared_with_the_revision(repository, capsys):
    before = set(os.listdir(repository / ".git"))
    turns = measure_in_turns("HEAD", WORDS, passes=2)
    name = "bench/test_work.py::test_one"
    assert set(turns.base.benchmarks) == set(turns.tree.benchmarks) == {name}
    assert [len(one.benchmarks[name].passes) for one in (turns.base, turns.tree)] == [2, 2]
    ratio = turns.tree.benchmarks[name].least_s / turns.base.benchmarks[name].least_s
    assert ratio == pytest.approx(10.0)
    assert turns.warnings == ()
    assert set(os.listdir(repository / ".git")) == before
    code = cli.main(
        ["compare", "--base", "HEAD", "--select", "test_one", "--passes", "2", "--markdown"]
    )
    told = capsys.readouterr().out
    assert code == 1
    assert told.startswith("### initperf: regressed\n")
    assert f"| `{name}` |" in told


@pytest.mark.slow
def test_other_benchmarks_are_warned_of_and_a_failure_names_its_side(repository):
    suite = repository / "bench" / "test_work.py"
    suite.write_text(BENCHMARKS.replace("test_other", "test_another"))
    turns = measure_in_turns("HEAD", WORDS, passes=1)
    assert "bench/test_work.py" in turns.warnings[0]
    (repository / "work.py").write_text("raise ValueError('broken on purpose')")
    with pytest.raises(UsageError, match="benchmarks of the working tree failed"):
        measure_in_turns("HEAD", WORDS, passes=1)


def test_bad_revisions_are_one_line(repository):
    with pytest.raises(UsageError, match="has no revision 'nowhere'"):
        measure_in_turns("nowhere")
    with pytest.raises(UsageError, match="has no revision '--help'"):
        measure_in_turns("--help")


def test_outside_of_a_checkout_the_message_is_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"--base needs a git checkout.* lies in none"):
        measure_in_turns("HEAD")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "takes two files"),
        (("a.json",), "takes two files"),
        (("a.json", "b.json", "--base", "HEAD"), "not both"),
        (("a.json", "b.json", "--select", "x"), "--select goes with --base"),
        (("a.json", "b.json", "--json", "--markdown"), "choose one"),
        (("a.json", "b.json", "--threshold", "x=0"), "above 0"),
    ],
)
def test_words_that_do_not_fit_together_are_refused(capsys, words, message):
    assert cli.main(["compare", *words]) == 2
    assert message in capsys.readouterr().err
