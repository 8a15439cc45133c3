import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from initperf import Experiment, train
from initperf.errors import DataError, UsageError
from initperf.training import _files, _index, _run_file
from initperf.training.store import DamagedRunError, RunStore

SMALL = Experiment(hidden=(8,), epochs=2, batch_size=100)
TABLES = ("steps", "layers", "epochs", "histograms")
RECORDED = Path(__file__).parent / "recorded" / "runs"


@pytest.fixture
def run(blobs):
    return train(SMALL.replace(histogram_steps=(2,)), dataset=blobs)


def named(run, number):
    """Return a run of another seed, under a name of its own."""
    experiment = run.experiment.replace(seed=number)
    return dataclasses.replace(run, name=f"{number:016x}", experiment=experiment)


def test_a_run_comes_back_as_it_was(tmp_path, run):
    store = RunStore(tmp_path / "runs")
    path = store.save(run)
    assert run.name in store
    assert (list(store), len(store)) == ([run.name], 1)
    assert path.stem == run.name
    back = store.load(run.name)
    for table in TABLES:
        assert len(getattr(run, table))
        pd.testing.assert_frame_equal(getattr(back, table), getattr(run, table))
    for field in dataclasses.fields(run):
        if field.repr:
            assert getattr(back, field.name) == getattr(run, field.name)


def test_a_run_is_written_once(tmp_path, run):
    store = RunStore(tmp_path)
    before = store.save(run).stat().st_mtime_ns
    assert store.save(run).stat().st_mtime_ns == before


def test_one_file_holds_a_run_for_readers_of_parquet(tmp_path, run):
    store = RunStore(tmp_path)
    path = store.save(run)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    for number in range(3):
        store.save(named(run, number))
    table = pd.read_parquet(tmp_path)  # the directory as one table
    assert len(table) == 4
    assert sorted(table["run"]) == list(store)
    row = pd.read_parquet(path).iloc[0]
    assert (row.initializer, row.depth, row.width, row.status) == ("he_normal", 1, 8, "finished")
    assert [step["loss"] for step in row.step_rows] == run.steps["loss"].tolist()
    described = json.loads(pq.read_metadata(path).metadata[b"initperf"])
    assert described["layout"] == _run_file.LAYOUT
    assert {"initperf", "numpy", "numba", "python"} <= set(described["environment"])


def test_a_run_without_step_records_takes_at_most_20_kilobytes(tmp_path, blobs):
    experiment = SMALL.replace(record="none", epochs=30)
    path = RunStore(tmp_path).save(train(experiment, dataset=blobs))
    assert path.stat().st_size <= 20_000


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left")])
def test_an_interrupted_write_leaves_nothing(tmp_path, run, monkeypatch, fault):
    def fail(path, _run):
        path.write_bytes(b"the beginning")
        raise fault

    monkeypatch.setattr(_run_file, "write", fail)
    store = RunStore(tmp_path)
    with pytest.raises(KeyboardInterrupt if fault is KeyboardInterrupt else UsageError) as caught:
        store.save(run)
    assert fault is KeyboardInterrupt or str(caught.value).endswith("No space left")
    assert list(tmp_path.iterdir()) == []
    assert run.name not in store


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="ulimit is of POSIX")
def test_a_limit_of_file_size_is_one_line(tmp_path, run):
    """A full disk looks like this to Parquet's writer: write() fails in the middle."""
    code = """
        import resource, signal, sys
        from initperf.errors import UsageError
        from initperf.training.store import RunStore
        source = RunStore(sys.argv[1])
        (name,) = source
        run = source.load(name)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        try:
            RunStore(sys.argv[2]).save(run)
        except UsageError as error:
            print(error)
    """
    import child

    RunStore(tmp_path / "source").save(run)
    printed = child.run(code, str(tmp_path / "source"), str(tmp_path / "target"))
    assert "cannot be written to" in printed
    assert printed.count("\n") == 1
    assert list((tmp_path / "target").iterdir()) == []


def test_a_run_is_written_where_directories_cannot_be_opened(tmp_path, run, monkeypatch):
    """As on Windows."""
    opened = os.open

    def refusing(path, *arguments, **named):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refusing)
    store = RunStore(tmp_path / "runs")
    store.save(run)
    monkeypatch.undo()
    assert store.load(run.name).test_accuracy == run.test_accuracy


