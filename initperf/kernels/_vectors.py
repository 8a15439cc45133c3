"""Whole vector registers for kernels, on processors that have 512 bits of them.

LLVM holds loops to 256 bits on most of Intel's processors with AVX-512, lest a few wide operations
slow the clock for a program that has no other use for them. Kernels use them all the time.
"""

from typing import Any

from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.registry import cpu_target
from numba.core.typed_passes import NativeLowering

_ATTRIBUTE = '"prefer-vector-width"="512"'


class _WideLower(Lower):  # type: ignore[misc]  # numba is not typed
    """Give every function the attribute by which Clang hands on ``-mprefer-vector-width=512``."""

    def pre_lower(self) -> None:
        super().pre_lower()
        # the set's own `add` knows no attribute that has a value
        set.add(self.builder.function.attributes, _ATTRIBUTE)


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):  # type: ignore[misc]  # numba is not typed
    """Keep numba's own name for the pass, by which the profiler tells it."""

    @property
    def lowering_class(self) -> type[Lower]:
        return _WideLower


class WideCompiler(CompilerBase):  # type: ignore[misc]  # numba is not typed
    """numba's own pipeline but for the width of vectors."""

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
