"""Small models of real libraries, built from their configuration, with the recipe of each."""

import functools
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from initperf.torch.parameters import parameters


@dataclass(frozen=True)
class Case:
    """A model, the recipe that its library follows, and the recipe's parameters."""

    make: Any
    recipe: str
    options: tuple[tuple[str, Any], ...] = ()


def resnet():
    from torchvision.models.resnet import Bottleneck, ResNet

    return ResNet(Bottleneck, [1, 2, 1, 1], num_classes=50, width_per_group=16)


def resnet_zero():
    from torchvision.models.resnet import BasicBlock, ResNet

    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=50, zero_init_residual=True)


def convnext():
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    return ConvNeXt([CNBlockConfig(32, 64, 2), CNBlockConfig(64, None, 1)], num_classes=50)


def vit_torchvision():
    from torchvision.models.vision_transformer import VisionTransformer

    return VisionTransformer(32, 8, 2, 2, 64, 128, num_classes=50)


def vit_timm():
    import timm

    return timm.create_model(
        "vit_tiny_patch16_224", depth=2, embed_dim=96, img_size=64, num_classes=50, reg_tokens=2
    )


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    ends = {"bos_token_id": 0, "eos_token_id": 1}
    sizes = {"n_layer": 3, "n_embd": 64, "n_head": 2, "vocab_size": 300, "n_positions": 32}
    return GPT2LMHeadModel(GPT2Config(**sizes, **ends))


def llama_config(**changes):
    from transformers import LlamaConfig

    sizes = {
        "num_hidden_layers": 3,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 300,
    }
    return LlamaConfig(**(sizes | changes))


def llama():
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM(llama_config())


def bert():
    from transformers import BertConfig, BertForMaskedLM

    sizes = {"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128}
    return BertForMaskedLM(BertConfig(**sizes, num_attention_heads=2, vocab_size=300))


def t5():
    from transformers import T5Config, T5ForConditionalGeneration

    sizes = {"num_layers": 2, "d_model": 64, "d_kv": 16, "d_ff": 128, "num_heads": 4}
    return T5ForConditionalGeneration(T5Config(**sizes, vocab_size=300))


def lstm():
    return nn.LSTM(24, 48, num_layers=2, bidirectional=True, proj_size=16)


def transformer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about nested tensors, which are not used here
        return nn.Transformer(64, 2, 1, 1, 128)


def encoder_layer():
    return nn.TransformerEncoderLayer(64, 2, 128)


class EveryLayer(nn.Module):
    """One of each class of ``torch.nn`` that has parameters."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(30, 40)
        self.bilinear = nn.Bilinear(12, 14, 16)
        for size, kind in enumerate(("1d", "2d", "3d"), 1):
            convolution = getattr(nn, f"Conv{kind}")
            transposed = getattr(nn, f"ConvTranspose{kind}")
            setattr(self, f"convolution_{size}", convolution(8, 12, 3, groups=4))
            setattr(self, f"transposed_{size}", transposed(8, 12, 3, groups=2))
            setattr(self, f"batch_{size}", getattr(nn, f"BatchNorm{kind}")(6))
            setattr(self, f"instance_{size}", getattr(nn, f"InstanceNorm{kind}")(6, affine=True))
        self.embedding = nn.Embedding(40, 30, padding_idx=3)
        self.bag = nn.EmbeddingBag(40, 30, padding_idx=1)
        self.rnn = nn.RNN(20, 24, 2)
        self.gru = nn.GRU(20, 24, bidirectional=True)
        self.cells = nn.ModuleList([nn.RNNCell(20, 24), nn.LSTMCell(20, 24), nn.GRUCell(20, 24)])
        self.attention = nn.MultiheadAttention(32, 2, add_bias_kv=True)
        self.apart = nn.MultiheadAttention(32, 2, kdim=24, vdim=16)
        self.layer, self.group, self.root = nn.LayerNorm(8), nn.GroupNorm(2, 8), nn.RMSNorm(8)
        self.slope = nn.PReLU(4, init=0.1)
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(20, 50, [10, 30])


CASES = {
    "torch.nn, every class": Case(EveryLayer, "pytorch"),
    "torch.nn.LSTM": Case(lstm, "pytorch"),
    "torch.nn.Transformer": Case(transformer, "pytorch"),
    "torch.nn.TransformerEncoderLayer": Case(encoder_layer, "pytorch"),
    "torchvision ResNet": Case(resnet, "resnet"),
    "torchvision ResNet, zero gamma": Case(resnet_zero, "resnet", (("zero_gamma", True),)),
    "torchvision ConvNeXt": Case(convnext, "convnext"),
    "torchvision VisionTransformer": Case(vit_torchvision, "vit_torchvision"),
    "timm ViT": Case(vit_timm, "vit"),
    "transformers GPT-2": Case(gpt2, "gpt2"),
    "transformers Llama": Case(llama, "bert"),  # N(0, 0.02²), without torchtitan's table
    "transformers BERT": Case(bert, "bert"),
    "transformers T5": Case(t5, "t5"),
}


@functools.cache
def drawn_by_library(name):
    """Return the parameters that a library draws, by the names that plans give them."""
    torch.manual_seed(0)
    model = CASES[name].make()
    return {p.name: p.tensor.detach().clone() for p in parameters(model)}
