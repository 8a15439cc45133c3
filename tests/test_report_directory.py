"""A directory that is replaced whole or not at all, and only when a report wrote what is in it."""

import errno
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from initperf.errors import UsageError
from initperf_figures._directory import MANIFEST, check_directory, replacing_directory


def _write(directory: Path, words: str, *more: str) -> None:
    with replacing_directory(directory) as fresh:
        (fresh / "tables").mkdir()
        for name in ("index.html", "tables/runs.csv", *more):
            (fresh / name).write_text(words)


def _read(directory: Path) -> dict[str, str]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_text() for path in files}


def test_what_is_new_takes_the_place_of_what_was_old(tmp_path: Path) -> None:
    _write(tmp_path / "r", "old", "gone.txt")
    _write(tmp_path / "r", "new")
    assert set(_read(tmp_path / "r")) == {"index.html", "tables/runs.csv", MANIFEST}
    assert _read(tmp_path / "r")["index.html"] == "new"
    assert os.listdir(tmp_path) == ["r"]


def test_missing_parents_are_made_at_the_end_only(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing_directory(tmp_path / "a" / "b" / "r"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []
    _write(tmp_path / "a" / "b" / "r", "new")
    assert os.listdir(tmp_path / "a" / "b") == ["r"]


def test_a_link_to_a_directory_keeps_leading_there(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    _write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert _read(tmp_path / "real")["index.html"] == "new"


@pytest.mark.parametrize("call", [1, 2])
def test_an_interrupted_swap_brings_the_old_one_back(
    call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "r", "old")
    old = _read(tmp_path)
    rename = Path.rename
    calls = 0

    def interrupted(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "r", "new")
    assert _read(tmp_path) == old


@pytest.mark.parametrize("when", ["rename", "rmtree"])
def test_a_real_ctrl_c_waits_until_the_swap_is_whole(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "r", "old")
    owner = Path if when == "rename" else shutil
    function: Callable[..., object] = getattr(owner, when)

    def pressed(*arguments: object, **options: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return function(*arguments, **options)

    monkeypatch.setattr(owner, when, pressed)
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "r", "new")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["r"]
    assert _read(tmp_path / "r")["index.html"] == "new"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_swap_that_the_system_refuses_brings_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "r", "old")
    old = _read(tmp_path)
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(16, "Device or resource busy")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(UsageError, match=r"cannot replace .*resource busy"):
        _write(tmp_path / "r", "new")
    assert _read(tmp_path) == old


def test_what_is_not_a_report_is_not_replaced(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis holds chapter\.tex, which is not part of"):
        _write(thesis, "new")
    assert _read(tmp_path) == {"thesis/chapter.tex": "years of work"}
    with pytest.raises(UsageError, match="is a file"):
        check_directory(thesis / "chapter.tex")


@pytest.mark.parametrize(
    "manifest",
    [
        *("", "[]", "{}", '{"files": null}', '{"files": ["thesis.tex"]}', "[" * 100_000),
        '{"generator": "another", "files": {"thesis.tex": "abc"}}',
        '{"generator": "initperf", "files": ["thesis.tex", "report.json"]}',
        '{"generator": "initperf", "files": {"thesis.tex": ""}}',
        '{"generator": "initperf", "files": {"thesis.tex": "0123"}}',
    ],
)
def test_what_a_manifest_of_others_names_is_not_removed(manifest: str, tmp_path: Path) -> None:
    """Neither one that another program wrote, nor ours without the digest of the very file."""
    (tmp_path / MANIFEST).write_text(manifest)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds (report\.json|thesis\.tex), which"):
        _write(tmp_path, "new")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_manifest_of_another_program_says_nothing_even_with_digests(tmp_path: Path) -> None:
    _write(tmp_path / "r", "old")
    manifest = tmp_path / "r" / MANIFEST
    manifest.write_text(manifest.read_text().replace('"generator": "initperf"', '"generator": "x"'))
    with pytest.raises(UsageError, match="which is not part of a report"):
        _write(tmp_path / "r", "new")
    assert _read(tmp_path / "r")["index.html"] == "old"


def test_a_page_that_was_changed_is_not_lost(tmp_path: Path) -> None:
    _write(tmp_path / "r", "old")
    (tmp_path / "r" / "index.html").write_text("corrected by hand")
    with pytest.raises(UsageError, match=r"holds index\.html, which was changed after a report"):
        _write(tmp_path / "r", "new")
    assert _read(tmp_path / "r")["index.html"] == "corrected by hand"


def test_a_link_in_a_report_is_not_removed(tmp_path: Path) -> None:
    _write(tmp_path / "r", "old")
    (tmp_path / "precious").mkdir()
    (tmp_path / "r" / "link").symlink_to(tmp_path / "precious")
    with pytest.raises(UsageError, match="holds link, which is not part of a report"):
        _write(tmp_path / "r", "new")
    assert (tmp_path / "r" / "link").is_symlink()


def test_what_came_while_a_report_was_written_stays(tmp_path: Path) -> None:
    _write(tmp_path / "r", "old")

    def late() -> None:
        with replacing_directory(tmp_path / "r"):
            (tmp_path / "r" / "notes.txt").write_text("mine")

    with pytest.raises(UsageError, match=r"holds notes\.txt"):
        late()
    assert _read(tmp_path / "r")["notes.txt"] == "mine"
    assert os.listdir(tmp_path) == ["r"]


def test_a_mount_point_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "r")
    (tmp_path / "r").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) == place)
    with pytest.raises(UsageError, match=r"r is a mount point, .* name a directory in it"):
        check_directory(tmp_path / "r")
    check_directory(tmp_path / "r" / "in")


def test_a_read_only_place_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_place: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with pytest.raises(UsageError, match=r"cannot write a report to .*r: Read-only file system"):
        check_directory(tmp_path / "a" / "r")


def test_a_full_disk_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UsageError, match=r"cannot write a report to .*r: 5 MB are free in"):
        check_directory(tmp_path / "r")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_removed_by_the_next_report(tmp_path: Path) -> None:
    old, young = (tmp_path / f".r~initperf-{digit * 16}" for digit in "01")
    for left in (old, young):
        (left / "new" / "figures").mkdir(parents=True)
        (left / "new" / "figures" / "first.svg").touch()
    hours_ago = time.time() - 7200.0
    os.utime(old, (hours_ago, hours_ago))
    _write(tmp_path / "r", "new")
    assert sorted(os.listdir(tmp_path)) == [young.name, "r"]


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": null}'])
def test_a_manifest_that_says_nothing_protects_what_is_there(manifest: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(UsageError, match=r"holds report\.json"):
        check_directory(tmp_path)


def test_a_note_added_to_a_report_is_not_lost(tmp_path: Path) -> None:
    _write(tmp_path / "r", "old")
    (tmp_path / "r" / "tables" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds tables.notes\.txt"):
        _write(tmp_path / "r", "new")
    assert _read(tmp_path / "r")["tables/notes.txt"] == "mine"


def test_an_empty_directory_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    check_directory(tmp_path / "r")
    _write(tmp_path / "r", "new")
    assert _read(tmp_path / "r")["index.html"] == "new"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write a report to .*file"):
        _write(tmp_path / "file" / "r", "new")
    assert os.listdir(tmp_path) == ["file"]
