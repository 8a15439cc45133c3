"""Healthy models, and models with a fault planted, that checks are tried on."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch_models
from torch import nn
from torch.nn import functional

import initperf.torch

WIDTH, DEPTH, CLASSES = 64, 30, 10


@dataclass(frozen=True)
class Trial:
    """A model to check.

    Attributes
    ----------
    make : callable
        Makes the model, from PyTorch's random state.
    batch : callable
        Makes the batch.
    loss : callable or None
        From the model's result to a scalar.
    """

    make: Callable[[], nn.Module]
    batch: Callable[[], Any]
    loss: Callable[[Any], torch.Tensor] | None = None


@dataclass(frozen=True)
class Fault:
    """A model with a fault, and what a check must find.

    Attributes
    ----------
    trial : Trial
    kind : str
        Of the finding.
    names : tuple of str
        Of the layers, parameters or operations that it must name.
    planted : str
        What is wrong, for the table.
    """

    trial: Trial
    kind: str
    names: tuple[str, ...]
    planted: str


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def integers(most, *shape):
    return torch.randint(most, shape, generator=torch.Generator().manual_seed(1))


def drawn(model, rule, **options):
    """Initialize a model by a rule, from PyTorch's random state."""
    return initperf.torch.init_(model, rule, rng=torch.default_generator, **options)


def perceptron(rule="he_normal", depth=DEPTH, width=WIDTH, **options):
    layers = [each for _ in range(depth) for each in (nn.Linear(width, width), nn.ReLU())]
    return drawn(nn.Sequential(*layers), rule, **options)


class Block(nn.Module):
    def __init__(self, norm=True):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH) if norm else nn.Identity()
        self.fc = nn.Linear(WIDTH, WIDTH)
        self.gate = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x + self.gate * functional.gelu(self.fc(self.norm(x)))


class Residual(nn.Module):
    def __init__(self, depth=4, norm=True):
        super().__init__()
        self.blocks = nn.ModuleList(Block(norm) for _ in range(depth))
        self.last = nn.LayerNorm(WIDTH) if norm else nn.Identity()
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return {"logits": self.head(self.last(x))}


class Detached(Residual):
    def forward(self, x):
        x = x + self.blocks[0](x).detach()
        for block in self.blocks[1:]:
            x = block(x)
        return {"logits": self.head(self.last(x))}


def residual(depth=4, norm=True, gain=1.0, kind=Residual):
    model = kind(depth, norm)
    rules = {"*gate": "ones", "*fc.weight": "he_normal", "*head.weight": "lecun_normal"}
    rest = {"*bias": "zeros"} | ({"*norm.weight": "ones", "last.weight": "ones"} if norm else {})
    drawn(model, rules | rest)
    with torch.no_grad():
        for block in model.blocks:
            block.fc.weight *= gain
    return model


class Attention(nn.Module):
    """Self-attention written by hand, with its scale as an option."""

    def __init__(self, width=WIDTH, scale=None):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.scale = 1.0 / math.sqrt(width) if scale is None else scale

    def forward(self, x):
        h = self.norm(x)
        scores = self.query(h) @ self.key(h).transpose(-1, -2) * self.scale
        return x + self.out(scores.softmax(-1) @ self.value(h))


class Attentions(nn.Module):
    def __init__(self, depth=3, scales=None):
        super().__init__()
        self.layers = nn.ModuleList(Attention(scale=(scales or {}).get(i)) for i in range(depth))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean(1))


def attentions(scales=None):
    model = Attentions(scales=scales)
    rules = {"*norm.weight": "ones", "*weight": "lecun_normal", "*bias": "zeros"}
    return drawn(model, rules)


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM, layers=2, **options):
        super().__init__()
        self.embedding = nn.Embedding(300, WIDTH)
        self.layer = kind(WIDTH, WIDTH, layers, batch_first=True, **options)
        self.head = nn.Linear(WIDTH * (2 if self.layer.bidirectional else 1), CLASSES)

    def forward(self, ids):
        return self.head(self.layer(self.embedding(ids))[0][:, -1])


def recurrent(factor, weight="weight_hh_l0", kind=nn.LSTM):
    """Return a recurrent classifier, one of whose weights is multiplied by a factor."""
    model = Recurrent(kind)
    with torch.no_grad():
        model.layer.get_parameter(weight).mul_(factor)
    return model


class Tied(nn.Module):
    """A model of language whose head shares the embedding's weight."""

    def __init__(self, std):
        super().__init__()
        self.embedding = nn.Embedding(300, WIDTH)
        nn.init.normal_(self.embedding.weight, std=std)
        self.norm = nn.LayerNorm(WIDTH)
        self.fc = nn.Linear(WIDTH, WIDTH)
        self.last = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 300, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids):
        x = self.embedding(ids)
        x = x + functional.gelu(self.fc(self.norm(x)))
        return self.head(self.last(x))


