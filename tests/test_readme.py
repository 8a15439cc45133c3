"""The examples of the README, the recipes of CONTRIBUTING, and the links of all documents."""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from initperf import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

# Verbs that are quick: their examples are run, those of the others only parsed.
CHEAP = {"list", "info", "draw", "data"}


def blocks(text: str, language: str) -> list[str]:
    """Return the contents of a Markdown text's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def examples() -> list[list[str]]:
    """Return the arguments of every `initperf ...` line in the shell blocks after the first."""
    lines = "".join(blocks(README, "sh")[1:]).splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [arguments for name, *arguments in words if name == "initperf"]


def without_switch() -> dict[str, str]:
    """Return an environment in which children compile, as a reader's would."""
    return {key: value for key, value in os.environ.items() if key != "NUMBA_DISABLE_JIT"}


def test_the_readme_opens_with_two_shell_lines():
    before, _, rest = README.partition("```sh\n")
    assert "```" not in before
    lines = rest.partition("```")[0].splitlines()
    assert len(lines) == 2
    main, tests = lines
    assert main.endswith(".venv/bin/initperf report")
    assert tests.endswith(".venv/bin/python -m pytest")
    # what runs is what has been installed: nothing but the shell, python3 and its pip is called
    for line in lines:
        programs = {command.split()[0] for command in line.split(" && ")}
        assert {name for name in programs if not name.startswith(".venv/")} == {"python3"}


def test_continuous_integration_takes_its_command_from_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extract = re.search(r"^command=\$\((.*)\)$", script, re.MULTILINE)
    assert extract
    found = subprocess.run(
        ["sh", "-c", extract[1]], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert found.stdout.rstrip("\n") == blocks(README, "sh")[0].splitlines()[1]


@pytest.mark.parametrize("arguments", examples(), ids=" ".join)
def test_command_lines_parse_and_cheap_ones_run(arguments, tmp_path, monkeypatch, capsys):
    cli.parser_of_verbs().parse_args(arguments)
    # models need PyTorch: their lines run in tests/peers
    if arguments[0] in CHEAP and not {"fetch", "--model"} & set(arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("INITPERF_DATA", raising=False)
        # the reference gives the same bits and is quick without compilation too
        options = ["--backend", "numpy"] if arguments[0] == "draw" else []
        assert cli.main([*arguments, *options]) == 0
        assert capsys.readouterr().out


@pytest.mark.slow
def test_python_examples_give_what_they_show():
    assert len(doctest.DocTestParser().get_examples(README)) > 10
    child = subprocess.run(
        [sys.executable, "-W", "error", "-m", "doctest", str(ROOT / "README.md")],
        env=without_switch(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr


def test_every_verb_is_mentioned():
    missing = [verb for verb in cli.verbs() if f"`initperf {verb}`" not in README]
    assert not missing


def test_exit_codes_and_environment_variables_are_those_of_the_sources():
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "initperf").rglob("*.py")
    )
    read = set(re.findall(r'environ(?:\.get\(|\[)"(INITPERF_\w+)"', sources))
    assert read == set(re.findall(r"^\| `(INITPERF_\w+)` \|", README, re.MULTILINE))
    codes = set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))
    documented = re.search(r"Returns\n\s+-+\n\s+int\n(.*)", cli.main.__doc__ or "", re.DOTALL)
    assert documented
    assert codes == set(re.findall(r"\b(\d+)\b", documented[1]))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_links_lead_to_files(name):
    document = ROOT / name
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (document.parent / target).exists()] == []


