"""Examples in theory's docstrings, and its index of names."""

import doctest
import importlib
import pkgutil

import pytest

from initperf import theory

MODULES = [module.name for module in pkgutil.iter_modules(theory.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_right(name):
    module = importlib.import_module(f"{theory.__name__}.{name}")
    assert doctest.testmod(module).failed == 0


def test_the_index_names_all_that_is_exported():
    for name in theory.__all__:
        assert f"`{name}`" in theory.__doc__
        assert getattr(theory, name).__doc__
