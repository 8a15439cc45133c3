"""Plausible tables for the figures, made in a moment from formulas and a fixed seed.

The signal follows the mean-field recursion of Poole et al. (2016) and Schoenholz et al. (2017);
training is a caricature (an exponential approach to a level that depends on the signal), good
enough to look at and to test with, and nothing more.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from initperf.report.rate_search import with_good_ranges
from initperf_figures._figure import WORKLOAD

Tables = dict[str, pd.DataFrame]
Variance = Callable[[float, float], float]

LAYERS = (784, 512, 256, 128, 10)

# name: (shape of the density, variance of a weight for fan-in n and fan-out m, formula)
RULES: dict[str, tuple[str, Variance, str]] = {
    "zeros": ("point", lambda n, m: 0.0, "0"),
    "constant": ("point", lambda n, m: 0.0, "0.01"),
    "uniform": ("uniform", lambda n, m: 0.05**2 / 3, "U(−0.05, 0.05)"),
    "small_normal": ("normal", lambda n, m: 1e-4, "N(0, 0.01²)"),
    "normal": ("normal", lambda n, m: 1.0, "N(0, 1)"),
    "large_normal": ("normal", lambda n, m: 25.0, "N(0, 5²)"),
    "fan_in_uniform": ("uniform", lambda n, m: 1 / (3 * n), "U(±1/√n)"),
    "fan_in_normal": ("normal", lambda n, m: 1 / n, "N(0, 1/n)"),
    "lecun_uniform": ("uniform", lambda n, m: 1 / n, "U(±√(3/n))"),
    "lecun_normal": ("normal", lambda n, m: 1 / n, "N(0, 1/n)"),
    "glorot_uniform": ("uniform", lambda n, m: 2 / (n + m), "U(±√6/√(n+m))"),
    "glorot_normal": ("normal", lambda n, m: 2 / (n + m), "N(0, 2/(n+m))"),
    "he_uniform": ("uniform", lambda n, m: 2 / n, "U(±√(6/n))"),
    "he_normal": ("normal", lambda n, m: 2 / n, "N(0, 2/n)"),
    "orthogonal": ("none", lambda n, m: 1 / n, "Q of a Gaussian"),
}
MORE: dict[str, tuple[str, Variance, str]] = {
    "ones": ("point", lambda n, m: 0.0, "1"),
    "historic_uniform": ("uniform", lambda n, m: 0.03, "U(−0.3, 0.3)"),
    "truncated_normal": ("normal", lambda n, m: 0.77, "N(0, 1) in [−2, 2]"),
    "clipped_normal": ("normal", lambda n, m: 0.9, "N(0, 1) clipped to [−2, 2]"),
    "custom": ("normal", lambda n, m: 0.01, "N(0, 0.1²)"),
    "variance_scaling": ("normal", lambda n, m: 1 / n, "N(0, scale/n)"),
    "depth_scaled": ("normal", lambda n, m: 1.2 / n, "N(0, 2/(n·depth))"),
    "lsuv": ("none", lambda n, m: 1.9 / n, "orthogonal, rescaled on data"),
    "identity": ("none", lambda n, m: 1 / n, "I"),
    "sparse": ("none", lambda n, m: 1.5 / n, "15 entries N(0, 1) a column"),
}


def synthetic_tables(
    *,
    more: bool = False,
    names: Sequence[str] = (),
    activations: Sequence[str] = ("relu", "tanh"),
    seeds: int = 3,
    epochs: int = 10,
    steps_per_epoch: int = 20,
    digest: str = "5e1c0de5",
) -> Tables:
    """Make every table of the schema for 15 initializers, or 25 (`more`), or those in `names`."""
    rng = np.random.default_rng(20_111)
    rules = RULES | MORE if more or names else RULES
    rules = {name: rules[name] for name in names or rules}
    signal = _signal(rng, rules, activations, seeds)
    tables = {"signal": signal, "speed": _speed(rng), "machine": _machine(digest)}
    tables |= _roofline()
    tables["claims"] = _claims()
    tables["claim_values"] = _claim_values(tables["claims"])
    tables["benchmark_history"] = _benchmark_history()
    tables["weights"], tables["weight_statistics"] = _weights(rng, rules)
    tables["bounds"] = _bounds(rules)
    tables["rates"] = _rates(rules, activations, seeds)
    tables["trainability"] = _trainability(rng, activations)
    tables["depth_limits"] = _depth_limits(rules, activations, seeds)
    tables["sensitivity"] = _sensitivity(tables["depth_limits"], tables["rates"])
    tables["propagation"] = _propagation(rng, rules, activations, seeds)
    tables["symmetry"] = _symmetry(rng, activations)
    tables["descent"] = _descent(rules, activations, seeds)
    settings = (epochs, steps_per_epoch, digest)
    tables |= _training(rng, rules, activations, seeds, settings)
    return tables | {"histograms": _histograms(rng, rules, tables["runs"])}


def _descent(
    rules: dict[str, tuple[str, Variance, str]], activations: Sequence[str], seeds: int
) -> pd.DataFrame:
    """Make losses that leave their parabola late; of large weights some overflow."""
    parts = []
    for name, (kind, variance, _) in rules.items():
        size = variance(256, 256) * 256 if kind != "point" else 0.0
        rate = np.geomspace(1e-3, 10.0, 17)
        for activation in activations:
            for seed in range(seeds):
                start = 2.3 * max(1.0, math.sqrt(size)) + 0.01 * seed
                slope, bend = 2.0 * size, 4.0 * size**2
                second = start - rate * slope + 0.5 * rate**2 * bend
                loss = np.minimum(second + 0.1 * (rate * slope) ** 3, 1e6)
                if size > 100.0:
                    loss[8:] = np.nan
                keys = {"initializer": name, "activation": activation, "seed": seed}
                losses = {"loss": loss, "first_order": start - rate * slope}
                losses |= {"second_order": second, "start_loss": start}
                parts.append(pd.DataFrame(keys | {"learning_rate": rate} | losses))
    return pd.concat(parts, ignore_index=True)


def _activation(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if name == "relu":
        return np.maximum(x, 0), (x > 0) * 1.0
    value = np.tanh(x)
    return value, 1 - value**2


def _signal(
    rng: np.random.Generator,
    rules: dict[str, tuple[str, Variance, str]],
    activations: Sequence[str],
    seeds: int,
) -> pd.DataFrame:
    nodes, masses = np.polynomial.hermite_e.hermegauss(99)
    masses = masses / masses.sum()
    depth, width = 20, 256
    rows = []
    for name, (kind, variance, _) in rules.items():
        weight = variance(width, width) if kind != "point" else (name != "zeros") * 1e-4
        for activation in activations:
            second, forward, slopes = 0.12 * 784 / width, [], []
            for _layer in range(depth):
                q = weight * width * second
                value, slope = _activation(activation, math.sqrt(q) * nodes)
                second = float(masses @ value**2)
                forward.append((q, float(masses @ value), second, float(masses @ slope**2)))
                slopes.append(weight * width * forward[-1][3])
            backward = np.cumprod(np.array(slopes)[::-1])[::-1]
            for seed in range(seeds):
                noise = np.exp(np.cumsum(rng.normal(0, 0.08, depth)))
                for index, (q, mean, second, _slope) in enumerate(forward):
                    preactivation = q * noise[index]
                    activation_variance = max(second - mean**2, 0.0) * noise[index]
                    gradient = math.sqrt(backward[index] * max(second, 1e-30)) * noise[-index - 1]
                    dead = 1.0 if q == 0 else (kind == "point") * 0.5
                    saturated = math.erfc(2.0 / math.sqrt(2 * q)) if 0 < q < 1e30 else 0.0
                    if activation == "relu":
                        dead = max(dead, min(1.0, 0.01 * index * rng.random()))
                        saturated = float("nan")
                    row = [name, activation, seed, index + 1, preactivation, mean]
                    row += [activation_variance, gradient, gradient / width, dead, saturated]
                    rows.append(row)
    columns = "initializer activation seed layer preactivation_variance activation_mean"
    columns += " activation_variance gradient_norm gradient_mean_abs dead_fraction"
    frame = pd.DataFrame(rows, columns=[*columns.split(), "saturated_fraction"])
    frame = frame.astype(dict.fromkeys(list(frame)[4:], "Float64"))
    overflow = frame["activation_variance"] > 3e38
    frame.loc[overflow, list(frame)[4:]] = pd.NA
    return frame


def _weights(
    rng: np.random.Generator, rules: dict[str, tuple[str, Variance, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    histograms, statistics = [], []
    rows, columns = 784, 256
    for name, (kind, variance, formula) in rules.items():
        std = math.sqrt(variance(rows, columns))
        if kind == "point":
            weights = np.full(rows * columns, 0.01 if name == "constant" else float(name == "ones"))
        elif kind == "uniform":
            weights = rng.uniform(-std * math.sqrt(3), std * math.sqrt(3), rows * columns)
        else:
            weights = rng.normal(0, std, rows * columns)
        if name == "identity":
            weights = np.eye(rows, columns).ravel()
        if name == "sparse":
            weights *= rng.random(rows * columns) < 15 / rows
        density, edges = np.histogram(weights, bins=60, density=True)
        middle = (edges[1:] + edges[:-1]) / 2
        declared = np.full(60, np.nan)
        if kind == "uniform":
            declared = np.full(60, 1 / (std * math.sqrt(12)))
        elif kind == "normal":
            declared = np.exp(-((middle / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))
        histogram = {"bin_left": edges[:-1], "bin_right": edges[1:], "density_measured": density}
        histograms.append(
            pd.DataFrame({"initializer": name, **histogram, "density_declared": declared})
        )
        measured = (weights.mean(), weights.var(), weights.std(), np.abs(weights).max())
        mean = weights[0] if kind == "point" else 0.0
        statistics.append((name, rows, columns, *measured, mean, std, formula, "Author (2015)"))
    names = "initializer rows columns mean variance std max_abs declared_mean declared_std"
    frame = pd.DataFrame(statistics, columns=[*names.split(), "formula", "cite"])
    return pd.concat(histograms, ignore_index=True), frame


def _bounds(rules: dict[str, tuple[str, Variance, str]]) -> pd.DataFrame:
    fan_in = np.arange(1, 101)
    frames = []
    bounded = ("fan_in_uniform", "glorot_uniform", "he_uniform", "he_normal")
    for name in [name for name in bounded if name in rules]:
        kind, variance, _ = rules[name]
        std = np.sqrt([variance(float(n), 10.0) for n in fan_in])
        high = std * (math.sqrt(3) if kind == "uniform" else 1)
        frame = {"fan_in": fan_in, "fan_out": 10, "low": -high, "high": high, "std": std}
        frames.append(pd.DataFrame({"initializer": name, **frame}))
    bounds = pd.concat(frames, ignore_index=True)
    normal = bounds["initializer"] == "he_normal"
    return bounds.assign(
        low=bounds["low"].mask(normal, -np.inf), high=bounds["high"].mask(normal, np.inf)
    )


def _propagation(
    rng: np.random.Generator,
    rules: dict[str, tuple[str, Variance, str]],
    activations: Sequence[str],
    seeds: int,
) -> pd.DataFrame:
    frames = []
    layer = np.arange(1, 21)
    for name, (kind, variance, _) in rules.items():
        for activation in activations:
            scale = math.sqrt(variance(256, 256) * 256 / (2.0 if activation == "relu" else 1.0))
            settled = {"relu": 1.0, "tanh": 0.05}.get(activation, 0.6)
            for seed in range(seeds):
                theory = settled + (0.3 - settled) * 0.85 ** (layer - 1)
                noise = np.cumsum(rng.normal(0, 0.008, len(layer)))
                rms = np.where(np.isin(layer - 1, [1, 2, 4, 8, 16]), scale ** (layer - 1), np.nan)
                frame = {
                    "second_moment": scale**2 * np.ones(20),
                    "correlation": np.clip(theory + noise, -1, 1),
                    "rms_singular": rms * np.exp(rng.normal(0, 0.05, 20)),
                    "largest_singular": rms * (1.5 + np.sqrt(layer)),
                    "second_moment_theory": scale**2 * np.ones(20),
                    "correlation_theory": theory,
                    "rms_singular_theory": rms,
                    "largest_singular_theory": rms * (1.5 + np.sqrt(layer)),
                }
                if kind == "point":
                    frame = dict.fromkeys(frame, np.full(20, np.nan)) | {
                        "rms_singular": np.where(np.isnan(rms), np.nan, 0.0),
                        "largest_singular": np.where(np.isnan(rms), np.nan, 0.0),
                    }
                keys = {"initializer": name, "activation": activation, "seed": seed}
                frames.append(pd.DataFrame(keys | {"layer": layer} | frame))
    return pd.concat(frames, ignore_index=True)


def _symmetry(rng: np.random.Generator, activations: Sequence[str]) -> pd.DataFrame:
    frames = []
    for name in ("zeros", "constant", "glorot_uniform"):
        for activation in activations:
            vectors = rng.normal(size=(8, 16)) if name == "glorot_uniform" else np.ones((8, 16))
            vectors /= np.linalg.norm(vectors, axis=0)
            unit, other = np.indices((16, 16))
            keys = {"initializer": name, "activation": activation, "steps": 50}
            cosines = {"similarity": np.clip(vectors.T @ vectors, -1, 1).ravel()}
            places = {"unit": unit.ravel() + 1, "other": other.ravel() + 1}
            frames.append(pd.DataFrame(keys | places | cosines))
    return pd.concat(frames, ignore_index=True)


def _histograms(
    rng: np.random.Generator, rules: dict[str, tuple[str, Variance, str]], runs: pd.DataFrame
) -> pd.DataFrame:
    frames = []
    for run in runs[runs["seed"] == 0].itertuples():
        spread = math.sqrt(rules[run.initializer][1](256, 256) * 256)
        for step in (1, 20):
            for layer in range(1, len(LAYERS)):
                for quantity, size in (("activation", spread**layer), ("gradient", 1e-3 / layer)):
                    values = size * rng.normal(size=400) * (1 + 0.02 * step)
                    if quantity == "activation" and run.activation == "relu":
                        values = np.maximum(values, 0)
                    counts, edges = np.histogram(values, 32)
                    keys = {"run": run.run, "step": step, "layer": layer, "quantity": quantity}
                    bins = {"bin_left": edges[:-1], "bin_right": edges[1:], "count": counts}
                    frames.append(pd.DataFrame(keys | bins))
    return pd.concat(frames, ignore_index=True)


def _rates(
    rules: dict[str, tuple[str, Variance, str]], activations: Sequence[str], seed: int
) -> pd.DataFrame:
    rows = []
    for place, (name, (kind, variance, _)) in enumerate(rules.items()):
        for activation in activations:
            centre = -1 - 0.5 * math.log10(max(variance(256, 256) * 256, 1e-2))
            rates = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
            level = 0.97 - 0.002 * place if kind != "point" else 0.11
            found = [max(0.1, level - 0.08 * (math.log10(rate) - centre) ** 2) for rate in rates]
            best = found.index(max(found))
            for index, (rate, accuracy) in enumerate(zip(rates, found, strict=True)):
                status = "diverged" if kind != "point" and index > best + 1 else "finished"
                edge = index == best and best in (0, 5) and kind != "point"
                row = (name, activation, seed, rate, status, accuracy, index == best, edge)
                rows.append(row)
    columns = "initializer activation seed learning_rate status test_accuracy best at_edge"
    return with_good_ranges(pd.DataFrame(rows, columns=columns.split()))


def _trainability(rng: np.random.Generator, activations: Sequence[str]) -> pd.DataFrame:
    variances, depths = np.linspace(0.5, 4.0, 9), [2, 4, 8, 16, 32, 64, 100]
    rows = []
    for activation in activations:
        edge = 2.0 if activation == "relu" else 1.76
        for variance in variances:
            for depth in depths:
                reach = 6.0 / max(abs(math.log(variance / edge)), 1e-2)
                accuracy = 0.1 + 0.8 / (1.0 + (depth / reach) ** 4) + 0.01 * rng.random()
                lost = variance > 3.5 and depth > 60
                row = (activation, 100, 0.05, variance, depth, 0)
                end = ("diverged" if lost else "finished", accuracy, "sgd", 0.02, 2, 64)
                rows.append((*row, *end, "mnist_5k", "5e1c0de5", f"{activation}{len(rows)}"))
    columns = "activation width bias_variance weight_variance depth seed status test_accuracy"
    columns += " optimizer learning_rate epochs batch_size dataset dataset_digest run"
    return pd.DataFrame(rows, columns=columns.split())


def _depth_limits(
    rules: dict[str, tuple[str, Variance, str]], activations: Sequence[str], seeds: int
) -> pd.DataFrame:
    rows = []
    for place, name in enumerate(rules):
        for activation in activations:
            depth = min(64.0, 2.0 * 1.3**place)
            bound = "at most" if place == 0 else "at least" if depth == 64.0 else ""
            low = 0.0 if bound == "at most" else depth / 1.2
            high = math.inf if bound == "at least" else depth * 1.2
            tail = (depth, low, high, bound, seeds, 0.5, 2, 64)
            rows.append((activation, "", name, *tail))
    columns = "activation setup initializer depth low high bound seeds level least greatest"
    return pd.DataFrame(rows, columns=columns.split())


def _sensitivity(limits: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    best = rates[rates["best"]]
    keys = ["activation", "initializer"]
    good = best[[*keys, "good_low", "good_high", "good_decades", "good_open"]]
    told = limits.rename(columns={"depth": "learns_until"})
    told = told[[*keys, "learns_until", "low", "high", "bound", "seeds"]]
    words = "these runs: width 100, sgd, 3 epochs of mnist_5k, batch 64, depths 2 to 64"
    return told.assign(rate_depth=10).merge(good, on=keys).assign(source=words)


def _training(
    rng: np.random.Generator,
    rules: dict[str, tuple[str, Variance, str]],
    activations: Sequence[str],
    seeds: int,
    settings: tuple[int, int, str],
) -> Tables:
    epochs, steps_per_epoch, digest = settings
    runs, steps, evaluations, layers = [], [], [], []
    count = epochs * steps_per_epoch
    for name, (kind, variance, _) in rules.items():
        for activation in activations:
            gain = 2.0 if activation == "relu" else 1.0
            scale = variance(256, 256) * 256 / gain
            badness = abs(math.log10(scale)) if kind != "point" else 9.0
            for seed in range(seeds):
                run = f"{name}-{activation}-{seed}"
                wild = name in ("normal", "large_normal") and activation == "relu"
                ends = wild and seed != 1
                final = 0.11 if kind == "point" else 0.976 - 0.02 * badness**2
                final += rng.normal(0, 0.0012)
                rate = 2.2 * math.exp(-0.6 * badness) / steps_per_epoch
                last = 37 + seed if ends else count
                step = np.arange(1, last + 1)
                progress = 1 - np.exp(-rate * step)
                noise = np.exp(rng.normal(0, 0.12, last))
                start = 2.3 * max(1.0, math.sqrt(scale)) if kind != "point" else 2.302
                loss = (start + (0.08 + 3 * (0.976 - final) - start) * progress) * noise
                if kind == "point":
                    loss = np.full(last, 2.302) + rng.normal(0, 0.002, last)
                if ends:
                    loss[-1] = np.nan
                accuracy = 0.1 + (final - 0.1) * progress
                epoch = (step - 1) // steps_per_epoch + 1
                fields = {"step": step, "epoch": epoch, "loss": loss, "accuracy": accuracy}
                cycle = 0.1 * (0.2 + 0.8 * abs(np.sin(math.pi * step / 16)))
                steps.append(pd.DataFrame({"run": run, **fields, "learning_rate": cycle}))
                at = np.arange((last // steps_per_epoch) + 1)
                reached = 0.1 + (final - 0.1) * (1 - np.exp(-rate * at * steps_per_epoch))
                loss_at = np.concatenate([[start], loss[at[1:] * steps_per_epoch - 1]])
                fields = {"epoch": at, "test_loss": loss_at, "test_accuracy": reached}
                evaluations.append(pd.DataFrame({"run": run, **fields}))
                for layer, (n, m) in enumerate(pairwise(LAYERS), start=1):
                    std = math.sqrt(variance(n, m)) if kind != "point" else 0.0
                    drift = np.sqrt(std**2 + (0.03 * progress / layer) ** 2)
                    layers.append(_layer(rng, run, step, layer, drift, activation))
                row = [run, name, activation, "-".join(map(str, LAYERS)), "mnist", 5000, digest]
                row += [seed, epochs, 128, 0.1, "sgd", "constant", "float32", "numba"]
                row += ["diverged" if ends else "finished", last if ends else pd.NA]
                row += [0.098 if ends else reached[-1], loss[-1], 0.002 * last, 3.1, last]
                runs.append(row)
    columns = "run initializer activation network dataset dataset_size dataset_digest seed epochs"
    columns += " batch_size learning_rate optimizer schedule dtype backend status diverged_step"
    columns += " test_accuracy final_loss train_seconds compile_seconds steps"
    frame = pd.DataFrame(runs, columns=columns.split()).astype(
        {"diverged_step": "Int64", "final_loss": "Float64"}
    )
    together = {"steps": steps, "epochs": evaluations, "layers": layers}
    return {"runs": frame} | {
        name: pd.concat(parts, ignore_index=True) for name, parts in together.items()
    }


def _layer(
    rng: np.random.Generator, run: str, step: np.ndarray, layer: int, std: np.ndarray, name: str
) -> pd.DataFrame:
    gradient = 0.3 / layer / (1 + 0.02 * step) * np.exp(rng.normal(0, 0.1, len(step)))
    zero = np.full(len(step), 0.5 if name == "relu" else 0.0)
    update = 0.1 * gradient / np.maximum(std * 200, 1e-9)
    return pd.DataFrame(
        {"run": run, "step": step, "layer": layer, "weight_mean": 0.0, "weight_std": std}
        | {"weight_max": 4 * std, "gradient_norm": gradient, "gradient_mean_abs": gradient / 400}
        | {"activation_mean": 0.3, "activation_variance": 0.4, "activation_zero_fraction": zero}
        | {"dead_fraction": 0.01 * layer, "saturated_fraction": 0.05, "update_ratio": update}
    )


def _speed(rng: np.random.Generator) -> pd.DataFrame:
    # Milliseconds from PEERS.md, so that the picture has the proportions of the real one.
    measured = {
        ("fill_uniform", "64 x 64", 0.0004): (0.05, 0.01, 0.012, 0.006, 0.03),
        ("fill_uniform", "784 x 256", 0.009): (2.4, 0.48, 0.55, 0.21, 0.2),
        ("fill_uniform", "4096 x 4096", 1.3): (310.0, 28.0, 46.0, 9.8, 4.7),
        ("fill_normal", "64 x 64", 0.0004): (0.08, 0.035, 0.05, 0.009, 0.035),
        ("fill_normal", "784 x 256", 0.009): (3.6, 1.7, 1.2, 0.36, 0.3),
        ("fill_normal", "1024 x 1024", 0.08): (30.0, 8.6, 5.0, 1.8, 1.0),
        ("fill_normal", "4096 x 4096", 1.3): (900.0, 137.0, 77.0, 29.0, 14.5),
        ("fill_truncated_normal", "4096 x 4096", 1.3): (2100.0, float("nan"), 900.0, 67.0, 34.0),
        ("orthogonal", "64 x 64", 0.002): (0.9, 0.3, 0.2, 0.05, 0.07),
        ("orthogonal", "256 x 256", 0.09): (8.0, 4.0, 1.5, 0.7, 0.7),
        ("orthogonal", "784 x 256", 0.3): (25.0, 21.6, 6.4, 4.0, 3.1),
        ("orthogonal", "1024 x 1024", 4.9): (float("nan"), 126.0, 44.0, 23.6, 18.2),
        ("orthogonal", "2048 x 2048", 39.0): (float("nan"), 900.0, 310.0, 160.0, 120.0),
        ("train_step", "784-256-10, batch 32", 0.09): (0.98, 0.72, 0.487, 0.33, 0.327),
        ("train_step", "784-512-256-128-10, batch 128", 1.15): (4.8, 3.2, 2.08, 2.77, 2.0),
    }
    methods = {
        "NumPy reference": ("reference", 1),
        "NumPy": ("rival", 2),
        "PyTorch": ("rival", 2),
        "Numba, 1 thread": ("ours", 1),
        "Numba, 2 threads": ("ours", 2),
    }
    rows = []
    for (workload, size, limit), times in measured.items():
        for (method, (role, threads)), time in zip(methods.items(), times, strict=True):
            if math.isnan(time):
                continue
            spread = 1 + rng.uniform(0.01, 0.06, 2)
            words = "plain stores, 2 threads" if "fill" in workload else "GEMM rate, 2 threads"
            if workload == "train_step" and role == "rival":
                method = {"NumPy": "NumPy, 2 threads"}.get(method, "scikit-learn, 2 threads")
            sides = [int(side) for side in size.split(" x ")] if " x " in size else [200_000]
            values = math.prod(sides)
            row = [workload, method, role, size, values, "float32", threads, time / 1e3]
            row += [time / 1e3 / spread[0], time / 1e3 * spread[1], 40, limit / 1e3, words]
            rows.append([*row, 1.9 if role == "ours" else 2.0 * time / 1e3])
    columns = (
        f"{WORKLOAD} method role size values dtype threads median_s low_s high_s rounds limit_s"
    )
    return pd.DataFrame(rows, columns=[*columns.split(), "limit", "first_call_s"])


def _roofline() -> Tables:
    # Operations a byte, billions of operations a second, percent of the limit.
    measured = {
        ("activate", "128 x 512"): (0.083, 3.5, 56.0),
        ("dense_backward", "128 x 784 x 512"): (40.5, 86.0, 86.0),
        ("dense_forward", "128 x 784 x 512"): (40.6, 88.0, 88.0),
        ("fill_normal", "784 x 256"): (16.6, 48.0, 48.0),
        ("fill_truncated_normal", "784 x 256"): (19.0, 51.0, 51.0),
        ("fill_uniform", "784 x 256"): (11.0, 64.0, 64.0),
        ("haar", "784 x 256"): (114.0, 46.0, 46.0),
        ("histogram", "784 x 512"): (0.75, 1.9, 3.3),
        ("orthogonalize", "784 x 256"): (114.0, 44.0, 44.0),
        ("philox", "784 x 256"): (10.0, 47.0, 47.0),
        ("softmax_cross_entropy", "128 x 10"): (1.75, 2.6, 2.6),
        ("squared_norm", "784 x 512"): (0.5, 24.0, 64.0),
        ("train_epoch", "784-256-10, batch 32"): (6.4, 53.0, 53.0),
        ("update", "784 x 512"): (0.42, 33.0, 104.0),
    }
    kernels = pd.DataFrame(
        [
            (*name, intensity, 1e9 * rate, percent)
            for name, (intensity, rate, percent) in measured.items()
        ],
        columns=["kernel", "size", "intensity", "rate", "percent_of_limit"],
    )
    limits = pd.DataFrame(
        [
            ("triad in a cache", 9e10, "B/s"),
            ("triad in memory", 1.2e10, "B/s"),
            ("stores in memory", 2e10, "B/s"),
            ("FMA", 1e11, "FLOP/s"),
        ],
        columns=["limit", "rate", "unit"],
    )
    return {"kernels": kernels, "limits": limits}


def _benchmark_history() -> pd.DataFrame:
    """Make forty sessions of three benchmarks, of which two change."""
    rng = np.random.default_rng(20_112)
    rows = []
    for name, usual, place, factor in (("a", 1e-4, 12, 1.2), ("b", 2e-3, 30, 0.6), ("c", 1, 0, 1)):
        for session in range(40):
            level = usual * (factor if session >= place else 1.0)
            row = {"benchmark": f"bench/bench_x.py::test_x[{name} 784x256]", "processor": "P"}
            row |= {"commit": f"{session:08x}", "date": f"2026-01-{session % 28 + 1:02}"}
            row |= {"place": session, "time_s": level * rng.lognormal(0.0, 0.02)}
            rows.append(row | {"level_s": level})
    return pd.DataFrame(rows)


def _claims() -> pd.DataFrame:
    # Tolerance, mean, half of the interval, verdict; both bounds, one bound, no width.
    rows = {
        "exact_point": (0.0, 0.0, 0.0, 0.0, "holds"),
        "far_outside": (0.9, 1.1, 40.0, 2.0, "fails"),
        "one_bound": (-math.inf, -5.0, -6.5, 0.4, "holds"),
        "too_noisy": (2.0, 3.0, 2.1, 0.3, "not decidable here"),
        "within": (-0.5, 0.5, 0.1, 0.05, "holds"),
    }
    return pd.DataFrame(
        [
            {
                "claim": name,
                "statement": "A number is what it is said to be.",
                "source": "Example 2020",
                "quantity": "the number",
                "claimed": 0.5 * (low + high) if math.isfinite(low) else pd.NA,
                "tolerance_low": low,
                "tolerance_high": high,
                "mean": mean,
                "interval_low": mean - half,
                "interval_high": mean + half,
                "verdict": verdict,
                "seeds": 5,
                "sample": "whole",
                "remark": "",
            }
            for name, (low, high, mean, half, verdict) in rows.items()
        ]
    ).astype({"claimed": "Float64"})


def _claim_values(claims: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (claim.claim, seed, claim.mean + (claim.interval_high - claim.mean) * (seed - 2))
        for claim in claims.itertuples()
        for seed in range(claim.seeds)
    ]
    return pd.DataFrame(rows, columns=["claim", "seed", "value"])


def _machine(digest: str) -> pd.DataFrame:
    facts = {
        "processor": "Example 9000 at 2.5 GHz",
        "cores": "2",
        "threads": "2",
        "BLAS of NumPy": "OpenBLAS 0.3.30",
        "BLAS of SciPy": "OpenBLAS 0.3.29",
        "Python": "3.11.7",
        "dataset": "mnist, 5,000 images",
        "dataset digest": digest,
        "date": "2026-11-23",
    }
    return pd.DataFrame({"key": list(facts), "value": list(facts.values())})
