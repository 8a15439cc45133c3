"""Command and environment of Python processes that import nothing from the working directory.

``python -m`` puts the working directory first on the path of imports, so that a file of the name
of any module there would be run in its place.
"""

import os
import sys
from pathlib import Path


def python_command(*arguments: str) -> list[str]:
    """Return the command of a Python process, without the working directory on its path.

    Parameters
    ----------
    *arguments : str
        Arguments of Python, such as ``"-m"`` and a module.
    """
    return [sys.executable, "-P", *arguments]


def python_environment(**changes: str) -> dict[str, str]:
    """Return an environment in which this very package is imported.

    Empty entries of ``PYTHONPATH``, which would be the working directory, are left out.

    Parameters
    ----------
    **changes : str
        Variables to set.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, given)])
    return os.environ | {"PYTHONPATH": path} | changes
