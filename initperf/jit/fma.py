"""Chains of fused multiply-adds in vector registers, which measure a core's peak.

Python's arithmetic has no fused multiply-add, and kernels must not contain one; the instructions
are emitted here only to count how many a core executes. Independent chains hide the latency of
each.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from initperf.jit.policy import jit
from initperf.jit.tuning import FMA_CHAINS
from initperf.jit.vectors import host_features

_VECTOR_BYTES = 64 if "avx512f" in host_features() else 32

FMAS_A_TURN = {
    "float32": FMA_CHAINS * _VECTOR_BYTES // 4,
    "float64": FMA_CHAINS * _VECTOR_BYTES // 8,
}
"""Multiply-adds of one iteration of `fma_chains`, by dtype."""


@intrinsic
def _chains(typing: Any, turns: Any, value: Any) -> Any:
    """Run ``chain = fma(chain, value, value)`` on every lane of every chain, `turns` times.

    Chains start from different values, because the compiler would merge equal ones.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        count, scalar = arguments
        lanes = _VECTOR_BYTES * 8 // value.bitwidth
        vector = ir.VectorType(scalar.type, lanes)
        first = ir.Constant(ir.IntType(32), 0)
        to_all_lanes = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        single = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, first)
        values = builder.shuffle_vector(single, single, to_all_lanes)
        fused = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(vector, [vector] * 3),
            f"llvm.fma.v{lanes}f{value.bitwidth}",
        )
        before, loop, after = builder.block, *map(builder.append_basic_block, ("loop", "after"))
        builder.branch(loop)

        builder.position_at_end(loop)
        turn = builder.phi(count.type)
        chains = [builder.phi(vector) for _ in range(FMA_CHAINS)]
        grown = [builder.call(fused, [chain, values, values]) for chain in chains]
        next_turn = builder.add(turn, ir.Constant(count.type, 1))
        turn.add_incoming(ir.Constant(count.type, 0), before)
        turn.add_incoming(next_turn, loop)
        for place, (chain, longer) in enumerate(zip(chains, grown, strict=True)):
            chain.add_incoming(ir.Constant(vector, [float(place)] * lanes), before)
            chain.add_incoming(longer, loop)
        builder.cbranch(builder.icmp_signed("<", next_turn, count), loop, after)

        builder.position_at_end(after)
        total = grown[0]
        for longer in grown[1:]:
            total = builder.fadd(total, longer)
        return builder.extract_element(total, first)

    return value(turns, value), generate


@jit
def fma_chains(turns: Any, value: Any) -> Any:
    """Run the chains and return a value that depends on all of them.

    Parameters
    ----------
    turns : int
        Number of iterations.
    value : numpy.float32 or numpy.float64
        Both factors and summands; below 1, so that chains stay finite.
    """
    return _chains(turns, value)
