import json
import os
import signal
import threading
import time
from types import SimpleNamespace

import child
import numpy as np
import pytest

from initperf import Experiment
from initperf.errors import UsageError
from initperf.initializers import INITIALIZERS, register
from initperf.training import _epochs, _workers
from initperf.training import sweep as sweep_module
from initperf.training._pace import Pace, duration, per_time
from initperf.training._workers import Stop, StoppedError, on_threads
from initperf.training.grids import grid
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep
from initperf.training.train import train

GRID = list(
    grid(initializer=["he_normal", "zeros"], seed=[0, 1], hidden=(8,), epochs=2, batch_size=100)
)


def test_runs_come_in_the_order_of_the_experiments_and_equal_ones_once(blobs):
    heard = []
    runs = sweep(
        [*GRID, GRID[0]],
        datasets={"mnist": blobs},
        workers=2,
        progress=lambda *told: heard.append(told),
    )
    assert [run.experiment for run in runs] == [*GRID, GRID[0]]
    assert [told[:2] for told in heard] == [(done, len(GRID)) for done in range(1, len(GRID) + 1)]
    assert "runs/" in heard[0][2]
    assert "left" in heard[0][2]
    assert "left" not in heard[-1][2]


def test_side_by_side_gives_the_bits_of_one_after_the_other(blobs):
    side, alone = (sweep(GRID, datasets={"mnist": blobs}, workers=workers) for workers in (2, 1))
    for one, other in zip(side, alone, strict=True):
        assert np.array_equal(one.step_columns["loss"], other.step_columns["loss"])


@pytest.mark.slow
def test_processes_give_the_bits_of_threads(blobs, tmp_path):
    threads = sweep(GRID, datasets={"mnist": blobs}, workers=2)
    store = RunStore(tmp_path)
    workers = Workers(2, "processes")
    processes = sweep(GRID, datasets={"mnist": blobs}, workers=workers, store=store)
    for one, other in zip(threads, processes, strict=True):
        assert one.name == other.name
        for table in ("step_columns", "layer_columns", "epoch_columns"):
            for name, values in getattr(one, table).items():
                assert np.array_equal(values, getattr(other, table)[name], equal_nan=True), name
    assert sorted(store) == sorted(run.name for run in threads)


@pytest.fixture
def only_here():
    """Register a rule that other processes do not have."""
    with INITIALIZERS.restored():
        yield register("only_here", INITIALIZERS["zeros"])


@pytest.mark.slow
def test_a_rule_of_this_process_alone_is_refused_by_others(blobs, only_here):
    workers = Workers(2, "processes")  # of two runs: joblib takes this process for one
    here = [one.replace(initializer=only_here.name) for one in GRID[:2]]
    with pytest.raises(UsageError, match="cannot train this; use threads"):
        sweep(here, datasets={"mnist": blobs}, workers=workers)
    register("zeros", INITIALIZERS["zeros"].replace(value=0.5), replace=True)
    with pytest.raises(UsageError, match="it defines zeros differently"):
        sweep(GRID[2:], datasets={"mnist": blobs}, workers=workers)


def test_runs_that_are_kept_are_not_trained_again(blobs, tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    first = sweep(GRID[:2], datasets={"mnist": blobs}, store=store)
    trained = []

    def train_on(dataset, arrays, experiment, **options):
        trained.append(experiment)
        return original(dataset, arrays, experiment, **options)

    original = sweep_module.train_on
    monkeypatch.setattr(sweep_module, "train_on", train_on)
    runs = sweep(GRID, datasets={"mnist": blobs}, store=store)
    assert sorted(trained, key=GRID.index) == GRID[2:]
    assert runs[0].train_seconds == first[0].train_seconds
    assert len(list(store)) == len(GRID)


def test_damaged_runs_are_set_aside_named_and_trained_again(blobs, tmp_path):
    store = RunStore(tmp_path)
    first = sweep(GRID, datasets={"mnist": blobs}, store=store)
    damaged = tmp_path / f"{first[1].name}.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    notices = []
    again = sweep(GRID, datasets={"mnist": blobs}, store=store, notice=notices.append)
    assert len(notices) == 1
    assert first[1].name in notices[0]
    assert len(list((tmp_path / "_damaged").iterdir())) == 1
    assert [one.name for one in again] == [one.name for one in first]
    assert np.array_equal(again[1].step_columns["loss"], first[1].step_columns["loss"])
    assert store.load(first[1].name).test_accuracy == first[1].test_accuracy


def test_two_sweeps_on_one_store_keep_each_run_once(blobs, tmp_path):
    results = {}

    def one(number):
        results[number] = sweep(GRID, datasets={"mnist": blobs}, store=RunStore(tmp_path))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.name for one in results[0]) == sorted(RunStore(tmp_path))
    assert [one.name for one in results[0]] == [one.name for one in results[1]]
    assert len(list(tmp_path.iterdir())) == len(GRID)


