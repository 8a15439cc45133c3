"""Vectors and calls of libm found in loops of LLVM code, written down and compiled here."""

import json

import child
import pytest
from llvmlite import ir

from initperf.profiling.loops import inspect

CODE = r"""
define i32 @kernel(<8 x float> %wide, i64 %0, <8 x i32> %bits, <4 x double> %a, float %1, double %c) local_unnamed_addr {
entry:
  %2 = icmp eq i64 %0, 0
  br i1 %2, label %done, label %vector.body

vector.body:                                      ; preds = %vector.body, %entry
  %3 = fmul reassoc nsz contract <8 x float> %wide, %wide
  %4 = tail call contract <8 x float> @llvm.fmuladd.v8f32(<8 x float> %3, <8 x float> %3, <8 x float> %wide)
  %5 = lshr <8 x i32> %bits, %bits
  br i1 %2, label %6, label %vector.body, !llvm.loop !0

6:                                                ; preds = %vector.body, %6
  %double = phi i64 [ 0, %vector.body ], [ %double.next, %6 ]
  %7 = tail call float @llvm.exp.f32(float %1)
  %8 = tail call float @llvm.sqrt.f32(float %7)
  %9 = fadd float %8, %7
  %double.next = add nuw nsw i64 %double, 1
  br i1 %2, label %"spaced", label %6

"spaced":                                         ; preds = %6
  %wider = fmul <4 x double> %a, %a
  br label %done

done:                                             ; preds = %"spaced", %entry
  %10 = tail call double @log10(double %c)
  call void @explain(i64 %0)
  ret i32 0
}

define linkonce_odr i32 @"other$1"(i32 %0, float %a, <16 x float> %c, double %e) {
  switch i32 %0, label %out [
    i32 0, label %2
    i32 7, label %out
  ]

2:                                                ; preds = %1, %2
  %3 = frem float %a, %a
  %4 = fadd <16 x float> %c, %c
  %5 = call double @tanh(double %e)
  switch i32 %0, label %out [
    i32 0, label %2
  ]

out:                                              ; preds = %1, %1, %2
  ret i32 0
}

define void @scalable(<vscale x 4 x float> %a) {
entry:
  br label %body

body:                                             ; preds = %body, %entry
  %0 = fmul <vscale x 4 x float> %a, %a
  br label %body
}

declare <8 x float> @llvm.fmuladd.v8f32(<8 x float>, <8 x float>, <8 x float>)
declare float @llvm.exp.f32(float)
declare float @llvm.sqrt.f32(float)
declare double @log10(double)
declare double @tanh(double)
declare void @explain(i64)

!0 = distinct !{!0}
"""  # noqa: E501 - as LLVM writes it; no pointers, whose types differ between its versions


def test_loops_are_told_from_what_stands_outside_them():
    found = inspect(CODE, "kernel", register_bits=512)
    assert (found.vector_bits, found.packed, found.scalar) == (256, 3, 2)
    assert (found.libm, found.libm_once) == (("expf",), ("log10",))
    assert found.instructions == 17


def test_a_vector_wider_than_a_register_takes_several():
    assert inspect(CODE, "kernel", register_bits=128).vector_bits == 128


def test_the_function_that_was_asked_for_is_read():
    found = inspect(CODE, "other$1", register_bits=512)
    assert (found.vector_bits, found.packed, found.scalar) == (512, 1, 0)
    assert found.libm == ("fmodf", "tanh")
    with pytest.raises(ValueError, match="no function kern"):
        inspect(CODE, "kern", register_bits=512)


def test_vectors_of_unknown_width_count_by_the_least():
    found = inspect(CODE, "scalable", register_bits=512)
    assert (found.vector_bits, found.packed) == (128, 1)


def test_a_call_through_a_pointer_is_none_of_libm_whatever_its_name():
    module, number = ir.Module(), ir.DoubleType()
    pointer = ir.FunctionType(number, [number]).as_pointer()
    function = ir.Function(module, ir.FunctionType(number, [pointer, number]), "f")
    function.args[0].name = "exp"
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(builder.call(function.args[0], [function.args[1]]))
    found = inspect(str(module), "f", register_bits=128)
    assert (found.libm_once, found.instructions) == ((), 2)


def test_an_error_path_that_jumps_back_over_a_loop_is_no_loop():
    code = """
define i32 @f(double %a) {
  br label %third

first:
  ret i32 0

second:
  %power = call double @llvm.pow.f64(double %a, double %a)
  br label %first

third:
  br label %second
}

declare double @llvm.pow.f64(double, double)
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


@pytest.mark.slow
def test_what_is_compiled_here_is_read():
    found = json.loads(child.run(COMPILED, NUMBA_DISABLE_JIT="0"))
    assert found["wide"]["vector_bits"] >= 128
    assert found["wide"]["libm"] == []
    assert found["chained"]["vector_bits"] == 0
    assert found["chained"]["scalar"] > 0
    assert set(found["calling"]["libm"]) == {"tanhf"}
