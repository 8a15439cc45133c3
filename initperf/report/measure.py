"""All measurements of a report: timings first, on a quiet machine, then training."""

import contextlib
import functools
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from initperf import data
from initperf._core.progress import Stages, silent
from initperf._core.text import one_line
from initperf.benchmarks import machine, roofline, speed
from initperf.claims import OutcomeStore, claim_values_table, claims_table
from initperf.errors import UnsuitableError
from initperf.initializers import Initializer, bounds_table, weights_tables
from initperf.report import tables
from initperf.report.compilation import SPEEDS, TRAINED, compiling_report, is_timed
from initperf.report.plan import Plan, Settings
from initperf.report.propagation import propagations
from initperf.report.rate_search import best_rates, rates_table
from initperf.report.sensitivity import sensitivity_table
from initperf.report.symmetry import symmetry_table
from initperf.report.untrained import Untrained
from initperf.training._spelling import rule_of
from initperf.training.descent import descents
from initperf.training.each_network import EachNetwork
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.run_tables import run_tables
from initperf.training.setups import name_setups
from initperf.training.store import RunStore
from initperf.training.sweep import sweep

if TYPE_CHECKING:
    import pandas as pd


def measure(
    settings: Settings,
    plan: Plan,
    stages: Stages,
    *,
    store: RunStore | None = None,
    needed: frozenset[str] | None = None,
    compiled: Callable[[], object] | None = None,
) -> "dict[str, pd.DataFrame]":
    """Measure what a report shows.

    Parameters
    ----------
    settings : Settings
    plan : Plan
        Result of `initperf.report.plan.plan` of the settings.
    stages : callable
        ``stages(title)`` is a context manager that gives a progress callback for a stage.
    store : RunStore, optional
        Where the runs are kept; what it holds is not trained again.
    needed : frozenset of str, optional
        Names of the tables that are wanted, by default all; what serves none of them is not
        measured.
    compiled : callable, optional
        Waits for what `initperf.report.compilation.compiling_report` compiles, where it has begun;
        it begins here by default.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables, by name, as `initperf_figures` takes them.

    Raises
    ------
    DataError
        When the data cannot be loaded, or the file holds no benchmarks.
    """

    def wants(names: Collection[str]) -> bool:
        return needed is None or not needed.isdisjoint(names)

    timed = is_timed(settings, needed)
    begun = None if compiled is None else contextlib.nullcontext(compiled)
    with begun or compiling_report(settings, plan, needed) as finish:
        dataset = data.load(plan.experiments[0].dataset, settings.data_dir)
        if timed:
            with stages("compiling") as progress:
                speed.compile_draws(progress)
                roofline.compile_roofline(progress, settings.quick)
            speed.import_peers(speed.Selection(settings.quick))
        finish()
    speeds = _speeds(settings, stages) if wants(SPEEDS) else {}
    untrained = Untrained(_of_untrained(settings, plan, dataset, wants))
    activations = sorted({one.activation for one in plan.experiments})
    symmetry = functools.cache(lambda: symmetry_table(activations, dataset, silent))
    drawn = functools.cache(lambda: _drawn(plan))
    first: list[Callable[[], object]] = [drawn, symmetry] if wants(["symmetry"]) else [drawn]
    calls = chain(first, untrained.calls())
    trained = _trained(settings, plan, dataset, stages, store, calls) if wants(TRAINED) else {}
    with stages("signals") as progress:
        trained |= untrained.finish(progress)
    return {
        **trained,
        **({"symmetry": symmetry()} if wants(["symmetry"]) else {}),
        **drawn(),
        **speeds,
        **(_claims() if wants(["claims", "claim_values"]) else {}),
        "machine": tables.machine_table(dataset, machine.describe()),
    }


def _tell(text: str) -> None:
    print(f"initperf: {one_line(text)}", file=sys.stderr)


def _drawn(plan: Plan) -> "dict[str, pd.DataFrame]":
    """Return the tables of what the initializers of a report draw."""
    found = [rule_of(name) for name in plan.initializers]
    rules = [rule for rule in found if isinstance(rule, Initializer)]
    return {**weights_tables(rules), "bounds": bounds_table(rules)} if rules else {}


def _claims() -> "dict[str, pd.DataFrame]":
    """Return the claims that ``initperf reproduce`` has checked, as it takes minutes of its own."""
    outcomes = list(OutcomeStore().best())
    if not outcomes:
        return {}
    return {"claims": claims_table(outcomes), "claim_values": claim_values_table(outcomes)}


def _speeds(settings: Settings, stages: Stages) -> "dict[str, pd.DataFrame]":
    if settings.benchmarks:
        return {"speed": speed.from_benchmark_json(settings.benchmarks)}
    warning = machine.busy()  # now that nothing of this report runs on other processors
    if warning:
        _tell(warning)
    with stages("timing") as progress:
        speeds = {"speed": speed.speed_table(quick=settings.quick, progress=progress)}
    return speeds | roofline.roofline_tables(settings.quick)