def test_an_error_cancels_what_has_not_begun(blobs, monkeypatch):
    begun = []
    lock = threading.Lock()

    def train_on(_dataset, _arrays, experiment, **_options):
        with lock:
            begun.append(experiment)
        raise RuntimeError("no more")

    monkeypatch.setattr(sweep_module, "train_on", train_on)
    many = [Experiment(seed=seed, hidden=(8,)) for seed in range(200)]
    with pytest.raises(RuntimeError, match="no more"):
        sweep(many, datasets={"mnist": blobs}, workers=1)
    assert len(begun) < len(many)


def test_runs_share_arrays_and_other_calls_are_made_between_them(blobs, monkeypatch):
    made, order = [], []

    def train_on(dataset, arrays, experiment, **options):
        order.append("run")
        made.append(arrays())
        return original(dataset, arrays, experiment, **options)

    def calls():
        for number in range(len(GRID) + 3):
            yield lambda number=number: order.append(number)

    original = sweep_module.train_on
    monkeypatch.setattr(sweep_module, "train_on", train_on)
    runs = sweep(GRID, datasets={"mnist": blobs}, workers=1, beside=calls())
    assert [run.experiment for run in runs] == GRID
    turns = [part for number in range(len(GRID)) for part in ("run", number)]
    assert order == [*turns, *range(len(GRID), len(GRID) + 3)]
    assert len({id(one) for one in made}) == 1
    assert len(made) == len(GRID)


def test_calls_beside_are_left_where_nothing_is_trained(blobs, tmp_path):
    store, made = RunStore(tmp_path), []
    sweep(GRID[:1], datasets={"mnist": blobs}, store=store)
    calls = iter([lambda: made.append(1)])
    sweep(GRID[:1], datasets={"mnist": blobs}, store=store, beside=calls)
    assert made == []
    next(calls)()
    assert made == [1]


