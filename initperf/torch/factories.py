"""Functions that make models, found by name for the command line."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

from torch import nn

from initperf._core.nearest import nearest
from initperf.errors import UsageError


def factory_of(name: str, option: str) -> Callable[[], Any]:
    """Return the function, or the class, that a name stands for.

    Parameters
    ----------
    name : str
        ``"package.module:name"``; modules in the working directory are found too.
    option : str
        What errors call the name.

    Raises
    ------
    UsageError
        When there is none.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise UsageError(f"{option} must be package.module:factory, not {name!r}")
    sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
        factory: Callable[[], Any] | None = getattr(found, attribute, None)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{option} {name}: {error}") from None
    finally:
        sys.path.remove("")
    if factory is None:
        near = nearest(attribute, [key for key, held in vars(found).items() if callable(held)])
        hint = "" if near is None else f": did you mean {near!r}?"
        raise UsageError(f"{option} {name}: {module} has no attribute {attribute!r}{hint}")
    return factory


def made(factory: Callable[[], Any], name: str, option: str, where: str = "") -> nn.Module:
    """Return the model that a factory makes.

    Parameters
    ----------
    factory : callable
        Without arguments.
    name, option : str
        As `factory_of` takes them, for errors.
    where : str
        Words for errors: where it is made.

    Raises
    ------
    UsageError
        When it fails, with the factory's own error, or gives something else.
    """
    try:
        model = factory()
    except Exception as error:
        raise UsageError(
            f"{option} {name} cannot be built{where}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(model, nn.Module):
        raise UsageError(f"{option} {name} gives {type(model).__name__}, not a module of torch")
    return model
