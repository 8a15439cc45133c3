"""What the compiler makes of fills and products, read without running it."""

import re

import child
import pytest

ASSEMBLY = """
import sys
from numba import types
from initperf import KERNELS
fill = (types.float32[::1], *(types.uint64,) * 3, types.float64, types.float64)
for name, kinds in (
    ("fill_uniform", fill),
    ("fill_normal", fill),
    ("small_product", (types.float32[:, ::1],) * 4),
):
    kernel = KERNELS[name]["numba"]
    kernel.compile(kinds)
    print("kernel", name)
    print(kernel.inspect_asm(kernel.signatures[0]))
"""
pytestmark = pytest.mark.slow  # compiles from nothing, for processors that need not be there

PROCESSORS = {"haswell": 256, "skylake-avx512": 512}
REGISTERS = {256: "ymm", 512: "zmm"}


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    processes = {
        processor: child.start(
            ASSEMBLY,
            INITPERF_CACHE=str(tmp_path_factory.mktemp(processor)),
            NUMBA_DISABLE_JIT="0",
            NUMBA_CPU_NAME=processor,
            NUMBA_CPU_FEATURES="+avx512f" if PROCESSORS[processor] == 512 else "",
        )
        for processor in PROCESSORS
    }
    found = {}
    for processor, process in processes.items():
        parts = re.split(r"^kernel (\w+)$", child.output(process), flags=re.MULTILINE)
        found |= {
            (processor, name): code for name, code in zip(parts[1::2], parts[2::2], strict=True)
        }
    return found


@pytest.mark.parametrize("processor", PROCESSORS)
def test_values_are_made_in_the_widest_registers(assembly, processor):
    register = REGISTERS[PROCESSORS[processor]]
    code = assembly[processor, "fill_uniform"]
    converted = re.findall(r"vcvtdq2ps\s.*%([xyz]mm)\d", code)
    assert converted
    assert set(converted) == {register}


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_small_product_keeps_its_eight_sums_in_the_widest_registers(assembly, processor):
    code = assembly[processor, "small_product"]
    sums = re.findall(r"vfmadd231ps\s.*%([xyz]mm)\d+$", code, re.MULTILINE)
    assert sums == [REGISTERS[PROCESSORS[processor]]] * 8


@pytest.mark.parametrize("processor", PROCESSORS)
def test_vectors_on_the_stack_lie_in_one_cache_line(assembly, processor):
    code = assembly[processor, "fill_normal"]
    assert re.search(rf"%{REGISTERS[PROCESSORS[processor]]}\d+, \d*\(%rsp\)", code)
    assert re.search(r"andq\s\$-64, %rsp", code)


def test_counters_of_a_block_take_turns_where_there_are_registers_for_it(assembly):
    # Eight vectors of counters, ten rounds of two products; two products are of constants.
    products = re.findall(r"vpmuludq\s.*%zmm\d", assembly["skylake-avx512", "fill_uniform"])
    assert len(products) >= 8 * (10 * 2 - 2)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_lines_are_fetched_before_they_are_written(assembly, processor):
    assert "prefetch" in assembly[processor, "fill_uniform"]