def test_an_error_of_a_call_beside_ends_the_sweep(blobs):
    with pytest.raises(ZeroDivisionError):
        sweep(GRID, datasets={"mnist": blobs}, beside=[lambda: 1 // 0])


def test_where_an_epoch_is_cut_makes_no_difference(blobs, monkeypatch):
    chosen = [
        Experiment(hidden=(8, 8), epochs=2, batch_size=70, optimizer="adam", record=record)
        for record in ("step", "epoch", "none")
    ]
    chosen.append(chosen[0].replace(histogram_steps=(1, 4, 7), clip_norm=0.5, backend="numpy"))
    chosen.append(chosen[0].replace(histogram_steps=(1, 4, 7), initializer="large_normal"))
    chosen.append(chosen[0].replace(optimizer="sgd", learning_rate=1e30))
    for experiment in chosen:
        runs = []
        for operations in (1, 3 * 6 * 70 * 6442, 10**12):
            monkeypatch.setattr(_epochs, "PIECE_OPERATIONS", operations)
            looked = []
            runs.append(
                train(experiment, dataset=blobs, pause=lambda looked=looked: looked.append(0))
            )
            if runs[-1].status == "finished":
                steps = min({1: 1, 10**12: 5}.get(operations, 3), 5)
                assert len(looked) == 2 + 2 * -(-5 // steps)
        for run in runs[1:]:
            assert (run.status, run.diverged_step) == (runs[0].status, runs[0].diverged_step)
            for table in ("step", "layer", "epoch", "histogram"):
                name = f"{table}_columns"
                for column, values in getattr(runs[0], name).items():
                    assert np.array_equal(
                        getattr(run, name)[column], values, equal_nan=values.dtype.kind == "f"
                    ), (experiment.record, column)


SWEEP = """
    import sys
    from initperf import cli
    sys.exit(cli.main(["sweep", "--dataset", sys.argv[1], "--out", sys.argv[2], *sys.argv[3:]]))
"""

LONG = Experiment(hidden=(8,), epochs=10**6, batch_size=100, record="none")


@pytest.mark.slow
def test_a_time_budget_ends_a_sweep_with_what_is_done(blobs, tmp_path, monkeypatch):
    def progress(done, *_):
        if done == len(GRID):
            now[0] = 5.99
            threading.Timer(0.3, now.__setitem__, (0, 6.0)).start()

    now = [0.0]
    monkeypatch.setattr(_workers, "time", SimpleNamespace(monotonic=lambda: now[0]))
    runs = sweep(
        [*GRID, LONG],
        workers=Workers(2, time_budget=6.0),
        datasets={"mnist": blobs},
        store=RunStore(tmp_path),
        progress=progress,
    )
    assert now == [6.0]
    assert [run.experiment for run in runs] == GRID
    assert len(RunStore(tmp_path)) == len(GRID)


@pytest.mark.slow
def test_a_time_budget_holds_for_runs_that_wait_for_a_process(blobs):
    many = [LONG.replace(seed=seed) for seed in range(80)]
    begin = time.monotonic()
    workers = Workers(2, "processes", time_budget=5.0)
    assert sweep(many, workers=workers, datasets={"mnist": blobs}) == []
    # time.time, which other processes share, may be corrected meanwhile; 40 budgets, one after
    # another, where each process counted from the beginning of its run
    assert 4.9 < time.monotonic() - begin < 40 * 5.0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"count": 0}, "workers must be a positive integer, not 0"),
        ({"count": -1}, "workers must be a positive integer, not -1"),
        ({"backend": "thread"}, "did you mean 'threads'"),
        ({"time_budget": 0}, "time_budget must be positive"),
    ],
)
def test_impossible_workers_are_refused(given, reason):
    with pytest.raises(ValueError, match=reason):
        Workers(**given)


def test_more_workers_than_experiments_are_not_started(blobs):
    runs = sweep(GRID[:2], datasets={"mnist": blobs}, workers=10**30)
    assert [run.experiment for run in runs] == GRID[:2]


def test_a_closed_generator_stops_its_threads(monkeypatch):
    monkeypatch.setattr(_workers, "_GRACE_SECONDS", child.TIMEOUT_SECONDS)
    stop = Stop()
    begun, ended = threading.Barrier(3, timeout=child.TIMEOUT_SECONDS), threading.Semaphore(0)

    def work(item):
        begun.wait()
        if item == 0:
            return item
        try:
            while True:
                stop.look()
                time.sleep(0.01)
        finally:
            ended.release()

    results = on_threads(work, range(3), 3, stop)
    assert next(results) == 0
    results.close()
    assert ended.acquire(timeout=0)
    assert ended.acquire(timeout=0)
    with pytest.raises(StoppedError):
        stop.look()


LEAVES_A_THREAD = """
import sys, threading, time
from initperf.training import _workers

begun, left = threading.Barrier(2), threading.Event()

def work(seconds):
    begun.wait()
    if seconds:
        left.wait()
        time.sleep(seconds)  # without a look at `stop`
    print("ended", flush=True)

_workers._GRACE_SECONDS = 0.0
results = _workers.on_threads(work, [0.0, 0.3], 2, _workers.Stop())
next(results)
results.close()
print("left", flush=True)
left.set()
"""


def test_a_process_ends_after_the_threads_that_it_left():
    assert child.run(LEAVES_A_THREAD).split() == ["ended", "left", "ended"]


class Pressed(Stop):
    """A request to stop during which Ctrl-C is pressed again."""

    def now(self):
        """End the calls, and raise."""
        super().now()
        raise KeyboardInterrupt


