"""A Llama of 7 billion parameters in bfloat16, from ``meta`` to first weights: time and memory.

    python examples/seven_billion.py

needs transformers, and 14 GB of memory. PyTorch's own way, ``normal_`` or torchtitan's
``trunc_normal_`` on each weight, is measured on the attention of one block and extrapolated.
``--layers 4`` builds fewer blocks, and ``--width 1024`` narrower ones, for a smaller machine.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

import initperf.torch

_UNIT = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in


def peak() -> float:
    """Return the most memory that this process has held, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e9


WIDTH, INNER = 4096, 11008
"""Of the model of 7 billion parameters: units of a block, and of its perceptron."""


def llama(layers: int, width: int) -> nn.Module:
    """Return a Llama on ``meta``.

    Parameters
    ----------
    layers : int
        Blocks; the model of 7 billion parameters has 32.
    width : int
        Units of each, a multiple of its 32 heads.
    """
    # transformers imports torchvision where it finds it, and that of another build of PyTorch
    # does not load; a language model needs none
    sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]  # "not there"
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.device("meta"):
        config = LlamaConfig(
            num_hidden_layers=layers, hidden_size=width, intermediate_size=INNER * width // WIDTH
        )
        model: nn.Module = LlamaForCausalLM(config)
    return model


def torch_seconds(draw: Callable[..., object], width: int) -> tuple[float, int]:
    """Return how long PyTorch takes for the attention of one block, and how many values it has.

    Parameters
    ----------
    draw : callable
        A function of `torch.nn.init`.
    width : int
        Units of the block.
    """
    attention = llama(1, width).get_submodule("model.layers.0.self_attn")
    weights = [parameter.to(torch.bfloat16) for parameter in attention.parameters()]
    start = time.perf_counter()
    for weight in weights:
        draw(torch.empty_like(weight, device="cpu"), std=0.02)
    return time.perf_counter() - start, sum(weight.numel() for weight in weights)


def main() -> None:
    """Draw, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=32, help="blocks (default: 32)")
    parser.add_argument("--width", type=int, default=WIDTH, help=f"their units (default: {WIDTH})")
    given = parser.parse_args()
    initperf.torch.draw("truncated_normal", (8, 8), rng=0, dtype=torch.bfloat16)  # compiled
    initperf.torch.draw("normal", (8, 8), rng=0, dtype=torch.bfloat16)
    llama(1, given.width)  # transformers imported

    before = peak()
    start = time.perf_counter()
    model = llama(given.layers, given.width)
    built = time.perf_counter() - start
    start = time.perf_counter()
    initperf.torch.materialize_(model, "llama", rng=0, dtype=torch.bfloat16)
    took = time.perf_counter() - start
    values = sum(parameter.numel() for parameter in model.parameters())
    size = 2 * values / 1e9
    print(f"{values / 1e9:.2f} billion parameters, {size:.2f} GB in bfloat16")
    print(f"built on meta in {built:.2f} s, materialized in {took:.2f} s")
    print(f"peak memory {peak():.2f} GB, of which {before:.2f} GB were there before")
    print(f"peak above that: {(peak() - before) / size:.3f} times the weights")
    del model
    for draw in (nn.init.normal_, nn.init.trunc_normal_):
        seconds, drawn = torch_seconds(draw, given.width)
        print(
            f"PyTorch's {draw.__name__} on {drawn / 1e9:.3f} billion values: {seconds:.2f} s, "
            f"extrapolated to all: {seconds * values / drawn:.0f} s"
        )


if __name__ == "__main__":
    main()
