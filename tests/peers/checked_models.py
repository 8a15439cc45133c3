"""Models that ``initperf check`` is asked about, each made by a function without arguments."""

import torch
from torch import nn

import initperf.torch

WIDTH = 32


def _layers(depth):
    layers = [each for _ in range(depth) for each in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 5))


def healthy():
    return initperf.torch.init_(_layers(4), "he_normal", rng=int(torch.initial_seed()))


def unhealthy():
    model = healthy()
    with torch.no_grad():
        model[2].weight *= 100.0
    return model


class Named(nn.Module):
    """A model with keywords, and a loss of its own."""

    def __init__(self):
        super().__init__()
        self.embedding, self.fc = nn.Embedding(7, WIDTH), nn.Linear(WIDTH, 7)

    def forward(self, ids, scale):
        logits = self.fc(self.embedding(ids)) * scale[:, None, None]
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
        return {"logits": logits, "loss": loss}


def named():
    return Named()


def sum_of_two():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(WIDTH, 5), nn.Linear(WIDTH, 5)

        def forward(self, x, y):
            return self.first(x) + self.second(y)

    return Two()


def broken():
    raise RuntimeError("no such checkpoint")


def number():
    return 3
