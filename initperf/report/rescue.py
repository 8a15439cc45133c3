"""Measurements of a report that could not be written, kept where ``--from`` reads them."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from initperf._core.storage import cache_directory

if TYPE_CHECKING:
    import pandas as pd

_PLACES: tuple[Callable[[], str], ...] = (
    tempfile.gettempdir,
    lambda: str(cache_directory("reports")),
)


def keep_tables(tables: "Mapping[str, pd.DataFrame]") -> Path | None:
    """Write tables as a report holds them into a new directory of temporary files, or the cache.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame

    Returns
    -------
    pathlib.Path or None
        The directory, which ``initperf report --from`` reads; None where none can be written.
    """
    for place in _PLACES:
        with contextlib.suppress(OSError):
            directory = Path(tempfile.mkdtemp(prefix="initperf-report-", dir=place()))
            try:
                _write(tables, directory / "tables")
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
            return directory
    return None


def _write(tables: "Mapping[str, pd.DataFrame]", directory: Path) -> None:
    import pandas as pd

    directory.mkdir()
    for name, table in tables.items():
        mixed = [
            column
            for column in table
            if pd.api.types.infer_dtype(table[column], skipna=True).startswith("mixed")
        ]
        path = directory / f"{name}.parquet"
        table.astype(dict.fromkeys(mixed, str)).to_parquet(path, index=False)