def test_a_second_ctrl_c_before_the_wait_forgets_no_thread(monkeypatch):
    monkeypatch.setattr(_workers, "_unfinished", [])
    monkeypatch.setattr(_workers, "HURRIED", threading.Event())
    begun, end = threading.Barrier(2), threading.Event()

    def work(waits):
        begun.wait(child.TIMEOUT_SECONDS)
        return waits and end.wait(child.TIMEOUT_SECONDS)

    results = on_threads(work, [False, True], 2, Pressed())
    assert next(results) is False
    try:
        with pytest.raises(KeyboardInterrupt):
            results.close()
        assert len(_workers._unfinished) == 1
        assert _workers.HURRIED.is_set()
    finally:
        end.set()
        _workers._unfinished[0].wait()


PRESSES_CTRL_C = """
import signal, time
from initperf.training import _workers

class Endless:
    def wait(self):
        signal.raise_signal(signal.SIGINT)
        time.sleep(600)

_workers._unfinished.append(Endless())
"""

PRESSES_CTRL_C_TWICE = """
import signal, sys, threading, time
from initperf.training import _workers

begun, wait = threading.Barrier(2), _workers._Worker.wait
main = threading.main_thread().ident

def work(seconds):
    begun.wait()
    time.sleep(seconds)

def wait_and_press(*arguments):
    _workers._Worker.wait = wait  # the next are not interrupted
    threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
    wait(*arguments)

_workers._GRACE_SECONDS = 600.0
_workers._Worker.wait = wait_and_press
results = _workers.on_threads(work, [0.0, 600.0], 2, _workers.Stop())
next(results)
try:
    results.close()
except KeyboardInterrupt:
    sys.exit("interrupted")
"""


@pytest.mark.parametrize(
    ("code", "said"), [(PRESSES_CTRL_C, ""), (PRESSES_CTRL_C_TWICE, "interrupted\n")]
)
def test_ctrl_c_ends_a_process_that_waits_for_its_threads(code, said):
    process = child.start(code)
    try:
        _, complaints = process.communicate(timeout=child.TIMEOUT_SECONDS)
    finally:
        process.kill()
    assert (process.returncode, complaints) == (130, said)


def test_pace_in_words(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace(3)
    now[0] = 30.0
    assert pace.label(GRID[0]) == "he_normal, relu; 2 runs/min, 1 min 0 s left"
    assert [duration(59.4), duration(200.0), duration(7500.0)] == [
        "59 s",
        "3 min 20 s",
        "2 h 5 min",
    ]
    assert [per_time(4.25), per_time(0.001)] == ["4.25 runs/s", "3.6 runs/h"]


@pytest.fixture
def file(tmp_path, blobs):
    """Give a small data set as a file."""
    path = tmp_path / "blobs.npz"
    np.savez(path, X=blobs.train_images[:, ::16], y=blobs.train_labels)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_sweep_of_long_runs_at_once(tmp_path, file, number):
    runs = tmp_path / "runs"
    words = ["--hidden", "8", "--epochs", "1,1000000", "--seed", "0,1,2", "--record", "none"]
    process = child.start(SWEEP, str(file), str(runs), *words)
    deadline = time.monotonic() + child.TIMEOUT_SECONDS
    try:
        while len(list(runs.glob("*.parquet"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)  # until the short runs are done, and the long ones under way
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(number)
        # the runs themselves would take hours
        _, complaints = process.communicate(timeout=child.TIMEOUT_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 130
    assert complaints.splitlines()[-1] == "initperf: interrupted"
    assert "Traceback" not in complaints
    assert len(list(runs.iterdir())) == 3


KILLS = """
import json, sys, warnings
from pathlib import Path
import kill_trial

warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads of BLAS
runs = Path(sys.argv[1])
trial = kill_trial.kill(runs, kills=10)
left = kill_trial.finish(runs)
print(json.dumps([trial.kills, trial.lost, trial.damaged, left, sorted(trial.complete)]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
def test_what_was_finished_before_a_kill_is_kept_once(tmp_path):
    # in a process of its own, since a fork of this one would copy what its threads hold
    *counts, complete = json.loads(child.run(KILLS, str(tmp_path)))
    assert counts == [10, 0, 0, 0]
    assert complete
    assert set(complete) <= set(RunStore(tmp_path))