def damages(path):
    """Give ways to damage a file, each a function that does it."""
    whole = path.read_bytes()
    generator = np.random.default_rng(3)

    def flipped(at):
        return whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :]

    yield "empty", lambda: path.write_bytes(b"")
    yield "cut", lambda: path.write_bytes(whole[: len(whole) // 2])
    yield "zeroed", lambda: path.write_bytes(bytes(len(whole)))
    yield "another's", lambda: path.write_bytes(b"nonsense" * 100)
    for at in generator.choice(len(whole), 40, replace=False):
        yield f"a bit at {at}", lambda at=at: path.write_bytes(flipped(at))

    def directory():
        path.unlink()
        path.mkdir()

    yield "directory", directory

    def dangling():
        path.rmdir()
        path.symlink_to(path.parent / "nowhere")

    yield "dangling link", dangling


def test_damage_is_found_or_does_no_harm(tmp_path, run):
    """A flipped bit is noticed, unless it lies where nothing of the run does."""
    store = RunStore(tmp_path)
    path = store.save(run)
    noticed = {}
    for kind, damage in damages(path):
        damage()
        try:
            back = store.load(run.name)
        except DamagedRunError as error:
            noticed[kind] = str(error)
            continue
        assert back.experiment == run.experiment, kind
        for table in TABLES:
            pd.testing.assert_frame_equal(getattr(back, table), getattr(run, table))
    assert all(run.name in text and "\n" not in text for text in noticed.values())
    assert {"empty", "cut", "zeroed", "another's", "directory", "dangling link"} <= set(noticed)
    assert len(noticed) > 20  # others are in words of Parquet that say nothing of the run
    aside = store.set_aside(run.name)
    assert run.name not in store
    assert aside.is_symlink()
    assert len(store) == 0


def test_a_missing_run_and_a_store_that_is_a_file_are_told(tmp_path, run):
    store = RunStore(tmp_path / "runs")
    with pytest.raises(DataError, match="no readable run 'missing'"):
        store.load("missing")
    shutil.copy(store.save(run), tmp_path / "runs" / f"{0:016x}.parquet")
    with pytest.raises(DamagedRunError, match=f"it is run {run.name}"):
        store.load(f"{0:016x}")
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="cannot be a directory of runs"):
            RunStore(path)


def test_runs_of_the_first_layout_are_read(tmp_path):
    """The recorded run was written before experiments had nested records."""
    shutil.copytree(RECORDED, tmp_path / "runs")
    store = RunStore(tmp_path / "runs")
    (name,) = store
    run = store.load(name)
    assert run.experiment == Experiment(
        activation="tanh",
        hidden=(3,),
        epochs=1,
        batch_size=10,
        optimizer="adam",
        learning_rate=0.01,
        betas=(0.8, 0.99),
        schedule="triangular",
        half_cycle=7,
        clip_norm=2.0,
        clip="global",
        backend="numpy",
        record="epoch",
    )
    assert (run.name, run.status, len(run.steps), len(run.layers)) == (name, "finished", 1, 2)
    facts, damaged = store.facts()
    assert (facts["run"].tolist(), facts["activation"].tolist(), damaged) == ([name], ["tanh"], {})
    (tmp_path / "runs" / name / "run.json").write_text("[" * 100_000)
    with pytest.raises(DamagedRunError, match=name):
        store.load(name)
    store.remove(name)
    assert list(store) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"layout": _run_file.LAYOUT + 1}, "of layout 3, and this initperf reads 1 to 2"),
        ({"schema": 5}, "is of schema 5, and this initperf reads 1 to 4"),
    ],
)
def test_runs_of_a_later_version_are_refused_with_a_reason(
    tmp_path, run, monkeypatch, change, reason
):
    store = RunStore(tmp_path)
    described = _run_file.described_run(run)
    if "layout" in change:
        described |= change
    else:
        described["run"]["experiment"] |= change
    monkeypatch.setattr(_run_file, "described_run", lambda _run: described)
    store.save(run)
    with pytest.raises(DataError, match=reason) as caught:
        store.load(run.name)
    assert not isinstance(caught.value, DamagedRunError)  # which would be set aside
    facts, damaged = store.facts()
    assert len(facts) == 0
    assert reason in damaged[run.name]


