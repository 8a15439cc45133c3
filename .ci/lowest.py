"""Constraints of pip that pin each dependency to the lowest version that pyproject.toml declares.

``python .ci/lowest.py FILE`` writes them for the package and its extras ``suite`` and ``dev``.
"""

import re
import sys
import tomllib
from pathlib import Path

_DECLARED = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?>=(?P<version>[\w.]+)")


def constraints(project: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return ``name==version`` for each ``name>=version``.

    Parameters
    ----------
    project : dict
        The table ``project`` of pyproject.toml.
    """
    extras = project["optional-dependencies"]
    found = map(_DECLARED.match, [*project["dependencies"], *extras["suite"], *extras["dev"]])
    return [f"{one['name']}=={one['version']}" for one in found if one]


if __name__ == "__main__":
    _declared = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())
    Path(sys.argv[1]).write_text("\n".join(constraints(_declared["project"])) + "\n")
