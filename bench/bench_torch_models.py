"""Models of real libraries at their real widths: built and initialized by themselves, and by us.

Each is built from its configuration, without a download. The library's way constructs the model on
the CPU, which draws its first weights; ours constructs it on ``meta`` and materializes it by the
recipe of the same distributions, which is checked parameter by parameter first.
"""

import functools
import importlib.util
import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

_SAMPLED = 2**20  # entries of a parameter
_ERRORS = 7.0  # standard errors: one of 4,000 moments is as far off in one of 10^8 runs

if all(importlib.util.find_spec(name) for name in ("torch", "torchvision", "timm", "transformers")):
    import torch
    from _torchvision import declare_operators
    from torch import nn

    import initperf.torch
    from initperf._core.parallel import default_threads

    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    @dataclass(frozen=True)
    class Case:
        """A model and the recipe that its library follows.

        Attributes
        ----------
        make : callable
            ``make(small)`` builds it: at its real width, or as small as calls without timing need.
        recipe : str
        """

        make: Callable[[bool], nn.Module]
        recipe: str

    def resnet(small: bool) -> nn.Module:
        from torchvision.models.resnet import Bottleneck, ResNet

        return ResNet(Bottleneck, [1, 1, 1, 1] if small else [3, 4, 6, 3])

    def convnext(small: bool) -> nn.Module:
        from torchvision.models.convnext import CNBlockConfig, ConvNeXt

        if small:
            return ConvNeXt([CNBlockConfig(32, None, 2)])
        sizes = ((96, 192, 3), (192, 384, 3), (384, 768, 9), (768, None, 3))
        return ConvNeXt([CNBlockConfig(*each) for each in sizes], stochastic_depth_prob=0.1)

    def vit(small: bool) -> nn.Module:
        from torchvision.models.vision_transformer import VisionTransformer

        return VisionTransformer(224, 16, 1 if small else 12, 12, 768, 3072)

    def vit_timm(small: bool) -> nn.Module:
        import timm

        found: nn.Module = timm.create_model("vit_base_patch16_224", depth=1 if small else 12)
        return found

    def of_transformers(name: str, config: str, **sizes: Any) -> Callable[[bool], nn.Module]:
        """Return what builds a model of transformers; ``layers`` names its number of layers."""
        layers, dtype = sizes.pop("layers", "num_hidden_layers"), sizes.pop("dtype", None)

        def make(small: bool) -> nn.Module:
            import transformers

            given = sizes | ({layers: 1} if small else {})
            configuration = getattr(transformers, config)(**given)
            auto = getattr(transformers, name)
            found: nn.Module = auto.from_config(configuration, dtype=dtype)
            return found

        return make

    def transformer(small: bool) -> nn.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about nested tensors, which are not used here
            return nn.Transformer(512, 8, *([1, 1] if small else [6, 6]))

    ONE_BILLION = {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "tie_word_embeddings": True,
    }
    """Llama 3.2 of 1.24 billion parameters."""

    CASES = {
        "torchvision ResNet-50": Case(resnet, "resnet"),
        "torchvision ConvNeXt-T": Case(convnext, "convnext"),
        "torchvision ViT-B/16": Case(vit, "vit_torchvision"),
        "timm ViT-B/16": Case(vit_timm, "vit"),
        "GPT-2": Case(of_transformers("AutoModelForCausalLM", "GPT2Config"), "gpt2"),
        "BERT": Case(of_transformers("AutoModelForMaskedLM", "BertConfig"), "bert"),
        "T5": Case(of_transformers("AutoModelForSeq2SeqLM", "T5Config", layers="num_layers"), "t5"),
        "Llama, 1.24 billion, bfloat16": Case(
            of_transformers(
                "AutoModelForCausalLM", "LlamaConfig", dtype=torch.bfloat16, **ONE_BILLION
            ),
            "bert",  # transformers draws N(0, 0.02²), without torchtitan's table
        ),
        "torch.nn.LSTM": Case(lambda small: nn.LSTM(1024, 1024, 1 if small else 2), "pytorch"),
        "torch.nn.Transformer": Case(transformer, "pytorch"),
    }

    def from_meta(case: Case, small: bool) -> nn.Module:
        """Build a model on ``meta`` and draw it."""
        with torch.device("meta"):
            model = case.make(small)
        return initperf.torch.materialize_(model, case.recipe, rng=0)

    def check(model: nn.Module, case: Case) -> None:
        """Compare what a library draws with the moments and the support of the recipe."""
        for row in initperf.torch.plan(model, case.recipe):
            tensor = row.parameter.tensor.detach()
            values = tensor.flatten()[:_SAMPLED].double()
            (mean, std), (low, high) = row.moments(), row.support()
            # of a dtype of p digits, rounding moves a value by a share of 2^-p at most
            rounded = torch.finfo(tensor.dtype).eps / 2
            slack = rounded * max(abs(low), abs(high)) if math.isfinite(high - low) else 0.0
            assert low - slack <= values.min().item(), row.parameter.name
            assert values.max().item() <= high + slack, row.parameter.name
            # timm's trunc_normal_ puts one value of 2^24 at its lower bound, 100 standard
            # deviations out: more than 3 of 2^20 values are as many in one of 10^6 parameters
            if std > 0.0:
                far = (values - mean).abs() > 10.0 * std
                assert far.sum() <= 3, row.parameter.name
                values = values[~far]
            error = _ERRORS * std / math.sqrt(values.numel()) + rounded * abs(mean)
            assert abs(values.mean().item() - mean) <= error, row.parameter.name
            if std > 0.0 and values.numel() > 500:  # else its error is far from normal
                allowed = _ERRORS / math.sqrt(2 * values.numel()) + rounded
                assert abs(values.std().item() / std - 1.0) <= allowed, row.parameter.name

    @pytest.mark.parametrize("name", CASES)
    def test_from_meta(ab, benchmark, name):
        benchmark.group = "models: built by their library, against meta and initperf"
        torch.set_num_threads(default_threads())
        declare_operators()  # torchvision is imported by timm, and by transformers, too
        case, small = CASES[name], not benchmark.enabled
        model = case.make(small)
        check(model, case)
        benchmark.extra_info["parameters"] = sum(p.numel() for p in model.parameters())
        del model
        ab(functools.partial(case.make, small), functools.partial(from_meta, case, small))
