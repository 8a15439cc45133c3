"""Modules of PyTorch in the shape of GPT-2 XL, against ``torch.nn.init``; parts; plans; files.

The rival draws the same distributions weight by weight. Blocks of GPT-2 XL (width 1600) are alike,
so some of the 48 stand for all; the cut of a truncated normal distribution is at two standard
deviations for both.
"""

import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from initperf._core.parallel import default_threads
from initperf._core.source import Source
from initperf.initializers import INITIALIZERS
from initperf.initializers._parts import Part, Store, as_part, fill_part, whole

WIDTH = 1600
STD = 0.02
BLOCKS = {"normal": 8, "truncated_normal": 1}
"""Blocks that are drawn; PyTorch takes 100 ns for a truncated normal value in bfloat16."""

ROWS = (256, 1024, 4096)
PARTS = [
    *(("normal", "float32", columns) for columns in ROWS),
    *((name, "float32", 256) for name in ("uniform", "truncated_normal")),
    *(("normal", dtype, 256) for dtype in ("float64", "bfloat16", "float16")),
]


def part(name: str, dtype: str, columns: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a contiguous draw, and one of as many values in rows with gaps."""
    store = Store(dtype)
    shape = 2**22 // columns, columns
    out = np.empty(shape, np.uint16 if store.rounded else dtype)
    distribution = INITIALIZERS[name].distribution_of(shape)
    source = Source.checked(0, rng=0, stream=0, threads=1)
    gaps = as_part((shape[0], 2 * columns), np.s_[:, columns:])

    def draw(drawn: Part) -> Callable[[], Any]:
        return partial(fill_part, distribution, out, drawn, source, store)

    return draw(whole(shape)), draw(gaps)


@pytest.mark.parametrize(("name", "dtype", "columns"), PARTS)
def test_a_part_costs_as_much_a_value(ab, benchmark, name, dtype, columns):
    benchmark.group = "part of a weight, against a contiguous draw"
    ab(*part(name, dtype, columns))


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
        """Of names that no plan has had, so that no stream is remembered."""
        benchmark.group = "plan and streams of 384 parameters"
        with torch.device("meta"):
            blocks = nn.ModuleList(Block() for _ in range(48))
        number = itertools.count()

        def plan() -> None:
            initperf.torch.plan(nn.ModuleDict({f"model_{next(number)}": blocks}), "gpt2")

        timed(plan)

    def test_streams_of_names(timed, benchmark):
        benchmark.group = "plan and streams of 384 parameters"
        number = itertools.count()

        def streams() -> None:
            model = next(number)
            for layer in range(384):
                initperf.torch.stream_of(f"model_{model}.layers.{layer}.attention.wo.weight")

        timed(streams)

    HELD = """
import resource, sys
from pathlib import Path
import torch
import initperf.torch
with torch.device("meta"):
    layers = (torch.nn.Linear(2048, 2048, bias=False) for _ in range(int(sys.argv[1])))
    model = torch.nn.Sequential(*layers)
path = Path(sys.argv[2]) if sys.argv[2:] else None
def peak():
    if sys.platform == "linux":  # whose ru_maxrss begins with that of the parent process
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
initperf.torch.draw("normal", (8, 8), rng=0)
if path is not None:
    from initperf.torch.shell import save
before = peak()
if path is None:
    initperf.torch.materialize_(model, "he_normal", rng=0)
else:
    save(model, "he_normal", path, seed=0, dtype=None, options={})
print(peak() - before)
"""

    if sys.platform != "win32" and importlib.util.find_spec("safetensors") is not None:

        @pytest.mark.parametrize("to", ["memory", "file"])
        def test_memory_of_a_model(recorded, benchmark, tmp_path, to):
            """Rows are in bytes, as if a byte took a second, as in `bench_memory`."""
            benchmark.group = "most bytes held while 1 GB of weights is drawn"
            layers = 64 if benchmark.enabled else 2
            where = [str(tmp_path / "model.safetensors")] if to == "file" else []
            command = [sys.executable, "-c", HELD, str(layers), *where]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            held = int(found.stdout)
            benchmark.extra_info.update(bytes_held=held, of_weights=held / (layers * 4 * 2048**2))
            recorded([float(held)])