def test_the_index_repeats_what_files_say(tmp_path, run, monkeypatch):
    store = RunStore(tmp_path)
    monkeypatch.setattr(_index, "FEW", 2)
    for number in range(5):
        store.save(named(run, number))
    first, damaged = store.facts()
    assert (first["seed"].tolist(), damaged) == ([0, 1, 2, 3, 4], {})
    index = tmp_path / _index.FILE
    assert index.exists()

    read = []
    original = _run_file.read_facts
    monkeypatch.setattr(
        _run_file, "read_facts", lambda path: (read.append(path.stem), original(path))[1]
    )
    store.save(named(run, 5))
    store.remove(f"{1:016x}")
    (tmp_path / f"{2:016x}.parquet").write_bytes(b"damaged")
    again, damaged = store.facts()
    assert again["seed"].tolist() == [0, 3, 4, 5]
    assert list(damaged) == [f"{2:016x}"]
    assert read == [f"{2:016x}", f"{5:016x}"]
    for nonsense in (b"", b"nonsense", index.read_bytes()[:-100]):
        index.write_bytes(nonsense)
        pd.testing.assert_frame_equal(store.facts()[0], again)


def test_leftovers_of_killed_processes_are_removed_and_no_others(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    host = _files.host()
    dead = tmp_path / f".initperf~{host}~{child.pid}~abc.tmp"
    old = tmp_path / ".initperf~elsewhere~1~abc.tmp"
    earlier = tmp_path / ".0123456789abcdef-01234567"
    names = f".initperf~{host}~{os.getpid()}~abc.tmp", ".initperf~elsewhere~1~new.tmp"
    kept = [*(tmp_path / name for name in names)]
    kept += [tmp_path / ".git", tmp_path / ".0123456789abcdef-76543210"]
    for path in (dead, old, *kept[:2]):
        path.touch()
    for path in (earlier, *kept[2:]):
        (path / "new").mkdir(parents=True)
    for path in (old, earlier):
        os.utime(path, (1, 1))
    store = RunStore(tmp_path)
    assert (list(store), store.remove_leftovers()) == ([], 3)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_run_can_be_read_by_those_who_may_read_the_directory(tmp_path, run):
    if os.name == "nt":
        return
    for mode, expected in ((0o755, 0o644), (0o700, 0o600), (0o775, 0o664)):
        directory = tmp_path / f"{mode:o}"
        directory.mkdir()
        directory.chmod(mode)
        assert RunStore(directory).save(run).stat().st_mode & 0o777 == expected


def test_stores_are_merged(tmp_path, run):
    first, second = RunStore(tmp_path / "a"), RunStore(tmp_path / "b")
    for number in (0, 1):
        first.save(named(run, number))
    for number in (1, 2, 3):
        second.save(named(run, number))
    (tmp_path / "b" / f"{3:016x}.parquet").write_bytes(b"")
    copied, damaged = first.merge(second)
    assert (copied, list(damaged)) == (1, [f"{3:016x}"])
    assert len(first) == 3
    assert first.load(f"{2:016x}").experiment.seed == 2


def test_a_stored_run_imports_no_module_that_it_names(run, tmp_path, monkeypatch):
    """A file must not make initperf run code: a rule ``module:object`` is imported when typed."""
    (tmp_path / "hostile_rule.py").write_text("raise SystemExit('it ran')\n")
    monkeypatch.syspath_prepend(tmp_path)
    recorded = shutil.copytree(next(RECORDED.iterdir()), tmp_path / "runs" / "0f62b97cc301df60")
    facts = json.loads((recorded / "run.json").read_text())
    facts["experiment"]["initializer"] = "hostile_rule:rule"
    (recorded / "run.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="import hostile_rule first"):
        RunStore(tmp_path / "runs").load("0f62b97cc301df60")


def test_a_changed_name_of_a_column_is_noticed(tmp_path, run):
    store = RunStore(tmp_path)
    path = store.save(run)
    content = path.read_bytes()
    begin = content.index(b"learning_rate")  # in the schema, which is in the footer
    path.write_bytes(content[:begin] + b"warning_rate_" + content[begin + 13 :])
    with pytest.raises(DamagedRunError, match="columns have other names"):
        store.load(run.name)
