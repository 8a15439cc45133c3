"""The compiled code of the fills calls nothing of libm, not even to word an error."""

import json

import child
import pytest

FILLS = """
import json
from initperf.kernels import KERNELS
from initperf.profiling.code import compiled_functions

names = [name for name in KERNELS if name.startswith("fill_")]
for name in names:
    for case in KERNELS[name].cases():
        KERNELS[name]["numba"](*case.arguments())
found = {}
for one in compiled_functions():
    name = one.dispatcher.__name__
    if name in names:
        code = one.loops()
        found.setdefault(name, []).extend(code.libm + code.libm_once)
print(json.dumps([names, found]))
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return json.loads(child.run(FILLS, NUMBA_DISABLE_JIT="0", INITPERF_CACHE=str(cache)))


@pytest.mark.slow
def test_fills_call_nothing_of_libm(process):
    names, called = process
    assert len(names) >= 3
    assert called == {name: [] for name in names}
