"""``initperf profile compare``: the difference of two profiles as tables and flame graphs."""

import argparse
from pathlib import Path

from initperf.cli._output import explain, show, show_json
from initperf.cli._output_files import check_output_directory
from initperf.cli._profile_files import show_end, write

_SHOWN = 20


def add_comparison(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``compare``."""
    parser.add_argument("before", metavar="BEFORE", help="directory of a profile")
    parser.add_argument("after", metavar="AFTER", help="directory of a later one")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--out", metavar="DIR", default="profile", help="where difference.html and .json go"
    )


def compare_profiles(arguments: argparse.Namespace) -> None:
    """Print the functions that changed and write the files."""
    directory = Path(arguments.out)
    from initperf.profiling.difference import read_profile
    from initperf.profiling.difference_page import FILES, as_json, files

    check_output_directory("--out", directory, *FILES)
    before, after = read_profile(Path(arguments.before)), read_profile(Path(arguments.after))
    texts = files(before, after)
    write(texts, directory)
    found = as_json(before, after)
    if arguments.json:
        show_json(found)
        return
    ratio = after.call_s / before.call_s
    explain(
        f"a warm call of {after.title}: {before.call_s:.4g} s before, {after.call_s:.4g} s after"
    )
    explain(f"{ratio:.3g} times as long; samples: {len(before.samples)} and {len(after.samples)}")
    print()
    show(found["functions"][:_SHOWN], as_json=False)
    show_end(found["notes"], texts, directory)
