"""What the processes of a test of shards do: `distributed` calls these functions by name."""

import pytest
import torch
from torch import distributed, nn
from torch.distributed import checkpoint
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import CPUOffloadPolicy, fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.distributed.tensor.placement_types import _StridedShard

from initperf.torch import draw, init_, materialize_

SEED = 11
RECIPE = [
    ("table.weight", "normal"),
    ("*.up.weight", "he_normal"),
    ("*.mix.weight", "orthogonal"),
    ("*.down.weight", "truncated_normal"),
    ("*.bias", "uniform"),
    ("*.norm.weight", "ones"),
]


class Block(nn.Module):
    """A block whose lengths divide by no number of processes."""

    def __init__(self, width=12, inner=23):
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.up = nn.Linear(width, inner)
        self.mix = nn.Linear(inner, inner, bias=False)
        self.down = nn.Linear(inner, width)

    def forward(self, x):
        return x + self.down(self.mix(torch.relu(self.up(self.norm(x)))))


class Model(nn.Module):
    """A table of three rows, so that one of four processes has an empty shard; and blocks."""

    def __init__(self, width=12, inner=23):
        super().__init__()
        self.table = nn.Embedding(3, width)
        self.layers = nn.ModuleList(Block(width, inner) for _ in range(2))

    def forward(self, numbers):
        x = self.table(numbers)
        for layer in self.layers:
            x = layer(x)
        return x


def whole(dtype=torch.float32, **sizes):
    """Return what one process draws, by name."""
    model = init_(Model(**sizes).to(dtype), RECIPE, rng=SEED)
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def compare(model, expected):
    """Compare all shards, gathered, and the own shard, with what one process draws."""
    for name, parameter in model.named_parameters():
        full = parameter.full_tensor() if isinstance(parameter, DTensor) else parameter
        assert torch.equal(full.detach().cpu(), expected[name]), name


def fsdp(directory):
    """FSDP2, each dtype, uneven and empty shards, with and without CPU offload."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for options in ({}, {"offload_policy": CPUOffloadPolicy(pin_memory=False)}):
        for dtype in (torch.float32, torch.bfloat16):
            model = Model().to(dtype)
            for layer in model.layers:
                fully_shard(layer, mesh=mesh, **options)
            fully_shard(model, mesh=mesh, **options)
            init_(model, RECIPE, rng=SEED)
            compare(model, whole(dtype))


def refused(directory):
    """Without a seed, each process would draw from entropy of its own."""
    model = Model()
    fully_shard(model, mesh=init_device_mesh("cpu", (distributed.get_world_size(),)))
    with pytest.raises(ValueError, match="rng must be given, the same on every process"):
        init_(model, RECIPE)


def partial_sums(directory):
    """A tensor whose processes hold summands has no values that one of them could draw."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    layer = nn.Linear(3, 2)
    layer.weight = nn.Parameter(DTensor.from_local(torch.ones(2, 3), mesh, [Partial()]))
    with pytest.raises(ValueError, match=r"^weight: it is placed as Partial"):
        init_(layer, "he_normal", rng=SEED)
    assert torch.equal(layer.weight.to_local(), torch.ones(2, 3))


def whole_rules(directory):
    """Recipes whose entries depend on one another, which each process draws whole."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    for recipe in ("looks_linear", "zero_hadamard", "spectral"):
        options = {"orthogonal": True} if recipe == "spectral" else {}
        expected = init_(_perceptron(), recipe, rng=SEED, **options)
        model = _perceptron()
        for layer in model:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        init_(model, recipe, rng=SEED, **options)
        compare(model, {name: p.detach() for name, p in expected.named_parameters()})


def _perceptron():
    return nn.Sequential(*map(nn.Linear, (5, 14, 10, 6), (14, 10, 6, 3)))


def data_parallel(directory):
    """Replicas whose wrapper keeps the model as its child ``module``."""
    model = nn.parallel.DistributedDataParallel(Model())
    init_(model, RECIPE, rng=SEED)
    compare(model.module, whole())


def meta(directory):
    """Built and sharded on ``meta``, then allocated, drawn, and used."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    with torch.device("meta"):
        model = Model()
    for layer in model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    materialize_(model, RECIPE, rng=SEED)
    compare(model, whole())
    numbers = torch.arange(3)
    expected = init_(Model(), RECIPE, rng=SEED)(numbers)
    assert torch.equal(model(numbers), expected)  # FSDP gathers what was drawn


