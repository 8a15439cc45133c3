"""Graph of a forward pass: branches, gains, and moments that are carried along it."""

import math

import pytest
import torch
from fix_models import WIDTH, inputs, made, residual
from torch import nn

import initperf.torch
from initperf.theory import MeanField
from initperf.torch.fixing.branches import branch_ends
from initperf.torch.fixing.methods import one_pass
from initperf.torch.fixing.propagation import propagate


def test_branches_are_told_from_trunks():
    nodes = one_pass(residual(3), inputs()).nodes
    ends = branch_ends(nodes)
    assert set(ends) == {(f"{block}.second.weight", 0) for block in (1, 2, 3)}
    model, x = made("ResNet")  # normalizations end the branches
    assert not branch_ends(one_pass(model, x).nodes)
    model, x = made("GPT-2")
    ends = {name for name, _ in branch_ends(one_pass(model, x).nodes)}
    assert len(ends) == 6
    assert all("c_proj" in name for name in ends)


CONVOLUTIONS = [
    nn.Conv2d(4, 6, 3, padding=1),
    nn.Conv2d(4, 6, 3, stride=2, groups=2),
    nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1),
    nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2, output_padding=1),
    nn.Conv1d(4, 6, 5, dilation=2, padding=3),
    nn.Linear(4, 6),
]


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=str)
def test_gains_are_those_of_the_linear_map(layer):
    sides = {"Conv2d": (7, 5), "ConvTranspose2d": (4, 5), "Conv1d": (9,), "Linear": ()}
    x = torch.randn(2, 4, *sides[type(layer).__name__])
    (use,) = [node.use for node in one_pass(layer, x).nodes if node.use is not None]
    jacobian = torch.autograd.functional.jacobian(lambda z: layer(z[None])[0], x[0])
    matrix = jacobian.reshape(-1, x[0].numel())
    # sums of a hundred squares in float32
    assert use.gain == pytest.approx(float((matrix**2).sum(1).mean()), rel=1e-5)
    bias = layer.bias.reshape(-1, *[1] * (x.ndim - 2))
    power = float(((layer(x) - bias).detach() ** 2).mean())
    assert use.power == pytest.approx(power, rel=1e-5)


class Left(nn.Module):
    """A weight that stands to the left of what it multiplies."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Parameter(torch.randn(3, 5))

    def forward(self, x):
        return self.mix @ x


def test_a_weight_may_stand_on_either_side():
    model = Left()
    (use,) = [node.use for node in one_pass(model, torch.randn(5, 7)).nodes if node.use is not None]
    gain = float((model.mix.detach() ** 2).sum(1).mean())
    assert use.gain == pytest.approx(gain, rel=1e-6)


class Written(nn.Module):
    """GELU's tanh form written out, after a linear layer."""

    def __init__(self):
        super().__init__()
        self.fc, self.head = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, 3)

    def forward(self, x):
        x = self.fc(x)
        x = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return self.head(x)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 3)), "tanh"),
        (lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, 3)), "silu"),
        (lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ELU(), nn.Linear(WIDTH, 3)), "elu"),
        (Written, "gelu"),
    ],
)
def test_elementwise_operations_are_integrated(make, name):
    model = make()
    initperf.torch.init_(model, "he_normal", rng=0)
    nodes = one_pass(model, inputs()).nodes
    moments = propagate(nodes, lambda use, power, moment: 1.0)
    first, last = (place for place, node in enumerate(nodes) if node.use is not None)
    reaching = moments[nodes[last].operands[0]]
    # 2,001 quantiles against Gauss-Legendre: the tails beyond them carry 2e-4
    expected = float(MeanField(name, 1.0).q_map(moments[first]))
    assert reaching == pytest.approx(expected, rel=1e-3)


def test_normalizations_keep_their_moments_whatever_reaches_them():
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3))
    nodes = one_pass(model, inputs()).nodes
    moments = propagate(nodes, lambda use, power, moment: 7.0)
    place = next(place for place, node in enumerate(nodes) if node.normalizes)
    assert moments[place] == nodes[place].second_moment
    evaluated = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, 3))
    nodes = one_pass(evaluated.eval(), inputs()).nodes
    assert not any(node.normalizes for node in nodes)
    moments = propagate(nodes, lambda use, power, moment: 7.0)
    uses = [place for place, node in enumerate(nodes) if node.use is not None]
    reaching = nodes[uses[1]].operands[0]
    assert moments[reaching] > 40.0 * nodes[reaching].second_moment
