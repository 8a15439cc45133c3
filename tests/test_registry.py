"""Registries: names, aliases, nearest matches, and that nobody can change them from outside."""

import importlib
import sys

import pytest

from initperf._core.registry import Registry, UnknownNameError, import_siblings
from initperf.errors import PluginError


@pytest.fixture
def fruits():
    registry = Registry("fruit")
    registry.register("pear", 1, ("Birne".lower(), "nashi"))
    registry.register("apple", 2)
    return registry


def test_names_come_in_alphabetical_order_without_aliases(fruits):
    assert list(fruits) == ["apple", "pear"]
    assert len(fruits) == 2
    assert dict(fruits) == {"apple": 2, "pear": 1}


@pytest.mark.parametrize("name", ["pear", "nashi", "birne", " Pear ", "NASHI"])
def test_an_entry_answers_to_its_name_and_aliases_in_any_case(fruits, name):
    assert fruits[name] == 1
    assert name in fruits
    assert fruits.canonical(name) == "pear"


def test_hyphens_and_spaces_stand_for_underscores():
    registry = Registry("tree")
    registry.register("old_oak", 1)
    assert registry["old-oak"] == registry["Old Oak"] == 1


def test_aliases_are_given_in_the_order_of_registration(fruits):
    assert fruits.aliases("nashi") == ("birne", "nashi")
    assert fruits.aliases("apple") == ()


def test_an_unknown_name_is_told_the_nearest(fruits):
    with pytest.raises(UnknownNameError, match=r"^unknown fruit 'aple'; did you mean 'apple'\?$"):
        fruits["aple"]
    with pytest.raises(UnknownNameError, match=r"there are apple, pear$"):
        fruits["zzz"]
    assert "aple" not in fruits
    assert fruits.get("aple") is None


def test_entries_are_restored_with_their_aliases(fruits):
    with fruits.restored():
        fruits.register("plum", 3)
        fruits.register("pear", 4, replace=True)
        assert (dict(fruits), "nashi" in fruits) == ({"apple": 2, "pear": 4, "plum": 3}, False)
    assert dict(fruits) == {"apple": 2, "pear": 1}
    assert fruits["nashi"] == 1
    with pytest.raises(UnknownNameError):
        fruits["plum"]


def test_an_unknown_name_is_both_a_key_error_and_a_value_error():
    assert issubclass(UnknownNameError, KeyError)
    assert issubclass(UnknownNameError, ValueError)


@pytest.mark.parametrize(("name", "aliases"), [("apple", ()), ("plum", ("nashi",))])
def test_a_name_is_taken_once(fruits, name, aliases):
    with pytest.raises(ValueError, match="is registered already"):
        fruits.register(name, 3, aliases)
    assert dict(fruits) == {"apple": 2, "pear": 1}


def test_names_with_capitals_are_kept_and_found_in_any_case():
    registry = Registry("tree")
    registry.register("oak.Old", 1, ("Elder",))
    assert list(registry) == ["oak.Old"]
    assert registry["OAK.old"] == registry["elder"] == 1
    assert registry.canonical("oak.old") == "oak.Old"
    assert registry.aliases("oak.Old") == ("elder",)


def test_a_registry_beside_another_knows_its_names(fruits):
    roots = Registry("plant", beside=fruits)
    roots.register("beet", 1)
    with pytest.raises(ValueError, match="plant 'nashi' is registered already"):
        roots.register("Nashi", 2)
    with pytest.raises(UnknownNameError, match="did you mean 'apple'"):
        roots["aple"]
    with pytest.raises(UnknownNameError, match="there are apple, beet, pear"):
        roots["zzz"]
    assert "apple" not in roots
    assert dict(roots) == {"beet": 1}


def test_a_registry_is_read_only(fruits):
    with pytest.raises(TypeError, match="item assignment"):
        fruits["plum"] = 3
    with pytest.raises(TypeError, match="item deletion"):
        del fruits["pear"]


def test_a_registry_shows_its_names(fruits):
    assert repr(fruits) == "<2 fruits: apple, pear>"


def test_siblings_are_imported_but_for_those_with_an_underscore(tmp_path, monkeypatch):
    package = tmp_path / "basket_of_a_test"
    package.mkdir()
    (package / "_private.py").write_text("raise AssertionError")
    (package / "plum.py").write_text(
        "import basket_of_a_test; basket_of_a_test.seen.append('plum')"
    )
    (package / "__init__.py").write_text(
        "from initperf._core.registry import import_siblings\n"
        "seen = []\n"
        "import_siblings(__name__, __path__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("basket_of_a_test")
    assert module.seen == ["plum"]
    import_siblings("basket_of_a_test", module.__path__)
    assert module.seen == ["plum"]


def test_names_as_frameworks_write_them_are_found():
    registry = Registry("animal")
    registry.register("grey_wolf", 1)
    assert registry.canonical("GreyWolf") == registry.canonical("grey_wolf_") == "grey_wolf"
    assert registry.aliases("GreyWolf") == ()


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Add a distribution whose entry point registers a plum in `REGISTRIES["fruit"]`."""
    (tmp_path / "plum_of_a_test.py").write_text(
        "from test_registry import REGISTRIES\nREGISTRIES['fruit'].register('plum', 3)\n"
    )
    facts = tmp_path / "plums-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: plums\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[test.fruits]\nplum = plum_of_a_test\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(REGISTRIES, "fruit", Registry("fruit", plugins="test.fruits"))
    monkeypatch.delitem(sys.modules, "plum_of_a_test", raising=False)
    return REGISTRIES["fruit"]


REGISTRIES = {}


def test_plug_ins_are_imported_when_a_name_is_unknown_or_all_are_asked_for(distribution):
    distribution.register("pear", 1)
    assert distribution["pear"] == 1
    assert "plum_of_a_test" not in sys.modules
    assert distribution["Plum"] == 3
    assert list(distribution) == ["pear", "plum"]


def test_registering_beside_another_imports_none_of_its_plug_ins(distribution):
    roots = Registry("plant", beside=distribution)
    roots.register("beet", 1)
    assert "plum_of_a_test" not in sys.modules


def test_a_plug_in_that_fails_is_named(distribution, tmp_path):
    (tmp_path / "plum_of_a_test.py").write_text("raise OSError('rotten')")
    with pytest.raises(PluginError, match=r"fruit plug-in 'plum' .* OSError: rotten"):
        list(distribution)
