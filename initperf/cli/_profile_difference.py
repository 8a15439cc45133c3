"""``initperf profile compare``: the difference of two profiles as tables and flame graphs."""

import argparse
from pathlib import Path

from initperf._core.text import one_line
from initperf.cli._output import show, show_json
from initperf.errors import UsageError

_SHOWN = 20


def add_comparison(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``compare``."""
    parser.add_argument("before", metavar="BEFORE", help="directory of a profile")
    parser.add_argument("after", metavar="AFTER", help="directory of a later one")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--out", metavar="DIR", default="profile", help="where difference.html and .json go"
    )


def check_directory(directory: Path) -> None:
    """Check that files can be written to a directory.

    Raises
    ------
    UsageError
        When there is a file of its name.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"--out must be a directory, and {directory} is none")


def compare_profiles(arguments: argparse.Namespace) -> None:
    """Print the functions that changed and write the files."""
    directory = Path(arguments.out)
    check_directory(directory)

    from initperf.profiling.difference import read_profile
    from initperf.profiling.difference_page import as_json, write_difference

    before, after = read_profile(Path(arguments.before)), read_profile(Path(arguments.after))
    try:
        written = write_difference(before, after, directory)
    except OSError as error:
        raise UsageError(f"{directory} cannot be written: {error}") from None
    found = as_json(before, after)
    if arguments.json:
        show_json(found)
        return
    ratio = after.call_s / before.call_s
    print(f"a warm call of {after.title}: {before.call_s:.4g} s before, {after.call_s:.4g} s after")
    print(f"{ratio:.3g} times as long; samples: {len(before.samples)} and {len(after.samples)}")
    print()
    show(found["functions"][:_SHOWN], as_json=False)
    print("\nNotes")
    for note in found["notes"]:
        print(f"- {note}")
    print(f"\nwrote {one_line(', '.join(map(str, written)))}")
