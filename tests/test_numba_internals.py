"""A numba that lacks a private name: a part is done without, results stay, and doctor warns."""

import json

import child
import pytest

from initperf import draw
from initperf.jit import internals

REMOVED = {
    "wide vectors": "numba.core.typed_passes:NativeLowering",
    "inlining": "numba._dynfunc:",
    "code cache": "numba.core.compiler:CompileResult._rebuild",
    "instructions": "numba.core.cgutils:unpack_tuple",
    "compiler events": "numba.core.event:",
}
"""Names, or a module, that numba itself does without once it is imported."""

WITHOUT = """
import importlib, json, sys
import numba, numba.core.caching, numba.core.compiler, numba.core.event

module, colon, names = sys.argv[1].partition(":")
if colon and not names:
    sys.modules[module] = None  # so that importing it raises
elif names:
    *above, name = names.split(".")
    holder = importlib.import_module(module)
    for each in above:
        holder = getattr(holder, each)
    delattr(holder, name)

from initperf.jit import internals, jit
from initperf.jit.policy import CODE_CACHE
"""

DRAW = """
from initperf import draw
from initperf.benchmarks.doctor import CHECKS, System

values = draw("uniform", (40, 30), rng=1)
found = list(CHECKS["compiler"](System()))
files = len(list(CODE_CACHE.rglob("*.nbc")))
print(json.dumps([values.tobytes().hex(), found, files]))
"""


def test_nothing_is_missing_here():
    assert {part: internals.missing(part) for part in internals.PARTS} == dict.fromkeys(
        internals.PARTS, ()
    )


@pytest.mark.slow
@pytest.mark.parametrize("part", REMOVED)
def test_a_draw_has_the_same_bits_and_doctor_warns(part, tmp_path):
    known = {"NUMBA_DISABLE_JIT": "0", "INITPERF_CACHE": str(tmp_path)}
    name = REMOVED[part]
    drawn, found, files = json.loads(child.run(WITHOUT + DRAW, name, **known))
    assert bytes.fromhex(drawn) == draw("uniform", (40, 30), rng=1).tobytes()
    ((status, words, advice),) = found
    assert status == "warning"
    assert f"lacks {name}" in words
    assert f"initperf does without {part}" in words
    assert advice
    assert (files > 0) == (part in ("wide vectors", "inlining", "compiler events"))


RENAMED = """
import json, sys
from initperf.jit import internals

internals.PARTS[sys.argv[1]] += (sys.argv[2],)  # before anything asks for the part
from initperf.jit.policy import CODE_CACHE
"""

COUNT = """
from initperf.profiling.code import compiled_functions

print(len(compiled_functions()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("part", ["code cache", "compiler notice", "compiled functions"])
def test_attributes_that_only_dispatchers_have_are_looked_up_in_one(part, tmp_path):
    known = {"NUMBA_DISABLE_JIT": "0", "INITPERF_CACHE": str(tmp_path)}
    name = "numba.core.registry:CPUDispatcher()._renamed"
    printed, count = child.run(RENAMED + DRAW + COUNT, part, name, **known).splitlines()
    drawn, ((status, words, _),), files = json.loads(printed)
    assert bytes.fromhex(drawn) == draw("uniform", (40, 30), rng=1).tobytes()
    assert status == "warning"
    assert words.endswith(f"lacks {name}: initperf does without {part}")
    assert (files > 0) == (part != "code cache")
    assert (int(count) > 0) == (part != "compiled functions")


TRAIN = """
import numpy as np
from initperf.data import Dataset
from initperf.training.experiment import Experiment
from initperf.training.train import train

rng = np.random.default_rng(3)
images = rng.integers(0, 256, (60, 784), dtype=np.uint8)
labels = np.arange(60) % 10
dataset = Dataset(images[:40], labels[:40], images[40:], labels[40:], "mnist", "made by a test")
for options in ({}, {"optimizer": "adam", "clip_norm": 1.0}):
    runs = [
        train(Experiment(hidden=(8, 6), backend=backend, epochs=2, **options), dataset=dataset)
        for backend in ("numba", "numpy")
    ]
    print(json.dumps([[run.status, run.steps["loss"].tolist()] for run in runs]))
"""


@pytest.mark.slow
def test_where_nothing_can_be_compiled_training_is_that_of_the_references(tmp_path):
    known = {"NUMBA_DISABLE_JIT": "0", "INITPERF_CACHE": str(tmp_path)}
    printed = child.run(WITHOUT + TRAIN, REMOVED["instructions"], **known)
    for line in printed.splitlines():
        compiled, reference = json.loads(line)
        assert reference[0] == "finished"
        assert compiled == reference
    assert len(printed.splitlines()) == 2


VIEWS = """
import numpy as np
from collections import namedtuple
from initperf.jit.views import as_row, as_rows, unowned

if sys.argv[2] == "without":
    internals.PARTS["views"] += ("numba.np.arrayobj:renamed",)
Pair = namedtuple("Pair", "first second")


@jit
def sums(pair):
    pair = unowned(pair)
    rows = as_rows(pair.first, 2, 3)
    result = np.zeros(3)
    for row in range(2):
        for column in range(3):
            result[row] += rows[row, column]
    for value in as_row(pair.second):
        result[2] += value
    return result


values = sums(Pair(np.arange(10.0), np.ones((2, 2)))).tolist()
print(json.dumps([values, internals.missing("views")]))
"""


@pytest.mark.slow
def test_views_are_made_by_numba_itself(tmp_path):
    known = {"NUMBA_DISABLE_JIT": "0", "INITPERF_CACHE": str(tmp_path)}
    for how, lacks in (("with", []), ("without", ["numba.np.arrayobj:renamed"])):
        assert json.loads(child.run(WITHOUT + VIEWS, "", how, **known)) == [[3.0, 12.0, 4.0], lacks]
