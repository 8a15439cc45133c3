"""Damage of the cache of compiled code: recognised, dropped, compiled anew once, and said once."""

import json

import child
import pytest
from file_damage import DAMAGES

KERNELS = """
def total(values):
    result = values[0]
    for value in values[1:]:
        result += value
    return result


def largest(values):
    result = values[0]
    for value in values[1:]:
        result = max(result, value)
    return result
"""

TRIAL = """
import json, logging

import numpy as np

import tiny
from file_damage import DAMAGES
from initperf.jit import jit
from initperf.jit.policy import CODE_CACHE

values = np.arange(5, dtype=np.float32)
records = []


class Kept(logging.Handler):
    def emit(self, record):
        records.append(record)


logging.getLogger("initperf").addHandler(Kept())
logging.getLogger("initperf").setLevel(logging.INFO)


def call():
    fresh = jit(tiny.total)
    return float(fresh(values)), sum(fresh.stats.cache_hits.values())


for kernel in (tiny.total, tiny.largest):
    for dtype in (np.float32, np.float64):
        jit(kernel)(values.astype(dtype))
files = [path for path in CODE_CACHE.rglob("*.nb?") if path.is_file()]
whole = {path: path.read_bytes() for path in files}
assert call() == (10.0, 1), call()
found = {}
for name, damage in DAMAGES.items():
    records.clear()
    for path in files:
        others = sorted(set(files) - {path})
        damage(path, others)
        first, second = call(), call()
        if path.exists() and not path.is_file():
            path.unlink()
        path.write_bytes(whole[path])
        if first != (10.0, 1):  # it was the file in question
            found[name] = first, second, [record.getMessage() for record in records]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """Give what came of each damage: results and loads of two calls, and what was logged."""
    place = tmp_path_factory.mktemp("damage")
    (place / "tiny.py").write_text(KERNELS)
    code = f"import sys; sys.path.insert(0, {str(place)!r})\n{TRIAL}"
    found = child.run(code, NUMBA_DISABLE_JIT="0", INITPERF_CACHE=str(place / "cache"))
    return json.loads(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_code_is_dropped_and_compiled_anew_once(trials, name):
    first, second, logged = trials[name]
    assert first == [10.0, 0]
    assert second == [10.0, 1]
    assert len(logged) >= 1


@pytest.mark.slow
def test_it_is_said_once_in_a_process(trials):
    notes = [line for _, _, logged in trials.values() for line in logged if "dropped" in line]
    assert len(notes) == 1
    assert notes[0].startswith("initperf: ")
    assert "\n" not in notes[0]
