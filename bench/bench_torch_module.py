"""Modules of PyTorch in the shape of GPT-2 XL, against ``torch.nn.init``; parts; and plans.

The rival draws the same distributions weight by weight. Blocks of GPT-2 XL (width 1600) are alike,
so some of the 48 stand for all; the cut of a truncated normal distribution is at two standard
deviations for both.
"""

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import initperf
from initperf._core.parallel import default_threads

WIDTH = 1600
STD = 0.02
BLOCKS = {"normal": 8, "truncated_normal": 1}
"""Blocks that are drawn; PyTorch takes 100 ns for a truncated normal value in bfloat16."""

ROWS = (256, 1024, 4096)


def part(columns: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a contiguous draw, and one of as many values in rows with gaps."""
    shape = 2**22 // columns, columns
    out = np.empty(shape, np.float32)
    whole = shape[0], 2 * columns
    options = {"rng": 0, "out": out, "threads": 1}
    contiguous = partial(initperf.draw, "normal", shape, **options)
    return contiguous, partial(initperf.draw, "normal", whole, part=np.s_[:, columns:], **options)


@pytest.mark.parametrize("columns", ROWS)
def test_a_part_costs_as_much_a_value(ab, benchmark, columns):
    benchmark.group = "part of a weight, against a contiguous draw"
    ab(*part(columns))


if importlib.util.find_spec("torch") is not None:
    import torch
    from torch import nn

    import initperf.torch

    class Block(nn.Module):
        """The four weights of a block."""

        def __init__(self) -> None:
            super().__init__()
            self.c_attn = nn.Linear(WIDTH, 3 * WIDTH)
            self.c_proj = nn.Linear(WIDTH, WIDTH)
            self.c_fc = nn.Linear(WIDTH, 4 * WIDTH)
            self.c_out = nn.Linear(4 * WIDTH, WIDTH)

    def module(blocks: int) -> nn.Module:
        with torch.device("meta"):
            model = nn.ModuleList(Block() for _ in range(blocks)).to(torch.bfloat16)
        model.to_empty(device="cpu")
        for parameter in model.parameters():
            parameter.data.zero_()  # its memory is there before a clock starts
        return model

    def rivals(name: str, blocks: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
        torch.set_num_threads(default_threads())
        model = module(blocks)
        limits = {"low": -2 * STD, "high": 2 * STD} if name == "truncated_normal" else {}

        def theirs() -> None:
            for parameter in model.parameters():
                if parameter.ndim == 1:
                    nn.init.zeros_(parameter)
                elif limits:
                    nn.init.trunc_normal_(parameter, std=STD, a=-2 * STD, b=2 * STD)
                else:
                    nn.init.normal_(parameter, std=STD)

        return theirs, lambda: initperf.torch.init_(model, name, rng=0, scale=STD, **limits)

    @pytest.mark.parametrize("name", BLOCKS)
    def test_gpt2_xl_in_bfloat16(ab, benchmark, name):
        benchmark.group = "blocks of GPT-2 XL in bfloat16, against torch.nn.init"
        ab(*rivals(name, BLOCKS[name] if benchmark.enabled else 1))

    def test_plan_of_gpt2_xl(timed, benchmark):
        benchmark.group = "plan of 384 parameters"
        with torch.device("meta"):
            model = nn.ModuleList(Block() for _ in range(48))
        timed(lambda: initperf.torch.plan(model, "gpt2"))