def _trained(
    settings: Settings,
    plan: Plan,
    dataset: data.Dataset,
    stages: Stages,
    store: RunStore | None,
    beside: Iterable[Callable[[], object]],
) -> "dict[str, pd.DataFrame]":
    """Search the rates if there are several, train, and return the tables of both.

    Parameters
    ----------
    settings : Settings
    plan : Plan
    dataset : initperf.data.Dataset
    stages : callable
    store : RunStore or None
    beside : iterable of callable
        Calls that are made beside the trainings, as `initperf.training.sweep.sweep` takes them.
    """
    import pandas as pd

    datasets = {plan.experiments[0].dataset: dataset}
    chosen = {one: one for one in plan.experiments}
    found: dict[str, pd.DataFrame] = {}
    searched: list[Run] = []
    if len(settings.rates) > 1:
        with stages("searching rates") as progress:
            tried = best_rates(plan.experiments, settings.rates, datasets, progress)
        found["rates"] = rates_table(tried, plan.setups)
        searched = [run for several in tried.values() for run in several]
        chosen = {
            one: one.replace(learning_rate=runs[0].experiment.learning_rate)
            for one, runs in tried.items()
        }
    with stages("training") as progress:
        runs = sweep(
            chosen.values(),
            store=store,
            datasets=datasets,
            progress=progress,
            notice=_tell,
            beside=beside,
        )
    sensitivity = sensitivity_table([*runs, *searched])
    if not sensitivity.empty:
        found["sensitivity"] = sensitivity
    trained = run_tables(runs, dataset)
    trained["runs"] = in_setups(
        trained["runs"], [plan.setups[one] for one in chosen], searched="rates" in found
    )
    if plan.unsuitable:
        found["unsuitable"] = pd.DataFrame(plan.unsuitable)
    return trained | found


def _of_untrained(
    settings: Settings, plan: Plan, dataset: data.Dataset, wants: Callable[[Collection[str]], bool]
) -> dict[str, dict[str, EachNetwork]]:
    """Return how the tables of untrained networks are made, by name and setup.

    Parameters
    ----------
    settings : Settings
    plan : Plan
    dataset : initperf.data.Dataset
    wants : callable
        Tells whether any table of these names is wanted.
    """
    images = tables.QUICK_SIGNAL_IMAGES if settings.quick else tables.SIGNAL_IMAGES
    sent = functools.partial(tables.signals, images=images)
    deep, shallow = probes(settings, plan), _first_seeds(plan)
    made: dict[str, tuple[Callable[..., EachNetwork], dict[str, list[Experiment]]]] = {
        "signal": (sent, deep),
        "propagation": (propagations, deep),
        "descent": (descents, shallow),
    }
    return {
        name: {words: each(own, dataset) for words, own in setups.items()}
        for name, (each, setups) in made.items()
        if wants([name])
    }


def _first_seeds(plan: Plan) -> dict[str, list[Experiment]]:
    """Return the experiments of the first seed, by setup."""
    first: dict[str, dict[Experiment, None]] = {}
    for one in plan.experiments:
        if one.seed == 0:
            first.setdefault(plan.setups[one], {})[one] = None
    return {words: list(own) for words, own in first.items()}


def probes(settings: Settings, plan: Plan) -> dict[str, list[Experiment]]:
    """Return the networks that one batch is sent through before training, by setup.

    They are those of the plan where hidden layers were given, and else of `tables.DEEP`, in which
    a signal has room to vanish. Rules that do not apply to them are left out.

    Parameters
    ----------
    settings : Settings
    plan : Plan
    """
    own: dict[Experiment, None] = {}
    for one in plan.experiments:
        if one.seed and settings.quick:
            continue
        hidden = one.hidden if {"hidden", "depth"} & set(settings.given) else tables.DEEP
        with contextlib.suppress(UnsuitableError):
            probe = Experiment(
                one.initializer,
                one.activation,
                hidden=hidden,
                residual=one.residual,
                biases=one.biases,
                seed=one.seed,
                backend=one.backend,
            )
            own[probe] = None
    found: dict[str, list[Experiment]] = {}
    for probe, words in name_setups(own).items():
        found.setdefault(words, []).append(probe)
    return found


def in_setups(runs: "pd.DataFrame", setups: Sequence[str], searched: bool) -> "pd.DataFrame":
    """Return the table of runs with the setup of each.

    Parameters
    ----------
    runs : pandas.DataFrame
        The table of `run_tables`.
    setups : sequence of str
        Words that tell the setups apart, see `initperf.report.plan.name_setups`.
    searched : bool
        Whether each rule has a learning rate of its own, which the column is then renamed for,
        to ``best_learning_rate``.

    Returns
    -------
    pandas.DataFrame
        Without the biases where only schemes have others than those chosen.
    """
    runs = runs.copy()
    runs.insert(runs.columns.get_loc("activation") + 1, "setup", list(setups))
    ruled = runs[[isinstance(rule_of(name), Initializer) for name in runs["initializer"]]]
    if runs["biases"].nunique() > 1 and ruled["biases"].nunique() == 1:
        runs = runs.drop(columns="biases")
    return runs.rename(columns={"learning_rate": "best_learning_rate"}) if searched else runs