# What proves that the one file of a recipe was enough, run beside a copy of the sources.
PROOFS = {
    "initperf/initializers/he_backward.py": """
import math
from initperf import INITIALIZERS
assert INITIALIZERS["he_backward_normal"].std((784, 256)) == math.sqrt(2 / 256)
""",
    "initperf/schemes/zero_output.py": """
from initperf import Experiment, draw_network
assert Experiment("zero_output").initializer == "zero_output"
(first, _), (last, biases) = draw_network("zero_output", (6, 5, 4), rng=0, backend="numpy")
assert first.all() and not last.any() and not biases.any()
""",
    "hard_tanh.py": """
import hard_tanh
import numpy as np
from initperf import ACTIVATIONS, KERNELS
activation = ACTIVATIONS["hard_tanh"]
assert activation.value([-3.0, 0.5, 3.0]).tolist() == [-1.0, 0.5, 1.0]
assert activation.derivative([-3.0, 0.5, 3.0]).tolist() == [0.0, 1.0, 0.0]
assert activation.piecewise_linear
assert [case for case in KERNELS["activate"].cases() if "hard_tanh" in case.label]
""",
    "huber.py": """
import huber
import numpy as np
from initperf import KERNELS, LOSSES, Experiment
values, slopes = LOSSES["huber"].value_and_slope(np.array([3.0, 0.5, -3.0]), np.zeros(3))
assert values.tolist() == [2.5, 0.125, 2.5] and slopes.tolist() == [1.0, 0.5, -1.0]
assert Experiment.from_json(Experiment(loss="huber").to_json()).loss == "huber"
assert [case for case in KERNELS["pointwise_loss"].cases() if "huber" in case.label]
""",
    "rmsprop.py": """
import rmsprop
import numpy as np
from initperf import Experiment
from initperf.cli import parser_of_verbs
experiment = Experiment(optimizer="rmsprop", decay=0.5)
(factors,) = experiment.optimizer.factors(np.array([0.1]), 0)
w, first, _ = experiment.optimizer.step(1.0, 2.0, 0.0, 0.0, factors)
assert first == 2.0 and abs(w - (1.0 - 0.2 / 2.0**0.5)) < 1e-8
assert Experiment.from_json(experiment.to_json()) == experiment
assert parser_of_verbs().parse_args(["train", "--decay", "0.5"]).decay == "0.5"
""",
    "staircase.py": """
import staircase
from initperf import Experiment
schedule = Experiment(schedule="staircase", flight=2).schedule
assert schedule.rates(0.8, 1, 4, 9).tolist() == [0.8, 0.4, 0.4, 0.2]
""",
    "initperf/cli/count.py": """
from initperf import INITIALIZERS, SCHEMES, cli
assert "count" in cli.verbs()
assert cli.main(["count", "--schemes"]) == 0
""",
    "initperf/kernels/scale.py": """
import numpy as np
from initperf import KERNELS
kernel = KERNELS["scale"]
cases = list(kernel.cases())
assert len(cases) >= 4
for case in cases:
    reference, twin = case.arguments(), case.arguments()
    kernel["numpy"](*reference)
    kernel["numba"](*twin)
    assert np.array_equal(reference[0], twin[0])
""",
    "initperf/claims/he_variance.py": """
from initperf.claims import CLAIMS, reproduce
(outcome,) = reproduce(["he_variance"], quick=True)
assert CLAIMS["he_variance"].number == 1.0
assert len(outcome.values) == 5 and outcome.verdict == "holds"
""",
    "figures/initperf_figures/training_time.py": """
import pandas as pd
from initperf_figures import FIGURES
runs = {"initializer": ["zeros", "he_normal"], "activation": "relu", "train_seconds": [2.0, 1.0]}
constant = dict.fromkeys(("network", "epochs", "batch_size", "learning_rate", "optimizer",
    "schedule", "dtype", "dataset_digest"), "1")
figure = FIGURES["training_time"].render({"runs": pd.DataFrame({**runs, **constant})})
assert len(figure.axes) == 1
""",
    "bench/bench_allocation.py": """
import sys
import pytest
options = ["--benchmark-disable", "-p", "no:cacheprovider", "-q"]
sys.exit(pytest.main(["bench/bench_allocation.py", *options]))
""",
}


def test_every_recipe_has_a_proof():
    assert re.findall(r"^`([\w/]+\.py)`:$", CONTRIBUTING, re.MULTILINE) == list(PROOFS)


@pytest.mark.slow
@pytest.mark.parametrize("file", PROOFS)
def test_recipes_take_one_file(file, tmp_path):
    for folder in ("initperf", "figures", "bench"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    recipe = CONTRIBUTING.partition(f"`{file}`:\n")[2]
    (tmp_path / file).write_text(blocks(recipe, "python")[0], encoding="utf-8")
    environment = without_switch() | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(tmp_path / "figures")]),
        "INITPERF_CACHE": str(tmp_path / "cache"),
    }
    child = subprocess.run(
        [sys.executable, "-c", PROOFS[file]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr
