"""Directories of profiles: what the verb ``initperf profile`` writes, and says of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from initperf._core.storage import replacing
from initperf._core.text import one_line
from initperf.cli._output import explain
from initperf.errors import UsageError


def write(texts: Mapping[str, str], directory: Path) -> None:
    """Write files to a directory, made if it is missing, each whole or not at all.

    Parameters
    ----------
    texts : mapping of str to str
        By the name of the file.
    directory : pathlib.Path

    Raises
    ------
    UsageError
        When a file cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with replacing(directory / name) as temporary:
                temporary.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{directory} cannot be written: {error.strerror or error}") from None


def show_end(notes: Sequence[str], texts: Mapping[str, str], directory: Path) -> None:
    """Print notes and the paths of the files that were written.

    Parameters
    ----------
    notes : sequence of str
    texts : mapping of str to str
        By the name of the file.
    directory : pathlib.Path
    """
    print("\nNotes")
    for note in notes:
        explain(f"- {note}", indent=2)
    print(f"\nwrote {one_line(', '.join(str(directory / name) for name in texts))}")
