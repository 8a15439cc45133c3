"""Owners and permissions of a path and all above it tell who could have changed it."""

import os
from types import SimpleNamespace

import pytest

from initperf._core.trust import distrust

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Give a directory of this user, two levels below one of this user, whose group is shared."""
    monkeypatch.setattr("grp.getgrgid", lambda number: {}[number])
    made = tmp_path / "above" / "place"
    made.mkdir(parents=True)
    made.chmod(0o755)
    made.parent.chmod(0o755)
    return made


@pytest.fixture
def give_away(monkeypatch):
    """Give a function that makes a path another user's."""

    def given(path):
        if os.geteuid() == 0:
            os.chown(path, 12345, -1)
        else:  # then it is this user who becomes another
            monkeypatch.setattr(os, "geteuid", lambda: 12345)

    return given


def test_a_directory_of_this_user_is_trusted(place):
    assert distrust(place) == ""
    assert distrust(place / "not there" / "yet") == ""


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
@pytest.mark.parametrize("level", ["itself", "above"])
def test_what_others_can_write_is_not(place, mode, level):
    changed = place if level == "itself" else place.parent
    changed.chmod(mode)
    assert distrust(place / "file") == f"{changed} can be written by others"


def test_the_sticky_bit_keeps_others_from_replacing_what_is_there(place):
    place.parent.chmod(0o1777)
    assert distrust(place) == ""


def test_a_file_that_others_can_write_is_not_trusted(place):
    file = place / "file"
    file.touch(0o666)
    file.chmod(0o666)
    assert distrust(file) == f"{file} can be written by others"


@pytest.mark.parametrize("level", ["itself", "above"])
def test_what_belongs_to_another_user_is_not(place, give_away, level):
    changed = place if level == "itself" else place.parent
    give_away(changed)
    assert "belongs to user" in distrust(place)


def test_what_a_link_names_counts_and_where_the_link_is(place, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(place)
    assert distrust(link / "file") == ""
    place.parent.chmod(0o777)
    assert distrust(link / "file") == f"{place.parent} can be written by others"
    place.parent.chmod(0o755)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "link").symlink_to(place)
    assert distrust(shared / "link" / "file") == f"{shared} can be written by others"


@pytest.mark.parametrize(
    ("name", "members", "mode", "trusted"),
    [
        ("me", [], 0o775, True),
        ("me", ["me"], 0o775, True),
        ("me", [], 0o777, False),
        ("me", ["you"], 0o775, False),
        ("staff", [], 0o775, False),
    ],
)
def test_the_group_of_a_user_alone_may_write(place, monkeypatch, name, members, mode, trusted):
    if os.geteuid() == 0:
        os.chown(place, 12345, 12345)
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    group = place.stat().st_gid
    user = SimpleNamespace(pw_gid=group, pw_name="me")
    monkeypatch.setattr("pwd.getpwuid", lambda number: user)
    monkeypatch.setattr(
        "grp.getgrgid", lambda number: SimpleNamespace(gr_name=name, gr_mem=members)
    )
    place.chmod(mode)
    assert (distrust(place) == "") == trusted
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])  # no entry, as in containers
    assert distrust(place) != ""


def test_a_circle_of_links_is_not_trusted(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert "cannot be examined" in distrust(tmp_path / "one")
