"""Whole vector registers for kernels, and room on the stack where whole vectors lie in one line.

LLVM holds loops to 256 bits on most of Intel's processors with AVX-512, lest a few wide operations
slow the clock for a program that has no other use for them. Kernels use them all the time.

What does not fit in registers waits on the stack, which a process finds aligned to 16 bytes. LLVM
aligns it no further for values that it moves there late: in three processes of four such vectors
lay across cache lines, and a normal draw took 7 % longer (Zen 4).
"""

from typing import Any

from llvmlite import binding
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.registry import cpu_target
from numba.core.typed_passes import NativeLowering

_WIDE = '"prefer-vector-width"="512"'
_LINE_BYTES = 64


class _WideLower(Lower):  # type: ignore[misc]  # numba is not typed
    """Give every function two attributes.

    By the first Clang hands on ``-mprefer-vector-width=512``.
    """

    def pre_lower(self) -> None:
        super().pre_lower()
        attributes = self.builder.function.attributes
        attributes.alignstack = _LINE_BYTES
        # the set's own `add` knows no attribute that has a value
        set.add(attributes, _WIDE)


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):  # type: ignore[misc]  # numba is not typed
    """Keep numba's own name for the pass, by which the profiler tells it."""

    @property
    def lowering_class(self) -> type[Lower]:
        return _WideLower


class WideCompiler(CompilerBase):  # type: ignore[misc]  # numba is not typed
    """numba's own pipeline but for the width and the place of vectors."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes, lowering exchanged for the one above."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (_WideLowering if passed is NativeLowering else passed, words)
            for passed, words in pipeline.passes
        ]
        pipeline.finalize()
        return [pipeline]


def has_512_bits() -> bool:
    """Return whether kernels are compiled for registers of 512 bits, of which there are 32."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return "+avx512f" in features.split(",")


def host_features() -> frozenset[str]:
    """Return LLVM's names of what the processor can do; none where LLVM cannot tell."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        return frozenset()
    return frozenset(name for name, present in features.items() if present)
