"""Vectors of 512 bits for kernels, and a stack aligned to cache lines.

LLVM limits loops to 256 bits on most of Intel's processors with AVX-512, because occasional wide
instructions lower the clock of a program that gains nothing by them. Kernels use them throughout.

The stack of a process is aligned to 16 bytes, and LLVM does not align it further for registers
that it spills late: spilled 64-byte vectors straddle cache lines in about 75 % of processes, where
a normal draw takes 7 % longer (Zen 4).
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
    """Give every function two attributes: Clang's ``-mprefer-vector-width=512``, and alignment."""

    def pre_lower(self) -> None:
        super().pre_lower()
        attributes = self.builder.function.attributes
        attributes.alignstack = _LINE_BYTES
        # the set's own `add` knows no attribute that has a value
        set.add(attributes, _WIDE)


@register_pass(mutates_CFG=True, analysis_only=False)
class _WideLowering(NativeLowering):  # type: ignore[misc]  # numba is not typed
    """The lowering above, under numba's own name of the pass, which the profiler shows."""

    @property
    def lowering_class(self) -> type[Lower]:
        return _WideLower


class WideCompiler(CompilerBase):  # type: ignore[misc]  # numba is not typed
    """The pipeline of numba, with another lowering."""

    def define_pipelines(self) -> list[Any]:
        """Return the compiler passes, with the lowering above in place of numba's."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [
            (_WideLowering if passed is NativeLowering else passed, words)
            for passed, words in pipeline.passes
        ]
        pipeline.finalize()
        return [pipeline]


def has_512_bits() -> bool:
    """Return whether kernels are compiled for registers of 512 bits; there are 32 of them."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return "+avx512f" in features.split(",")


def host_features() -> frozenset[str]:
    """Return LLVM's names of the processor's features; none where LLVM does not know them."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        return frozenset()
    return frozenset(name for name, present in features.items() if present)
