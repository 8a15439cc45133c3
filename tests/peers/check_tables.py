"""Tables of the faults that checks find, and of the healthy models in which they find nothing.

``python tests/peers/check_tables.py docs/check.md`` writes them, with the thresholds, to a page.
"""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import conftest  # noqa: F401  # settings of the libraries, torchvision's operators
import torch
from check_trials import FAULTS, HEALTHY

import initperf.torch
from initperf.torch.fixing.fix import METHODS
from initperf.torch.signals.thresholds import THRESHOLDS

SEEDS = 20
COMMAND = "python tests/peers/check_tables.py docs/check.md"


@dataclass(frozen=True)
class Found:
    """The finding of a planted fault.

    Attributes
    ----------
    kind, name : str
        Of the finding that names the layers; empty where there is none.
    text : str
        The finding in words.
    severe : bool
        Whether the model counts as unhealthy.
    """

    kind: str
    name: str
    text: str
    severe: bool


def found(fault, seeds=1):
    """Check a model with a fault, and return the finding that names it."""
    trial = fault.trial
    result = initperf.torch.check(trial.make, trial.batch(), trial.loss, seeds)
    for each in result.findings:
        if each.kind == fault.kind and set(fault.names) <= {each.name, *each.layers}:
            return Found(each.kind, each.name, str(each), not result.healthy)
    return Found("", "", result.verdict, not result.healthy)


def fixed(fault):
    """Return what `initperf.torch.fix_` makes of a model with a fault, in words."""
    said = []
    for how in METHODS:
        torch.manual_seed(0)
        trial = fault.trial
        done = initperf.torch.fix_(trial.make(), trial.batch(), how, loss=trial.loss)
        said.append("; ".join(each.reason for each in done.unmended) or "healthy")
    return " / ".join(dict.fromkeys(said))


def healthy(trial, seeds=SEEDS):
    """Check a healthy model for each seed; return numbers of parameters, operations, findings."""
    parameters = operations = 0
    findings = []
    for result in results(trial, seeds):
        sizes = {each.name: each.shape for each in result.parameters}
        parameters = sum(int(_product(shape)) for shape in sizes.values())
        operations = len(result.operations)
        findings += [str(each) for each in result.findings]
    return parameters, operations, findings


def results(trial, seeds):
    """Visit the check of each seed, so that one model is held at a time."""
    batch = trial.batch()
    for seed in range(seeds):

        def made(seed=seed):
            torch.manual_seed(seed)
            return trial.make()

        yield initperf.torch.check(made, batch, trial.loss)


def _product(shape):
    product = 1
    for each in shape:
        product *= each
    return product


def page():
    """Return the page with all tables."""
    lines = [
        "# Checks of first weights",
        "",
        f"Written by `{COMMAND}`; do not edit.",
        "",
        "`initperf.torch.check(model, batch)` runs a PyTorch model and compares what it measures "
        "with the thresholds below. The models are those of `tests/peers/check_trials.py`.",
        "",
        "## Planted faults",
        "",
        "`fix_` is what `initperf.torch.fix_(model, batch, loss=loss)` makes of it, by either "
        "method: a healthy model, or the reason why no scale of weights mends it.",
        "",
        "| Fault | Planted | Finding | Named | In words | `fix_` |",
        "|---|---|---|---|---|---|",
    ]
    for name, fault in FAULTS.items():
        each = found(fault)
        named = ", ".join(f"`{part}`" for part in fault.names)
        lines.append(
            f"| {name} | {fault.planted} | {each.kind or '**not found**'} | {named} | "
            f"{each.text.replace('|', '/')} | {fixed(fault)} |"
        )
    lines += [
        "",
        "## Healthy models",
        "",
        f"Each is made anew for {SEEDS} seeds.",
        "",
        "| Model | Parameters | Operations | Seeds | Findings |",
        "|---|---|---|---|---|",
    ]
    for name, trial in HEALTHY.items():
        parameters, operations, findings = healthy(trial)
        said = "none" if not findings else "; ".join(dict.fromkeys(findings))
        lines.append(f"| {name} | {parameters:,} | {operations} | {SEEDS} | {said} |")
    lines += ["", "## Thresholds", "", "| Kind | Limit | Of | Source |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {each.limit:g} | {each.measures} | {each.source} |"
        for kind, each in THRESHOLDS.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries' own
        Path(sys.argv[1]).write_text(page(), "utf-8")
