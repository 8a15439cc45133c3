"""People's own figure files, imported from a directory."""

import importlib.util
from pathlib import Path

from initperf.errors import UsageError


def import_figures(directory: Path) -> list[str]:
    """Import every Python file of a directory, each of which registers figures.

    Parameters
    ----------
    directory : pathlib.Path
        Names that begin with an underscore are left out.

    Returns
    -------
    list of str
        The files' names.

    Raises
    ------
    UsageError
        When there is no such directory, no file in it, or a file cannot be imported.
    """
    files = sorted(path for path in directory.glob("*.py") if not path.name.startswith("_"))
    if not files:
        raise UsageError(f"{directory} holds no figure files, which end with .py")
    for path in files:
        spec = importlib.util.spec_from_file_location(f"initperf_own_figures_{path.stem}", path)
        if spec is None or spec.loader is None:
            raise UsageError(f"{path} is no Python file")
        try:
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        except Exception as error:
            raise UsageError(
                f"the figure file {path} cannot be imported: {type(error).__name__}: {error}"
            ) from error
    return [path.name for path in files]
