"""Atomic replacement of files and directories, and what is left behind when it fails."""

import errno
import os
import re
import stat
import tempfile

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


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    real, link, chain = tmp_path / "real" / "one.dat", tmp_path / "one.txt", tmp_path / "two.txt"
    link.symlink_to("real/one.dat")
    chain.symlink_to(link)
    for text, path in (("made", link), ("replaced", link), ("again", chain)):
        with replacing(path) as temporary:
            assert temporary.suffix == path.suffix  # libraries choose formats by it
            assert temporary.parent.resolve() == real.parent.resolve()
            temporary.write_text(text)
        assert real.read_text() == text
        assert link.is_symlink()
        assert chain.is_symlink()
        assert not real.is_symlink()
        assert os.listdir(real.parent) == ["one.dat"]


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    words = re.escape(os.strerror(errno.ELOOP))
    with pytest.raises(OSError, match=words), replacing(tmp_path / "a"):
        raise AssertionError
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_a_directory_is_not_replaced_by_a_file(tmp_path):
    path = tmp_path / "one.npy"
    path.mkdir()
    with pytest.raises(IsADirectoryError) as caught, replacing(path):
        raise AssertionError
    assert caught.value.filename == str(path)
    assert caught.value.filename2 is None


def test_errors_name_the_path_and_not_the_temporary_file(tmp_path):
    path = tmp_path / "missing" / "one.npy"
    with pytest.raises(FileNotFoundError) as caught, replacing(path):
        raise AssertionError
    assert caught.value.filename == str(path)
    path = tmp_path / "one.npy"
    with pytest.raises(PermissionError) as caught, replacing(path) as temporary:
        raise PermissionError(errno.EACCES, "denied", str(temporary))
    assert caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError, match="other"), replacing(path):
        raise FileNotFoundError(errno.ENOENT, "absent", "other")


with_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@with_pipes
@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_not_replaced_by_a_file(tmp_path, linked):
    path = pipe = tmp_path / "one"
    os.mkfifo(pipe)
    if linked:
        path = tmp_path / "link"
        path.symlink_to(pipe)
    words = "not a regular file, and not replaced"
    with pytest.raises(OSError, match=words) as caught, replacing(path):
        raise AssertionError
    assert caught.value.filename == str(path)
    assert pipe.is_fifo()


@with_pipes
def test_a_pipe_that_came_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(OSError, match="not a regular file"), replacing(tmp_path / "one"):
        os.mkfifo(tmp_path / "one")
    assert os.listdir(tmp_path) == ["one"]
    assert (tmp_path / "one").is_fifo()


@with_pipes
def test_in_a_cache_whatever_stands_there_gives_way(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "other").write_text("other's")
    (tmp_path / "link").symlink_to("other")
    for name in ("pipe", "link"):
        with replacing(tmp_path / name, cached=True) as temporary:
            temporary.write_text("new")
        assert (tmp_path / name).read_text() == "new"
        assert not (tmp_path / name).is_symlink()
    assert (tmp_path / "other").read_text() == "other's"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_a_directory_stays(tmp_path, there):
    real, link = tmp_path / "real", tmp_path / "link"
    if there:
        real.mkdir()
    link.symlink_to(real)
    with replacing_directory(link) as fresh:
        (fresh / "one").write_text("new")
    assert (real / "one").read_text() == "new"
    assert link.is_symlink()


@with_pipes
def test_a_pipe_is_not_replaced_by_a_directory(tmp_path):
    os.mkfifo(tmp_path / "one")
    with pytest.raises(NotADirectoryError) as caught, replacing_directory(tmp_path / "one"):
        raise AssertionError
    assert caught.value.filename == str(tmp_path / "one")
    assert (tmp_path / "one").is_fifo()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_library_that_renames_its_own_file_does_not_choose_the_mode(tmp_path):
    before = os.umask(0o022)
    try:
        with replacing(tmp_path / "one") as temporary:
            handle, own = tempfile.mkstemp(dir=tmp_path)  # 0600, as safetensors does
            os.close(handle)
            os.replace(own, temporary)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o644
