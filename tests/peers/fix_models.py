"""Models whose weights are rescaled, and the mean squares of their layers' results."""

import torch
import torch_models
from torch import nn

import initperf.torch

WIDTH = 64
METHODS = ("rescale", "lsuv")


def inputs(width=WIDTH, count=64, seed=1):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def images(count=8):
    return inputs(3 * 16 * 16, count).reshape(count, 3, 16, 16)


def perceptron(rule="glorot_normal", depth=30, activation=nn.ReLU, rng=0):
    layers = [each for _ in range(depth) for each in (nn.Linear(WIDTH, WIDTH), activation())]
    model = nn.Sequential(*layers[:-1])
    return initperf.torch.init_(model, rule, rng=rng)


class Block(nn.Module):
    def __init__(self, norm=False):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH) if norm else nn.Identity()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.second(torch.relu(self.first(self.norm(x))))


def residual(depth=100, norm=False):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), *(Block(norm) for _ in range(depth)))
    return initperf.torch.init_(model, "he_normal", rng=0)


class Shared(nn.Module):
    """One layer, applied four times, and a head."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 10)

    def forward(self, x):
        for _ in range(4):
            x = torch.relu(self.layer(x))
        return self.head(x)


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2, groups=2),
        nn.GELU(),
        nn.ConvTranspose2d(16, 8, 4, stride=2),
        nn.SiLU(),
        nn.Flatten(),
        nn.LazyLinear(10),
    )


def made_lazy(model, x):
    model(x)
    return model


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Recurrent(nn.Module):
    """Two recurrent layers and a head."""

    def __init__(self, kind):
        super().__init__()
        self.layer = kind(WIDTH, WIDTH, 2, batch_first=True)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


IDS = torch.arange(64).reshape(4, 16)

MODELS = {
    "perceptron": lambda: (perceptron(), inputs()),
    "convolutions": lambda: (made_lazy(convolutional(), images()), images()),
    "shared": lambda: (Shared(), inputs()),
    "attention": lambda: (Attention(), inputs(WIDTH, 40).reshape(4, 10, WIDTH)),
    "LSTM": lambda: (Recurrent(nn.LSTM), inputs(WIDTH, 40).reshape(4, 10, WIDTH)),
    "GRU": lambda: (Recurrent(nn.GRU), inputs(WIDTH, 40).reshape(4, 10, WIDTH)),
    "residual": lambda: (residual(12), inputs()),
    "ResNet": lambda: (torch_models.resnet(), images()),
    "GPT-2": lambda: (torch_models.gpt2().eval(), {"input_ids": IDS}),
    "Llama": lambda: (torch_models.llama(), {"input_ids": IDS}),
    "BERT": lambda: (torch_models.bert().eval(), {"input_ids": IDS}),
}


def made(name):
    torch.manual_seed(0)
    return MODELS[name]()


def results_of_layers(model, x):
    """Return the mean square of each linear or convolutional layer's result without its bias."""
    found = {}

    def keep(name):
        def hook(module, _given, result):
            shape = (-1, *[1] * (result.ndim - 2)) if result.ndim == 4 else (-1,)
            bias = 0.0 if module.bias is None else module.bias.reshape(shape)
            found.setdefault(name, []).append(float(((result - bias) ** 2).mean()))

        return hook

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
    ]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return found
