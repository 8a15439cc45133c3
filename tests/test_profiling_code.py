"""Names and addresses of machine code, against what the engine itself says."""

import itertools
import json
import sys

import child
import pytest

SYMBOLS = """
import json
from initperf.kernels import KERNELS
from initperf.profiling.code import compiled_functions, mapped, symbols

kernel = KERNELS["squared_norm"]
for case in kernel.cases():
    kernel["numba"](*case.arguments())
with mapped() as path:
    text = path.read_text()
found = {one.address: one for one in symbols()}
(named,) = [one for one in compiled_functions() if one.name.startswith("squared_norm(float32[]")]
library, descriptor = named.result.library, named.result.fndesc
print(json.dumps({
    "map": text,
    "left": path.exists(),
    "symbols": [tuple(one) for one in found.values()],
    "name": named.name,
    "entry": library.get_pointer_to_function(descriptor.llvm_func_name),
    "wrapper": library.get_pointer_to_function(descriptor.llvm_cpython_wrapper_name),
}))
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return json.loads(child.run(SYMBOLS, NUMBA_DISABLE_JIT="0", INITPERF_CACHE=str(cache)))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="perf is Linux's"),
]


def test_the_map_names_the_entry_point_of_a_kernel(process):
    rows = [line.split(" ", 2) for line in process["map"].splitlines()]
    spans = {name: (int(begin, 16), int(size, 16)) for begin, size, name in rows}
    begin, size = spans[process["name"]]
    assert begin == process["entry"]
    assert size > 100
    assert process["name"] == "squared_norm(float32[], float64[])"


def test_functions_that_python_calls_are_named_after_their_kernels(process):
    wrapper = f"{process['name']} called from Python"
    placed = {name: address for address, _, name in process["symbols"]}
    assert placed[wrapper] == process["wrapper"]
    assert placed[wrapper] != process["entry"]


def test_symbols_do_not_overlap(process):
    rows = sorted(process["symbols"])
    for (begin, size, _), (after, _, _) in itertools.pairwise(rows):
        assert begin + size <= after


def test_the_map_is_removed(process):
    assert not process["left"]
