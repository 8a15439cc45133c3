"""What the command line says of users' own rules that fail, lost output and mistyped options."""

import os
import sys

import numpy as np
import pytest

from initperf import INITIALIZERS, SCHEMES, cli
from initperf.cli import _main
from initperf.cli._kept_runs import kept_runs
from initperf.errors import RuleError

MODULE = """
import numpy as np
from initperf.initializers import Initializer
from initperf.schemes import PerLayer

def raises(shape, rng):
    return 1 / 0

def wrong(shape, rng):
    return np.zeros((2, 2))

class Failing(Initializer):
    def filler(self, out):
        return self.fill

    def fill(self, out, source):
        return {}["gone"]

    def mean(self, shape):
        return 0.0

    std = mean

    def support(self, shape):
        return -1.0, 1.0

class Untold(Failing):
    def fill(self, out, source):
        out[...] = 1.0

    def mean(self, shape):
        return {}["gone"]

class Network(PerLayer):
    def initializers(self, network, number):
        return {}["gone"]

instance, untold, network = Failing(), Untold(), Network()
"""
TRAINING = ("--epochs", "1", "--hidden", "8", "--backend", "numpy", "--batch-size", "50")
PROCESSES = ("--executor", "processes", "--seed", "0,1")


def run(capfd, *words):
    """Return (exit code, standard output, standard error) of a command line."""
    code = cli.main(list(map(str, words)))
    captured = capfd.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def here(tmp_path, monkeypatch, blobs):
    """Give the working directory, with a module of rules and a small data set."""
    name = f"rules_of_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE)
    np.savez(tmp_path / "blobs.npz", X=blobs.train_images[:, ::16], y=blobs.train_labels)
    monkeypatch.chdir(tmp_path)
    with INITIALIZERS.restored(), SCHEMES.restored():
        yield tmp_path


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("raises", "the rule {} failed: ZeroDivisionError: division by zero"),
        ("wrong", "{} must return weights of shape "),
        ("instance", "the rule {} failed: KeyError: 'gone'"),
        ("Failing", "the rule {} failed: KeyError: 'gone'"),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ("draw", "{}", "3", "4"),
        ("info", "{}", "3", "4"),
        ("train", "--initializer", "{}", "--dataset", "blobs.npz", *TRAINING),
        ("sweep", "--initializer", "{}", "--dataset", "blobs.npz", *TRAINING),
        pytest.param(
            ("sweep", "--initializer", "{}", "--dataset", "blobs.npz", *TRAINING, *PROCESSES),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["draw", "info", "train", "sweep", "processes"],
)
def test_a_rule_that_fails_is_named_in_one_line(capfd, here, words, function, reason):
    (module,) = here.glob("*.py")
    rule = f"{module.stem}:{function}"
    code, out, err = run(capfd, *(word.format(rule) for word in words))
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"initperf: {reason.format(rule)}")
    assert "Traceback" not in err
    assert "fault of initperf" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("info", "{}:network", "3", "4"),
        ("info", "{}:untold", "3", "4"),
        ("train", "--initializer", "{}:network", "--dataset", "blobs.npz", *TRAINING),
    ],
)
def test_a_class_of_rules_that_fails_is_named_too(capfd, here, words):
    (module,) = here.glob("*.py")
    code, out, err = run(capfd, *(word.format(module.stem) for word in words))
    assert (code, out) == (2, "")
    assert f"initperf: the rule {module.stem}:" in err
    assert err.splitlines()[-1].endswith(" failed: KeyError: 'gone'")


def test_faults_of_initperfs_own_rules_stay_such():
    class Broken(type(INITIALIZERS["he_normal"])):
        def filler(self, out):
            raise KeyError("gone")

    with pytest.raises(RuleError, match="a rule Broken failed: KeyError: 'gone'"):
        Broken()((3, 4))
    Broken.__module__ = "initperf.initializers.broken"
    with pytest.raises(KeyError):
        Broken()((3, 4))


@pytest.mark.parametrize("verb", ["draw", "info"])
def test_the_traceback_of_a_rule_reaches_into_its_function(capfd, here, verb):
    (module,) = here.glob("*.py")
    _, _, err = run(capfd, "--traceback", verb, f"{module.stem}:raises", "3", "4")
    assert "return 1 / 0" in err


