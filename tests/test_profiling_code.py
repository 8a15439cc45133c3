"""Names, addresses and sizes of machine code, against what the engine itself says."""

import itertools
import json
import sys

import child
import pytest

SYMBOLS = """
import ctypes, json, os
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
    "object": library.serialize_using_object_code()[2][0].hex(),
    "memory": [ctypes.string_at(one.address, one.size).hex() for one in found.values()],
}))
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return json.loads(child.run(SYMBOLS, NUMBA_DISABLE_JIT="0", INITPERF_CACHE=str(cache)))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="perf and ELF are Linux's"),
]


def test_the_map_names_the_entry_point_of_a_kernel(process):
    rows = [line.split(" ", 2) for line in process["map"].splitlines()]
    spans = {name: (int(begin, 16), int(size, 16)) for begin, size, name in rows}
    begin, size = spans[process["name"]]
    assert begin == process["entry"]
    assert size > 100
    assert process["name"] == "squared_norm(float32[], float64[])"


def test_what_is_placed_by_the_object_file_is_where_the_engine_says(process):
    wrapper = f"{process['name']} called from Python"
    placed = {name: address for address, _, name in process["symbols"]}
    assert placed[wrapper] == process["wrapper"]
    assert placed[wrapper] != process["entry"]


def test_the_bytes_in_memory_are_those_of_the_object_file(process):
    """All but addresses, which are filled in when it is loaded: compare the first 8."""
    found = {
        name: bytes.fromhex(memory)
        for (_, _, name), memory in zip(process["symbols"], process["memory"], strict=True)
    }
    assert found[process["name"]][:8] in bytes.fromhex(process["object"])


def test_symbols_do_not_overlap(process):
    rows = sorted(process["symbols"])
    for (begin, size, _), (after, _, _) in itertools.pairwise(rows):
        assert begin + size <= after


def test_the_map_is_removed(process):
    assert not process["left"]
