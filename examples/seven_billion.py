"""A Llama of 7 billion parameters in bfloat16, from ``meta`` to first weights: time and memory.

    python examples/seven_billion.py

needs transformers, and 14 GB of memory. PyTorch's own way, ``normal_`` on each weight, is measured
on some blocks and extrapolated. ``--layers 4`` builds fewer blocks, for a smaller machine.
"""

import argparse
import resource
import sys
import time

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

import initperf.torch

_UNIT = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in


def peak() -> float:
    """Return the most memory that this process has held, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 1e9


def torch_seconds(blocks: int) -> tuple[float, int]:
    """Return how long PyTorch takes for the weights of some blocks, and how many they are."""
    with torch.device("meta"):
        part = LlamaForCausalLM(LlamaConfig(num_hidden_layers=blocks)).model.layers
    part.to(torch.bfloat16).to_empty(device="cpu")
    weights = [parameter.data for parameter in part.parameters() if parameter.ndim == 2]
    for weight in weights:
        weight.zero_()  # its memory is there before the clock starts
    start = time.perf_counter()
    for weight in weights:
        nn.init.normal_(weight, std=0.02)
    return time.perf_counter() - start, sum(weight.numel() for weight in weights)


def main() -> None:
    """Draw, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=32, help="blocks (default: 32)")
    layers = parser.parse_args().layers
    initperf.torch.draw("truncated_normal", (8, 8), rng=0, dtype=torch.bfloat16)  # compiled
    initperf.torch.draw("normal", (8, 8), rng=0, dtype=torch.bfloat16)

    before = peak()
    start = time.perf_counter()
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(num_hidden_layers=layers))
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
    seconds, drawn = torch_seconds(blocks=1)
    print(
        f"PyTorch's normal_ on {drawn / 1e9:.2f} billion of the values: {seconds:.2f} s, "
        f"extrapolated to all: {seconds * values / drawn:.1f} s"
    )


if __name__ == "__main__":
    main()
