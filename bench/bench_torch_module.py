"""All weights of a module of PyTorch of 124 million parameters, the sizes of GPT-2, in place.

He's initializer: `initperf.torch.init_` against ``torch.nn.init.kaiming_normal_`` on each weight.
"""

import importlib.util

import pytest

from initperf.limits import stores
from initperf.parallel import default_threads

WIDTH, BLOCKS, WORDS = 768, 12, 50257


def module(dtype):
    """Return the module, its memory touched."""
    import torch

    def linear(rows, columns):
        return torch.nn.Linear(rows, columns, device="meta", dtype=dtype)

    shapes = ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH))
    layers = [linear(*shape) for _ in range(BLOCKS) for shape in shapes]
    words = torch.nn.Embedding(WORDS, WIDTH, device="meta", dtype=dtype)
    made = torch.nn.Sequential(words, *layers).to_empty(device="cpu")
    for parameter in made.parameters():
        parameter.data.zero_()
    return made


def theirs(target):
    """Draw with PyTorch, as its users do."""
    import torch

    for part in target:
        torch.nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if isinstance(part, torch.nn.Linear):
            torch.nn.init.zeros_(part.bias)


def ours(target):
    """Draw with initperf."""
    from initperf.torch import init_

    init_(target, "he_normal", rng=0)


METHODS = {"torch": (theirs, "PyTorch", "rival"), "initperf": (ours, "initperf.torch", "ours")}

if importlib.util.find_spec("torch"):

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_module(ab, benchmark, dtype, method):
        import torch

        threads = default_threads()
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        benchmark.group = f"module of PyTorch {dtype}"
        target, (draw, label, role) = module(getattr(torch, dtype)), METHODS[method]
        values = sum(parameter.numel() for parameter in target.parameters())
        deviations = []
        for call in (theirs, draw):
            call(target)
            deviations.append([part.weight.float().std().item() for part in target])
        assert deviations[1] == pytest.approx(deviations[0], rel=0.01)

        comparison = ab(lambda: theirs(target), lambda: draw(target))
        if comparison:
            limit = stores(2**24, "float32", threads)
            moved = values * target[0].weight.element_size()
            benchmark.extra_info.update(
                kernel="torch_module",
                method=f"{label}, {threads} thread{'s' if threads > 1 else ''}",
                role=role,
                size=f"{values / 1e6:.0f} million",
                values=values,
                dtype=dtype,
                threads=threads,
                limit_s=limit.seconds(moved),
                limit=limit.words,
                percent_of_limit=100 * limit.seconds(moved) / comparison.candidate.median_s,
            )
