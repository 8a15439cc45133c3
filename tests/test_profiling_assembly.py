"""Vectors and calls of libm found in machine code, written down and compiled here."""

import json

import child
import pytest

from initperf.profiling.assembly import inspect

X86 = """
	.type	kernel,@function
kernel:
	movabsq	$expf, %r12
	vmovups	%ymm3, 32(%rsp)
	testq	%rdi, %rdi
	je	.LBB0_5
.LBB0_3:
	vmulps	(%rsi,%rax,4), %ymm0, %ymm1
	vfmadd213ps	%ymm2, %ymm1, %ymm0
	vpsrld	$9, %ymm0, %ymm0
	addq	$8, %rax
	cmpq	%rax, %rdi
	jne	.LBB0_3
.LBB0_4:
	vmovss	(%rsi,%rax,4), %xmm0
	callq	*%r12
	vaddss	%xmm0, %xmm0, %xmm0
	incq	%rax
	cmpq	%rax, %rdx
	jne	.LBB0_4
	vmulpd	%zmm0, %zmm1, %zmm2
.LBB0_5:
	movabsq	$log10, %rax
	callq	*%rax
	movabsq	$explain, %rax
	callq	*%rax
	retq
.Lfunc_end0:
	.size	kernel, .Lfunc_end0-kernel

other:
.LBB1_1:
	vaddpd	%zmm0, %zmm1, %zmm2
	callq	tanh
	jmp	.LBB1_1
.Lfunc_end1:
"""

ARM = """
_kernel:
	cbz	x2, LBB0_3
LBB0_1:
	fmul.4s	v0, v1, v2
	fadd	v0.4s, v0.4s, v3.4s
	bl	_expf
	subs	x2, x2, #4
	b.ne	LBB0_1
LBB0_2:
	fadd	s0, s1, s2
	cbnz	x3, LBB0_2
LBB0_3:
	bl	_log10
	ret
Lfunc_end0:
"""


def test_loops_are_told_from_what_stands_outside_them():
    found = inspect(X86, "kernel")
    assert (found.vector_bits, found.packed, found.scalar) == (256, 3, 1)
    assert (found.libm, found.libm_once) == (("expf",), ("log10",))
    assert found.instructions == 22


def test_the_function_that_was_asked_for_is_read():
    found = inspect(X86, "other")
    assert (found.vector_bits, found.packed, found.scalar) == (512, 1, 0)
    assert found.libm == ("tanh",)
    with pytest.raises(ValueError, match="no function kern"):
        inspect(X86, "kern")


def test_an_error_path_that_jumps_back_over_a_loop_is_no_loop():
    code = (
        "f:\n.L1:\n\tretq\n.L2:\n\tmovabsq\t$pow, %rax\n\tcallq\t*%rax\n\tjmp\t.L1\n.Lfunc_end0:\n"
    )
    assert inspect(code, "f").libm_once == ("pow",)


def test_neon_is_read_as_apple_and_as_others_write_it():
    found = inspect(ARM, "kernel")
    assert (found.vector_bits, found.packed, found.scalar) == (128, 2, 1)
    assert (found.libm, found.libm_once) == (("expf",), ("log10",))


COMPILED = """
import dataclasses, json, math
import numba, numpy as np
from initperf.profiling.assembly import inspect
from initperf.profiling.code import compiled_functions

@numba.njit(nogil=True, error_model="numpy")
def wide(x):
    for i in range(x.size):
        x[i] = x[i] * np.float32(3) + np.float32(1)

@numba.njit(nogil=True, error_model="numpy")
def chained(x):
    for i in range(1, x.size):
        x[i] = x[i] * x[i - 1]

@numba.njit(nogil=True, error_model="numpy")
def calling(x):
    for i in range(x.size):
        x[i] = math.tanh(x[i])

for function in (wide, chained, calling):
    function(np.ones(10, np.float32))
print(json.dumps({
    one.dispatcher.__name__: dataclasses.asdict(inspect(one.assembly(), one.symbol))
    for one in compiled_functions() if one.is_kernel
}))
"""


def test_what_is_compiled_here_is_read():
    found = json.loads(child.run(COMPILED, NUMBA_DISABLE_JIT="0"))
    assert found["wide"]["vector_bits"] >= 128
    assert found["wide"]["libm"] == []
    assert found["chained"]["vector_bits"] == 0
    assert found["chained"]["scalar"] > 0
    assert set(found["calling"]["libm"]) == {"tanhf"}
