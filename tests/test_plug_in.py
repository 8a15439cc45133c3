"""Dropping one file into a folder is all it takes to add an initializer, a scheme or a kernel."""

import json
import shutil
from pathlib import Path

import child
import pytest

import initperf

INITIALIZER = '''
"""Uniform weights of a given width."""

from dataclasses import dataclass

from initperf._core.arguments import not_negative
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import Uniform


@dataclass(frozen=True, kw_only=True)
class Wide(Independent):
    """U(-width, width)."""

    width: float = 3.0

    def __post_init__(self) -> None:
        not_negative(width=self.width)

    def law(self, shape: tuple[int, ...]) -> Uniform:
        return Uniform(-self.width, self.width)


register("wide", Wide(formula="U(±3)", cite="a test", suits=("tanh",)), aliases=("broad",))
'''

SCHEME = '''
"""Ones in the first layer, and nothing behind."""

from initperf.schemes import Scheme, register


class First(Scheme):
    """Ones, then zeros."""

    def _set(self, network, key, batch):
        for number, (weights, biases) in enumerate(network.layers()):
            weights[:] = float(number == 0)
            biases[:] = 0.0


register("first", First(formula="1, then 0", cite="a test"), aliases=("foremost",))
'''

KERNEL = '''
"""The sign changed."""

import numpy as np

from initperf.jit.policy import jit
from initperf.kernels import Case, Load, register


def negate_reference(x, out):
    np.negative(x, out=out)


@jit
def negate(x, out):
    for i in range(x.size):
        out[i] = -x[i]


def _cases():
    yield Case("three", lambda: (np.arange(3.0), np.zeros(3)), writes=(1,))


def _loads():
    yield Load("9", lambda dtype: tuple(np.zeros((2, 9), dtype)), {"float32": 9}, 18)


register("negate", numpy=negate_reference, numba=negate, cases=_cases, loads=_loads)
'''


@pytest.fixture
def run(tmp_path):
    """Run code on a copy of the package, with a file added to one of its folders."""
    source = Path(initperf.__file__).parent
    shutil.copytree(source, tmp_path / "initperf", ignore=shutil.ignore_patterns("__pycache__"))

    def run_with(file, text, code):
        (tmp_path / "initperf" / file).write_text(text, encoding="utf-8")
        begin = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        return child.run(begin + code, INITPERF_CACHE=str(tmp_path / "cache"), PYTHONUTF8="1")

    return run_with


def test_an_initializer_is_one_file(run):
    found = run(
        "initializers/wide.py",
        INITIALIZER,
        """
import json, pathlib, sys
import initperf
from initperf.report import tables
from initperf.cli import main
assert initperf.__file__.startswith(sys.path[0])
weights = initperf.draw("broad", (40, 30), rng=0, backend="numpy", width=5.0)
print(json.dumps({
    "there": "wide" in list(initperf.INITIALIZERS),
    "compared": "wide" in tables.distinct(),
    "family": initperf.INITIALIZERS["broad"].family,
    "largest": float(abs(weights).max()),
}))
main(["list", "--json"])
""",
    )
    first, _, listed = found.partition("\n")
    described = json.loads(first)
    assert described["there"]
    assert described["compared"]
    assert described["family"] == "wide"
    assert 4.5 < described["largest"] <= 5.0
    row = next(row for row in json.loads(listed) if row["name"] == "wide")
    assert row["formula"] == "U(±3)"
    assert row["suits"] == ["tanh"]
    assert row["aliases"] == ["broad"]


def test_a_scheme_is_one_file(run):
    found = run(
        "schemes/first.py",
        SCHEME,
        """
import json, sys
import initperf
from initperf.cli import main
assert initperf.__file__.startswith(sys.path[0])
assert initperf.Experiment("foremost").initializer == "first"
layers = initperf.draw_network("first", (3, 2, 2), rng=0)
print(json.dumps([weights.tolist() for weights, _ in layers]))
main(["list", "--json"])
""",
    )
    first, _, listed = found.partition("\n")
    assert json.loads(first) == [[[1.0, 1.0]] * 3, [[0.0, 0.0]] * 2]
    row = next(row for row in json.loads(listed) if row["name"] == "first")
    assert (row["sets"], row["formula"], row["aliases"]) == ("a network", "1, then 0", ["foremost"])


def test_a_kernel_is_one_file(run):
    found = run(
        "kernels/negate.py",
        KERNEL,
        """
import json, sys
import initperf
assert initperf.__file__.startswith(sys.path[0])
kernel = initperf.KERNELS["negate"]
case = next(kernel.cases())
results = {}
for backend in kernel:
    x, out = case.arguments()
    kernel[backend](x, out)
    results[backend] = out.tolist()
from initperf.benchmarks.budget import Budget
from initperf.benchmarks.roofline import choose_kernels, measure_kernels
timed = [one.name for one in measure_kernels(choose_kernels("negate"), Budget(seconds=0.1))]
print(json.dumps([list(initperf.KERNELS), results, timed]))
""",
    )
    names, results, timed = json.loads(found)
    assert "negate" in names
    assert results == {"numpy": [0.0, -1.0, -2.0], "numba": [0.0, -1.0, -2.0]}
    assert timed == ["kernel[negate, float32, 9]"]