def test_a_declared_moment_that_fails_names_its_rule():
    from initperf import initializer

    with INITIALIZERS.restored():
        rule = initializer(name="own_of_a_test", mean=lambda shape: 1 / 0)(lambda shape, rng: 0.0)
        with pytest.raises(RuleError, match="the rule own_of_a_test failed: ZeroDivisionError"):
            rule.mean((3, 4))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("steps.avi", "a movie is a .gif or an .mp4"),
        ("none/steps.gif", "there is no directory none"),
        ("steps.mp4", "needs ffmpeg"),
    ],
)
def test_the_file_of_a_movie_is_checked_before_anything_is_trained(
    capfd, here, monkeypatch, file, message
):
    def never(*_, **__):
        raise AssertionError("trained before the file was checked")

    monkeypatch.setattr("initperf.training.train.train", never)
    monkeypatch.setattr("matplotlib.animation.FFMpegWriter.isAvailable", lambda: False)
    words = ("train", "--dataset", "blobs.npz", *TRAINING, "--out", "runs", "--movie", file)
    code, out, err = run(capfd, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("module", "remedy"),
    [
        ("torch", "pip install torch brings it"),
        ("sklearn", "pip install 'initperf[suite]' brings it"),
        ("matplotlib", "pip install 'initperf[suite]' brings it"),
        ("pytest_benchmark", "pip install 'initperf[suite]' brings it"),
    ],
)
def test_a_missing_package_has_a_remedy_that_brings_it(capfd, here, monkeypatch, module, remedy):
    def missing(_):
        raise ModuleNotFoundError(f"No module named {module!r}", name=f"{module}.nn")

    monkeypatch.setattr("initperf.cli.list.run", missing)
    assert run(capfd, "list") == (2, "", f"initperf: this needs {module}; {remedy}\n")


@pytest.mark.parametrize(("own", "code"), [(0, 2), (1, 1), (3, 3)])
def test_output_that_is_lost_is_said_whatever_the_code(capfd, monkeypatch, own, code):
    def write(words, ends):
        print("a line", flush=True)
        return own

    monkeypatch.setattr(_main, "_guarded", write)
    with open(os.devnull) as not_writable, capfd.disabled():
        kept = os.dup(1), os.dup(2)
        read, written = os.pipe()
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        try:
            os.dup2(not_writable.fileno(), 1)
            os.dup2(written, 2)
            found = cli.main([])
        finally:
            sys.stdout, sys.stderr = streams
            for descriptor, target in zip(kept, (1, 2), strict=True):
                os.dup2(descriptor, target)
                os.close(descriptor)
            os.close(written)
        with os.fdopen(read) as said:
            assert said.read().startswith("initperf: standard output cannot be written: ")
    assert found == code


def test_an_unknown_option_names_the_help_of_its_verb_and_the_nearest(capfd):
    _, _, err = run(capfd, "train", "--hiden", "3")
    assert err == (
        "initperf: unrecognized arguments: --hiden 3; did you mean '--hidden'?; "
        "initperf train --help says more\n"
    )
    _, _, err = run(capfd, "train", "--qqqq=3")
    assert err == ("initperf: unrecognized arguments: --qqqq=3; initperf train --help says more\n")
    _, _, err = run(capfd, "--tracebak", "train", "--epochs", "0")
    assert "did you mean '--traceback'?; initperf --help" in err


def test_info_requires_a_name_alone(capfd):
    _, _, err = run(capfd, "info")
    assert "required: NAME;" in err


@pytest.mark.parametrize("verb", ["map", "depths", "train", "sweep"])
def test_help_names_no_option_that_a_verb_lacks(capfd, verb):
    _, out, _ = run(capfd, verb, "--help")
    assert ("in place of --hidden" in " ".join(out.split())) == ("  --hidden" in out)


@pytest.mark.slow
@pytest.mark.parametrize("verb", [("sweep",), ("map", "--quick"), ("depths", "--quick")])
def test_a_refused_training_leaves_no_directory(capfd, here, monkeypatch, verb):
    monkeypatch.setattr("initperf.training._cluster.CONNECT_SECONDS", 0.5)
    before = sorted(here.iterdir())
    words = ("--dataset", "blobs.npz", "--scheduler", "foo", "--out", "new/runs")
    code, out, _ = run(capfd, *verb, *words)
    assert (code, out) == (2, "")
    assert sorted(here.iterdir()) == before


def test_directories_with_content_or_of_before_stay(tmp_path):
    (tmp_path / "before").mkdir()
    with pytest.raises(KeyError), kept_runs(tmp_path / "before" / "new"):
        raise KeyError
    assert list((tmp_path / "before").iterdir()) == []
    with pytest.raises(KeyError), kept_runs(tmp_path / "full" / "new") as store:
        raise KeyError((store.directory / "a").write_text("run"))
    assert (tmp_path / "full" / "new" / "a").exists()
