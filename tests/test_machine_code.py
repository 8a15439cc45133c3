"""What the compiler makes of fills and products, read without running it."""

import re

import child
import pytest

ASSEMBLY = """
import sys
from numba import types
from initperf import KERNELS
kernel = KERNELS["fill_uniform"]["numba"]
words = (types.uint64,) * 3
kernel.compile((types.float32[::1], *words, types.float64, types.float64))
sys.stdout.write(kernel.inspect_asm(kernel.signatures[0]))
product = KERNELS["small_product"]["numba"]
product.compile((types.float32[:, ::1],) * 4)
sys.stdout.write(product.inspect_asm(product.signatures[0]))
"""
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
    return {processor: child.output(process) for processor, process in processes.items()}


@pytest.mark.parametrize("processor", PROCESSORS)
def test_values_are_made_in_the_widest_registers(assembly, processor):
    register = REGISTERS[PROCESSORS[processor]]
    converted = re.findall(r"vcvtdq2ps\s.*%([xyz]mm)\d", assembly[processor])
    assert converted
    assert set(converted) == {register}


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_small_product_keeps_its_eight_sums_in_the_widest_registers(assembly, processor):
    sums = re.findall(r"vfmadd231ps\s.*%([xyz]mm)\d+$", assembly[processor], re.MULTILINE)
    assert sums == [REGISTERS[PROCESSORS[processor]]] * 8


def test_counters_of_a_block_take_turns_where_there_are_registers_for_it(assembly):
    # Eight vectors of counters, ten rounds of two products; two products are of constants.
    products = re.findall(r"vpmuludq\s.*%zmm\d", assembly["skylake-avx512"])
    assert len(products) >= 8 * (10 * 2 - 2)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_lines_are_fetched_before_they_are_written(assembly, processor):
    assert "prefetch" in assembly[processor]
