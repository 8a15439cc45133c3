"""Error rates of `initperf compare`: on unchanged code, and on a kernel made slower.

    python bench/validate_compare.py --tries 20
    python bench/validate_compare.py --tries 5 --slow fill_normal=15

A try is two sessions of ``pytest --benchmark``, each a process of its own, and their comparison;
with ``--slow`` the kernel repeats so many percent of its work in the second. Run it from the root
of a checkout, on a machine that does nothing else.
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SELECTION = "(fill and normal and 784x256 and float32) or control"
_SLOWED = "INITPERF_SLOWED"


def pytest_configure() -> None:
    """Make the kernel slower that the environment names; this file is a plugin of the sessions."""
    from initperf import KERNELS

    name, _, percent = os.environ.get(_SLOWED, "").partition("=")
    if not name:
        return
    kernel = KERNELS[name]
    right = kernel.numba

    def slowed(out: Any, *rest: Any) -> None:
        right(out[: round(out.size * float(percent) / 100)], *rest)
        right(out, *rest)

    object.__setattr__(kernel, "numba", slowed)


def _session(selection: str, slowed: str, file: Path) -> None:
    words = ("-m", "pytest", "-p", Path(__file__).stem, "--benchmark", "-k", selection, "-q")
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, *words, f"--benchmark-json={file}"],
        env=os.environ | {_SLOWED: slowed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the session failed:\n{done.stdout}\n{done.stderr}")


def _tries(count: int, selection: str, slowed: str) -> Iterator[Any]:
    from initperf.benchmarks.regressions import compare_files

    with tempfile.TemporaryDirectory() as directory:
        old, new = (Path(directory, name) for name in ("old.json", "new.json"))
        for _ in range(count):
            _session(selection, "", old)
            _session(selection, slowed, new)
            yield compare_files(old, new)


def main() -> None:
    """Print each try, and the counts of exit codes and of changes found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--select", default=_SELECTION, help="benchmarks, as pytest -k takes them")
    parser.add_argument("--slow", default="", metavar="KERNEL=PERCENT")
    arguments = parser.parse_args()
    codes: collections.Counter[int] = collections.Counter()
    verdicts: collections.Counter[tuple[str, str]] = collections.Counter()
    for found in _tries(arguments.tries, arguments.select, arguments.slow):
        table = found.table
        codes[found.exit_code] += 1
        kinds = [
            "slowed" if arguments.slow.partition("=")[0] in name and arguments.slow else "unchanged"
            for name in table["benchmark"]
        ]
        verdicts.update(zip(kinds, table["verdict"], strict=True))
        changed = table[table["verdict"].isin(["regressed", "improved"])]
        rows = ", ".join(f"{r.benchmark} x {r.time_ratio:.2f}" for r in changed.itertuples())
        print(f"exit {found.exit_code}; {found.noise}; changed: {rows or 'none'}", flush=True)
    print("exit codes:", ", ".join(f"{code}: {n}" for code, n in sorted(codes.items())))
    for (kind, verdict), number in sorted(verdicts.items()):
        print(f"{kind} {verdict}: {number}")


if __name__ == "__main__":
    main()
