"""Convolutional networks as torchvision starts them: ResNet and ConvNeXt.

He, Zhang, Ren & Sun, "Delving deep into rectifiers", arXiv:1502.01852, for the backward variance
2/m of ResNet's convolutions; Goyal et al., "Accurate, large minibatch SGD", arXiv:1706.02677,
section 5.1, for γ = 0 in the normalization that ends a block. Liu et al., "A ConvNet for the
2020s", arXiv:2201.03545, table 5, for ConvNeXt's N(0, 0.02²) and layer scale 10⁻⁶; torchvision
cuts that at ±2, a hundred standard deviations, which cuts nothing.
"""

from dataclasses import dataclass

from torch.nn.modules.conv import _ConvNd

from initperf.initializers import INITIALIZERS
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import (
    BIASES,
    NORMALIZATIONS,
    Assign,
    Recipe,
    constant,
    normal,
    register,
    role,
)
from initperf.torch.recipes import pytorch


def _ends_block(parameter: Parameter) -> bool:
    """Return whether it is the gain of the normalization that ends a residual block."""
    if parameter.role != "norm" or len(parameter.parents) < 2:
        return False
    block = parameter.parents[-2]
    return parameter.last == ("bn3" if hasattr(block, "bn3") else "bn2") and hasattr(
        block, "downsample"
    )


@dataclass(frozen=True, kw_only=True)
class ResNet(Recipe):
    """Convolutions N(0, 2/m), m the fan-out; normalizations 1 and 0; the rest as PyTorch.

    Attributes
    ----------
    zero_gamma : bool
        Whether the normalization that ends a block starts with γ = 0, so that blocks begin as
        the identity.
    """

    zero_gamma: bool = False

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        convolution = INITIALIZERS["he_normal"].replace(mode="fan_out")
        ends = (Assign(_ends_block, "zeros"),) if self.zero_gamma else ()
        return (
            *ends,
            *NORMALIZATIONS,
            Assign((_ConvNd, role("weight")), convolution),
            *pytorch.PyTorch().assignments(),
        )


@dataclass(frozen=True, kw_only=True)
class ConvNext(Recipe):
    """Weights N(0, 0.02²), biases 0, layer scale 10⁻⁶.

    Attributes
    ----------
    scale : float
        First value of layer scale.
    cut : float, optional
        Weights beyond so many standard deviations are drawn anew; by default none.
    """

    scale: float = 1e-6
    cut: float | None = None

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign("*layer_scale", constant(self.scale), optional=True),
            Assign("*.gamma", constant(self.scale), optional=True),
            Assign(role("weight"), normal(0.02, self.cut)),
            *BIASES,
        )


register(
    ResNet(
        name="resnet",
        formula="convolutions N(0, 2/m), else U(±1/√n)",
        cite="He et al. 2015 (1502.01852), eq. 14; torchvision 0.28",
    )
)
register(
    ConvNext(
        name="convnext",
        formula="N(0, 0.02²), layer scale 1e-6",
        cite="Liu et al. 2022 (2201.03545), table 5; torchvision 0.28",
    )
)
