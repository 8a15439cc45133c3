"""The gallery: figures drawn from a few small runs, each with the line of code that draws it."""

import itertools
from pathlib import Path

from initperf import Experiment, Run, train
from initperf.data import load
from initperf.report.propagation import propagations_table
from initperf.report.symmetry import symmetry_table
from initperf_figures import FIGURES, draw

RULES = ("he_normal", "glorot_uniform", "small_normal", "orthogonal", "large_normal")
ACTIVATIONS = ("relu", "tanh")

_HEAD = """# Gallery

Each figure is drawn from small runs of {rules}, by the line above it; `initperf report` draws all
of them, and those of speed, from runs of your own settings.

```python
import itertools
from initperf import Experiment, train
from initperf_figures import draw

rules = {names}
runs = [
    train(Experiment(rule, activation, hidden=(128,) * 6, epochs=2, seed=seed,
                     histogram_steps=(1, 20, 60), schedule="triangular"))
    for rule, activation, seed in itertools.product(rules, {activations}, range(2))
]
```
"""


def _runs() -> list[Run]:
    return [
        train(
            Experiment(
                rule,
                activation,
                hidden=(128,) * 6,
                epochs=2,
                seed=seed,
                histogram_steps=(1, 20, 60),
                schedule="triangular",
            )
        )
        for rule, activation, seed in itertools.product(RULES, ACTIVATIONS, range(2))
    ]


def write_gallery(source: Path) -> None:
    """Train, draw, and write ``gallery.md`` and its pictures.

    Parameters
    ----------
    source : pathlib.Path
        Directory of the pages.
    """
    runs, data = _runs(), load("mnist")
    deep = [Experiment(rule, "tanh", hidden=(128,) * 12) for rule in RULES]
    tables = {
        "propagation": propagations_table(deep, data, lambda *_: None),
        "symmetry": symmetry_table(list(ACTIVATIONS), data, lambda *_: None),
    }
    first = runs[:: len(runs) // (len(RULES) * len(ACTIVATIONS))]
    sources = {
        "runs": runs[0].tables(*runs[1:]) | {"descent": first[0].descents(*first[1:])},
        repr(list(RULES)): list(RULES),
        "'report'": tables,
    }
    pictures = source / "gallery"
    pictures.mkdir(exist_ok=True)
    parts = [
        _HEAD.format(
            rules=", ".join(f"`{rule}`" for rule in RULES), names=RULES, activations=ACTIVATIONS
        )
    ]
    for name, figure in FIGURES.items():
        for words, one in sources.items():
            if isinstance(one, dict) and figure.missing(one):
                continue
            if isinstance(one, list) and not set(figure.needs) <= {
                "weights",
                "weight_statistics",
                "bounds",
            }:
                continue
            drawn = draw(name, one)
            drawn.savefig(pictures / f"{name}.svg")
            text = figure.find(one) if isinstance(one, dict) else ""
            parts.append(
                f"## {figure.title}\n\n```python\ndraw({name!r}, {words})\n```\n\n"
                f"![{text or figure.title}](gallery/{name}.svg)\n\n{text}\n"
            )
            break
    (source / "gallery.md").write_text("\n".join(parts), encoding="utf-8")