def tensor_parallel(directory):
    """Tensor parallel alone: columns, rows, and replicas."""
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    model = Model()
    plan = {"up": ColwiseParallel(), "mix": RowwiseParallel(), "down": RowwiseParallel()}
    for layer in model.layers:
        parallelize_module(layer, mesh, plan)
    init_(model, RECIPE, rng=SEED)
    compare(model, whole())


def two_dimensions(directory):
    """FSDP2 over tensor parallel on a mesh of two dimensions, which makes strided shards."""
    size = distributed.get_world_size()
    mesh = init_device_mesh("cpu", (size // 2, 2), mesh_dim_names=("data", "tensor"))
    sizes = {"width": 16, "inner": 32}
    model = Model(**sizes)
    plan = {"up": ColwiseParallel(), "mix": ColwiseParallel(), "down": RowwiseParallel()}
    for layer in model.layers:
        parallelize_module(layer, mesh["tensor"], plan)
        fully_shard(layer, mesh=mesh["data"])
    fully_shard(model, mesh=mesh["data"])
    strided = [
        placement
        for parameter in model.parameters()
        for placement in parameter.placements
        if isinstance(placement, _StridedShard)
    ]
    assert strided
    init_(model, RECIPE, rng=SEED)
    compare(model, whole(**sizes))

    replicated = Model()  # each half of the processes holds all shards
    fully_shard(replicated, mesh=mesh)
    init_(replicated, RECIPE, rng=SEED)
    compare(replicated, whole())


def placements(directory):
    """Tensors with every pair of placements on a mesh of two dimensions, uneven ones too."""
    size = distributed.get_world_size()
    mesh = init_device_mesh("cpu", (size // 2, 2) if size % 2 == 0 else (size, 1))
    shards = [Replicate(), Shard(0), Shard(1), Shard(-1)]
    for shape in ((7, 5), (8, 12, 3), (1, 4)):
        for name in ("normal", "orthogonal"):
            expected = init_(torch.empty(shape), name, rng=SEED)
            for pair in [(first, second) for first in shards for second in shards]:
                tensor = distribute_tensor(torch.zeros(shape), mesh, pair)
                init_(tensor, name, rng=SEED)
                own = distribute_tensor(expected, mesh, pair).to_local()
                assert torch.equal(tensor.to_local(), own), (shape, name, pair)


def save(directory):
    """Draw, and save the shards by ``torch.distributed.checkpoint``."""
    model = _drawn()
    place = directory / f"saved-{distributed.get_world_size()}"
    checkpoint.save({"model": model.state_dict()}, checkpoint_id=place)


def load(directory):
    """Load what other numbers of processes saved, and compare with what these draw."""
    drawn = _drawn()
    saved = sorted(directory.glob("saved-*"))
    assert saved
    for place in saved:
        state = {"model": _drawn(SEED + 1).state_dict()}
        checkpoint.load(state, checkpoint_id=place)
        for name, parameter in drawn.state_dict().items():
            assert torch.equal(parameter.to_local(), state["model"][name].to_local()), name


def _drawn(seed=SEED):
    model = Model()
    fully_shard(model, mesh=init_device_mesh("cpu", (distributed.get_world_size(),)))
    return init_(model, RECIPE, rng=seed)


def warm():
    """Draw everything once, so that what is compiled is there before processes are forked."""
    for dtype in (torch.float32, torch.bfloat16):
        whole(dtype)
    for part in (slice(None), (slice(None), slice(1, 3))):
        for name in ("normal", "uniform", "truncated_normal"):
            draw(name, (4, 6), part=part, rng=0)


SCENARIOS = {
    1: ["fsdp", "tensor_parallel", "placements", "whole_rules", "meta", "save"],
    2: [
        "fsdp",
        "tensor_parallel",
        "two_dimensions",
        "placements",
        "whole_rules",
        "refused",
        "partial_sums",
        "data_parallel",
        "meta",
        "load",
    ],
    3: ["fsdp", "tensor_parallel", "placements", "whole_rules", "meta", "save", "load"],
    4: ["fsdp", "tensor_parallel", "two_dimensions", "placements", "whole_rules", "meta", "load"],
}
"""Number of processes to what they do, one after another."""