def _twice(inputs, outputs):
    layers = []
    for each in (inputs, outputs):
        convolution = nn.Conv2d(each, outputs, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of two levels."""

    def __init__(self, width=16):
        super().__init__()
        self.down, self.deep = _twice(3, width), _twice(width, 2 * width)
        self.bottom = _twice(2 * width, 4 * width)
        self.rise = nn.ConvTranspose2d(4 * width, 2 * width, 2, 2)
        self.up = _twice(4 * width, 2 * width)
        self.rise_again = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.last = _twice(2 * width, width)
        self.head = nn.Conv2d(width, 5, 1)

    def forward(self, x):
        first = self.down(x)
        second = self.deep(functional.max_pool2d(first, 2))
        third = self.bottom(functional.max_pool2d(second, 2))
        second = self.up(torch.cat([self.rise(third), second], 1))
        return self.head(self.last(torch.cat([self.rise_again(second), first], 1)))


def generator():
    """Return the generator of DCGAN (Radford et al. 2016), at a quarter of its width."""
    sizes, layers = (64, 128, 64, 32, 16), []
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        stride, padding = (1, 0) if number == 0 else (2, 1)
        layers.append(nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False))
        layers += [nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    layers += [nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh()]
    for layer in layers:
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.02)
    return nn.Sequential(*layers)


class Decoder(nn.Module):
    """Transposed convolutions without normalization."""

    def __init__(self):
        super().__init__()
        self.first = nn.ConvTranspose2d(16, 128, 3, 1, 1)
        self.second = nn.ConvTranspose2d(128, 8, 3, 1, 1)
        self.third = nn.ConvTranspose2d(8, 3, 3, 1, 1)

    def forward(self, x):
        x = functional.relu(self.first(x))
        return self.third(functional.relu(self.second(x)))


def decoder(wrong=True):
    """Return the decoder by He's rule; PyTorch's counts its fan-in along the axis of outputs."""
    model = Decoder()
    for layer in model.children():
        inputs = layer.in_channels * 9
        nn.init.normal_(layer.weight, std=math.sqrt(2.0 / inputs))
        nn.init.zeros_(layer.bias)
    if wrong:
        nn.init.kaiming_normal_(model.second.weight, nonlinearity="relu")
    return model


class Sine(nn.Module):
    """A layer of SIREN (Sitzmann et al. 2020)."""

    def __init__(self, inputs, outputs, first=False):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        bound = 1.0 / inputs if first else math.sqrt(6.0 / inputs) / 30.0
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return torch.sin(30.0 * self.linear(x))


def siren(width=128):
    layers = [Sine(2, width, first=True), *(Sine(width, width) for _ in range(4))]
    return nn.Sequential(*layers, nn.Linear(width, 3))


def convnext():
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    return ConvNeXt([CNBlockConfig(32, 64, 2), CNBlockConfig(64, None, 2)], num_classes=CLASSES)


def resnet50():
    from torchvision.models import resnet50 as make

    return make(num_classes=CLASSES)


def vit():
    from torchvision.models.vision_transformer import VisionTransformer

    return VisionTransformer(64, 16, 12, 3, 192, 768, num_classes=CLASSES)


def gpt2(**changes):
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"n_layer": 12, "n_embd": 128, "n_head": 4, "vocab_size": 1000, "n_positions": 64}
    ends = {"bos_token_id": 0, "eos_token_id": 1}
    return GPT2LMHeadModel(GPT2Config(**(sizes | ends | changes)))


def llama():
    from transformers import LlamaForCausalLM

    sizes = {"num_hidden_layers": 4, "hidden_size": 128, "intermediate_size": 344}
    return LlamaForCausalLM(torch_models.llama_config(**sizes))


def bert():
    from transformers import BertConfig, BertForMaskedLM

    sizes = {"num_hidden_layers": 12, "hidden_size": 128, "intermediate_size": 512}
    return BertForMaskedLM(BertConfig(**sizes, num_attention_heads=4, vocab_size=1000))


def labels(count=8):
    return integers(CLASSES, count)


def classified(result, reduction="mean"):
    logits = result["logits"] if isinstance(result, dict) else result
    return functional.cross_entropy(logits, labels(len(logits)), reduction=reduction)


def words(result):
    logits = result["logits"] if isinstance(result, dict) else result
    targets = integers(logits.shape[-1], *logits.shape[:-1]).roll(1, -1)  # the next token
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def squared(result):
    return (result * result).mean()


def images(size, count=8):
    return lambda: normal(count, 3, size, size)


def vectors(width=WIDTH, count=32):
    return lambda: normal(count, width)


def tokens(most):
    return lambda: {"input_ids": integers(most, 4, 32)}


def sentences():
    return integers(300, 8, 24)


HEALTHY = {
    "ResNet-50, torchvision": Trial(resnet50, images(64, 4), classified),
    "ViT, 12 layers, torchvision": Trial(vit, images(64), classified),
    "GPT-2, 12 layers, transformers": Trial(gpt2, tokens(1000), words),
    "Llama, 4 layers, transformers": Trial(llama, tokens(300), words),
    "BERT, 12 layers, transformers": Trial(bert, tokens(1000), words),
    "LSTM classifier": Trial(Recurrent, sentences, classified),
    "GRU of both directions": Trial(
        partial(Recurrent, nn.GRU, 1, bidirectional=True), sentences, classified
    ),
    "RNN, ReLU": Trial(partial(Recurrent, nn.RNN, 1, nonlinearity="relu"), sentences, classified),
    "U-Net": Trial(UNet, images(32, 4), squared),
    "DCGAN generator": Trial(generator, lambda: normal(16, 64, 1, 1)),
    "SIREN": Trial(siren, lambda: 2.0 * torch.rand(256, 2) - 1.0, squared),
    "30 ReLU layers, He": Trial(perceptron, vectors(), squared),
    "ConvNeXt, torchvision": Trial(convnext, images(64, 4), classified),
    "pre-norm residual network": Trial(partial(residual, 12), vectors(), classified),
}


def with_weights(factor, layer, **options):
    model = perceptron(**options)
    with torch.no_grad():
        model[layer].weight *= factor
    return model


def with_bias(value, layer):
    model = perceptron()
    nn.init.constant_(model[layer].bias, value)
    return model


def with_gate(value, block=1):
    model = residual()
    nn.init.constant_(model.blocks[block].gate, value)
    return model


def with_garbage(block=2):
    """Return a model with a weight that holds arbitrary bits, as memory that was never written."""
    model = residual()
    bits = integers(256, WIDTH * WIDTH * 4).to(torch.uint8)
    with torch.no_grad():
        model.blocks[block].fc.weight.copy_(bits.view(torch.float32).reshape(WIDTH, WIDTH))
    return model


def with_copy(source=2, target=6):
    model = perceptron()
    model[target].load_state_dict(model[source].state_dict())
    return model


def too_large_in_half():
    return with_weights(3e4, 4, depth=4).half()


def summed(result):
    return classified(result, "sum")


def layers_of(model_depth=DEPTH, first=0):
    return tuple(str(2 * i) for i in range(first, model_depth))


FAULTS = {
    "weights × 10 in one layer": Fault(
        Trial(partial(with_weights, 10.0, 8), vectors()),
        "layer",
        ("8",),
        "weight of layer 8 of 30 ReLU layers by He et al. × 10",
    ),
    "zero gate": Fault(
        Trial(partial(with_gate, 0.0), vectors(), classified),
        "gate",
        ("blocks.1.gate",),
        "gate of block 1 of 4 set to 0",
    ),
    "dead ReLU": Fault(
        Trial(partial(with_bias, -5.0, 6), vectors()),
        "dead",
        ("7", "6"),
        "bias of layer 6 of 30 ReLU layers set to −5",
    ),
    "detached branch": Fault(
        Trial(partial(residual, kind=Detached), vectors(), classified),
        "unreached",
        ("blocks.0.gate", "blocks.0.fc.weight"),
        "result of block 0 of 4 detached",
    ),
    "unwritten parameter": Fault(
        Trial(with_garbage, vectors(), classified),
        "unwritten",
        ("blocks.2.fc.weight",),
        "weight of block 2 of 4 of arbitrary bits",
    ),
    "copied layer": Fault(
        Trial(with_copy, vectors()),
        "copied",
        ("2.weight", "6.weight"),
        "layer 6 of 30 a copy of layer 2",
    ),
    "float16 overflow": Fault(
        Trial(too_large_in_half, lambda: 10.0 * vectors()().half()),
        "overflow",
        ("4",),
        "layer 4 of 4 ReLU layers in float16 × 30000",
    ),
    "wrong fan in a transposed convolution": Fault(
        Trial(decoder, lambda: normal(8, 16, 8, 8)),
        "fan",
        ("second",),
        "kaiming_normal_ of a transposed convolution from 128 to 8 channels",
    ),
    "loss without mean": Fault(
        Trial(residual, vectors(), summed),
        "loss_sum",
        ("nll_loss_forward",),
        'cross-entropy with reduction="sum"',
    ),
    "missing 1/√d": Fault(
        Trial(partial(attentions, {1: 1.0}), lambda: normal(8, 16, WIDTH), classified),
        "scores",
        ("layers.1: softmax",),
        "scores of attention layer 1 of 3 not divided by √64",
    ),
    "tied head too large": Fault(
        Trial(partial(Tied, 1.0), lambda: integers(300, 4, 32), words),
        "head",
        ("head",),
        "embedding of standard deviation 1 tied to the head",
    ),
    "residual without scaling": Fault(
        Trial(partial(residual, 100, norm=False, gain=1.5), vectors(), classified),
        "signal",
        ("blocks.0: add", "blocks.1: add"),
        "100 residual blocks without normalization or scale",
    ),
    "recurrent weights × 20": Fault(
        Trial(partial(recurrent, 20.0), sentences, classified),
        "recurrent",
        ("layer.weight_hh_l0",),
        "recurrent weight of layer 0 of 2 of an LSTM × 20",
    ),
}

MENDED = (
    "weights × 10 in one layer",
    "dead ReLU",
    "float16 overflow",
    "wrong fan in a transposed convolution",
    "tied head too large",
    "residual without scaling",
    "recurrent weights × 20",
)
"""Faults that other scales of weights mend, or biases of 0."""
