"""Vision transformers as timm and torchvision start them.

Dosovitskiy et al., "An image is worth 16x16 words", arXiv:2010.11929. timm 1.0 (``init_weights``):
linear layers and positions N(0, 0.02²), tokens N(0, 10⁻¹²), the patches' convolution as PyTorch's
default. torchvision: patches N(0, 1/n), feed-forward networks Glorot's uniform rule with biases
N(0, 10⁻¹²), positions N(0, 0.02²), token and head 0. Both cut at ±2, which at 0.02 lies at a
hundred standard deviations and cuts nothing; at the 0.04 of 16x16 patches it lies at fifty.
``cut=2.0`` cuts at two standard deviations what these libraries mean to cut.
"""

from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvNd

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes import pytorch
from initperf.torch.recipes._transformer import inverse_root

_TOKEN = 1e-6


@dataclass(frozen=True, kw_only=True)
class Vit(Recipe):
    """N(0, std²) for linear layers and positions; tokens N(0, 10⁻¹²); patches U(±1/√n).

    Attributes
    ----------
    std : float
        Standard deviation before a cut.
    cut : float, optional
        Values beyond so many standard deviations are drawn anew; by default none.
    """

    std: float = 0.02
    cut: float | None = None

    def __post_init__(self) -> None:
        self.check_numbers("std", least=0.0)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign("*pos_embed", normal(self.std, self.cut), optional=True),
            Assign("*cls_token", normal(_TOKEN), optional=True),
            Assign("*reg_token", normal(_TOKEN), optional=True),
            Assign(_ConvNd, pytorch.layer, optional=True),
            Assign(role("weight"), normal(self.std, self.cut)),
            *BIASES,
        )


def _in_mlp(parameter: Parameter) -> bool:
    return ".mlp." in parameter.name


@dataclass(frozen=True, kw_only=True)
class VitTorchvision(Recipe):
    """The rules of torchvision's VisionTransformer.

    Attributes
    ----------
    cut : float, optional
        Values of the patches' convolution, and of a layer before the head, beyond so many
        standard deviations are drawn anew; by default none.
    """

    cut: float | None = None

    def _patches(self, parameter: Parameter) -> Initializer:
        return normal(inverse_root(parameter.fans[0]), self.cut)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign("*pos_embedding", normal(0.02)),
            Assign("*class_token", "zeros"),
            Assign("heads.head.*", "zeros", optional=True),
            Assign(("heads.pre_logits.*", role("weight")), self._patches, optional=True),
            Assign((_ConvNd, role("weight")), self._patches),
            Assign((_in_mlp, role("weight")), "glorot_uniform"),
            Assign((_in_mlp, role("bias")), normal(_TOKEN)),
            Assign("*in_proj_weight", pytorch.glorot),
            Assign((nn.Linear, role("weight")), pytorch.layer),
            *BIASES,
        )


register(
    Vit(
        name="vit",
        formula="N(0, 0.02²), tokens N(0, 1e-6²), patches U(±1/√n)",
        cite="Dosovitskiy et al. 2020 (2010.11929); timm 1.0",
    ),
    aliases=("vit_timm",),
)
register(
    VitTorchvision(
        name="vit_torchvision",
        formula="patches N(0, 1/n), feed-forward U(±√(6/(n+m))), positions N(0, 0.02²), head 0",
        cite="Dosovitskiy et al. 2020 (2010.11929); torchvision 0.28",
    )
)
