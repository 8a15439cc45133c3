"""Tables like those of a check and of a coordinate check, made up without PyTorch."""

import math

import numpy as np
import pandas as pd

LAYERS = 12
WIDTHS = (64, 128, 256, 512)


def check_table(*, layers=LAYERS, seeds=3, ratio=0.7, direction="loss"):
    """Return measurements of blocks of a linear layer and an activation, falling by a ratio."""
    random = np.random.default_rng(0)
    rows = []
    names = [("input", "input")]
    for layer in range(layers):
        names += [(f"blocks.{layer}.fc", "linear"), (f"blocks.{layer}: relu", "activation")]
    for seed in range(seeds):
        for place, (name, kind) in enumerate(names):
            predicted = ratio ** (place // 2)
            noise = math.exp(0.1 * random.normal())
            shared = {"name": name, "kind": kind, "seed": seed, "dead": 0.0, "mean": 0.0}
            shared |= {"agreement": "as predicted" if place else "not known", "largest": 4.0}
            rows.append(
                shared
                | {
                    "direction": "forward",
                    "second_moment": predicted * noise,
                    "predicted": predicted if place else math.nan,
                    "predicted_low": 0.7 * predicted if place else math.nan,
                    "predicted_high": 1.4 * predicted if place else math.nan,
                }
            )
            rows.append(
                shared
                | {
                    "direction": direction,
                    "second_moment": 1e-4 * ratio ** (layers - place // 2) * noise,
                    "predicted": math.nan,
                    "predicted_low": math.nan,
                    "predicted_high": math.nan,
                }
            )
    return pd.DataFrame(rows)


def residual_table():
    """Return measurements of blocks with residual additions and a masked softmax."""
    table = check_table()
    adds = table["name"].str.endswith("relu")
    table.loc[adds, "kind"] = "residual"
    masked = table["name"] == "blocks.2.fc"
    table.loc[masked, ["kind", "mean", "second_moment"]] = ["other", -math.inf, math.inf]
    return table


def shown_check(**changes):
    """Return what `initperf_figures._check_page.check_page` takes."""
    table = check_table()
    finding = {
        "kind": "signal",
        "name": "blocks.9.fc",
        "text": "the signal vanishes: blocks.9.fc is 0.002 times blocks.0.fc",
        "cause": "ReLU with Xavier's variance",
        "remedy": 'initperf.torch.fix_(model, batch, "rescale") holds it',
        "fix": "fix_ scales each layer",
    }
    note = finding | {"kind": "blocked", "name": "blocks.3.gate", "text": "a closed gate"}
    row = {"operation": "blocks.0.fc", "kind": "linear", "rms": 1.0, "theory": math.nan}
    return {
        "title": "package.module:factory",
        "verdict": "the signal vanishes",
        "healthy": False,
        "findings": [finding],
        "notes": [note],
        "facts": {"parameters": "1,234", "operations": "25", "seeds": "3"},
        "rows": [row | {"operation": f"blocks.{i}.fc", "rms": 0.7**i} for i in range(LAYERS)],
        "table": table,
    } | changes


def coordinate_tables(slopes=(0.0, 1.0, 0.3, 0.0)):
    """Return the two tables of a coordinate check with known exponents."""
    verdicts = {0.0: "holds", 1.0: "grows", 0.3: "undecided", -1.0: "vanishes"}
    random = np.random.default_rng(0)
    rows = [
        {
            "layer": f"blocks.{order}.fc",
            "order": order,
            "width": width,
            "seed": seed,
            "step": step,
            "change": 0.01 * (order + 1) * width**slope * math.exp(0.05 * random.normal()),
        }
        for order, slope in enumerate(slopes)
        for width in WIDTHS
        for seed in range(3)
        for step in (1, 2)
    ]
    exponents = [
        {
            "layer": f"blocks.{order}.fc",
            "value": slope,
            "low": slope - 0.1,
            "high": slope + 0.1,
            "verdict": verdicts[slope],
        }
        for order, slope in enumerate(slopes)
    ]
    return pd.DataFrame(rows), pd.DataFrame(exponents)
