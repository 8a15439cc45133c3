"""Atomic replacement of files and directories, and what is left behind when it fails."""

import os
import stat

import pytest

from initperf._core.storage import replacing, replacing_directory


def test_a_file_is_replaced_when_the_block_succeeds_and_only_then(tmp_path):
    path = tmp_path / "one.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        raise RuntimeError
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["one.txt"]


def test_a_directory_appears_whole(tmp_path):
    target = tmp_path / "a" / "b"
    with replacing_directory(target) as fresh:
        (fresh / "c").mkdir()
        (fresh / "c" / "d").write_text("new")
        assert not target.exists()
    assert (target / "c" / "d").read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_failing_block_leaves_the_old_directory_and_nothing_else(tmp_path, replace):
    target = tmp_path / "a"
    with replacing_directory(target, replace=replace) as fresh:
        (fresh / "one").write_text("old")
    with pytest.raises(RuntimeError), replacing_directory(target, replace=replace):
        raise RuntimeError
    assert (target / "one").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(("replace", "kept"), [(True, "mine"), (False, "theirs")])
def test_who_wins_when_another_process_was_first(tmp_path, replace, kept):
    target = tmp_path / "a"
    with replacing_directory(target, replace=replace) as fresh:
        (fresh / "one").write_text("mine")
        target.mkdir()
        (target / "one").write_text("theirs")
    assert (target / "one").read_text() == kept
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_what_is_written_follows_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        with replacing(tmp_path / "one") as temporary:
            temporary.write_text("")
        with replacing_directory(tmp_path / "two") as fresh:
            (fresh / "three").write_text("")
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "one", tmp_path / "two", tmp_path / "two" / "three")
    }
    assert modes == {"one": 0o666 & ~umask, "two": 0o777 & ~umask, "three": 0o666 & ~umask}
