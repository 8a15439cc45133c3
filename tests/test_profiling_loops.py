"""Vectors and calls of libm found in loops of LLVM code, written down and compiled here."""

import json

import child
import pytest

from initperf.profiling.loops import inspect

CODE = r"""
define i32 @kernel(ptr noalias %0, i64 %1) local_unnamed_addr #0 {
entry:
  %2 = icmp eq i64 %1, 0
  br i1 %2, label %done, label %vector.body

vector.body:                                      ; preds = %vector.body, %entry
  %wide = load <8 x float>, ptr %0, align 4
  %3 = fmul reassoc nsz contract <8 x float> %wide, splat (float 3.000000e+00)
  %4 = tail call contract <8 x float> @llvm.fmuladd.v8f32(<8 x float> %3, <8 x float> %3, <8 x float> %wide)
  %5 = lshr <8 x i32> %bits, splat (i32 9)
  store <8 x float> %4, ptr %0, align 4
  br i1 %6, label %7, label %vector.body, !llvm.loop !3

7:                                                ; preds = %vector.body
  %8 = load float, ptr %0, align 4
  %9 = tail call float @llvm.exp.f32(float %8)
  %10 = tail call float @llvm.sqrt.f32(float %9)
  %11 = fadd float %10, %9
  %double.next = add nuw nsw i64 %double, 1
  br i1 %12, label %"spaced", label %7

"spaced":                                         ; preds = %7
  %wider = fmul <8 x double> %a, %b
  br label %done

done:                                             ; preds = %"spaced", %entry
  %13 = tail call double @log10(double %c)
  call void @explain(ptr %0)
  ret i32 0
}

define linkonce_odr i32 @"other$1"() {
  switch i32 %0, label %out [
    i32 0, label %1
    i32 7, label %out
  ]

1:                                                ; preds = %0, %1
  %2 = frem float %a, %b
  %3 = fadd <16 x float> %c, %d
  %4 = call double @tanh(double %e)
  switch i32 %5, label %out [
    i32 0, label %1
  ]

out:                                              ; preds = %0, %1
  ret i32 0
}
"""  # noqa: E501 - as LLVM writes it


def test_loops_are_told_from_what_stands_outside_them():
    found = inspect(CODE, "kernel", register_bits=512)
    assert (found.vector_bits, found.packed, found.scalar) == (256, 3, 2)
    assert (found.libm, found.libm_once) == (("expf",), ("log10",))
    assert found.instructions == 19


def test_a_vector_wider_than_a_register_takes_several():
    assert inspect(CODE, "kernel", register_bits=128).vector_bits == 128


def test_the_function_that_was_asked_for_is_read():
    found = inspect(CODE, "other$1", register_bits=512)
    assert (found.vector_bits, found.packed, found.scalar) == (512, 1, 0)
    assert found.libm == ("fmodf", "tanh")
    with pytest.raises(ValueError, match="no function kern"):
        inspect(CODE, "kern", register_bits=512)


def test_an_error_path_that_jumps_back_over_a_loop_is_no_loop():
    code = """
define i32 @f() {
first:
  ret i32 0

second:
  %0 = call double @llvm.pow.f64(double %a, double %b)
  br label %first
}
"""
    assert inspect(code, "f", register_bits=128).libm_once == ("pow",)


COMPILED = """
import dataclasses, json, math
import numba, numpy as np
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
    one.dispatcher.__name__: dataclasses.asdict(one.loops())
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
