"""Description of the machine of a measurement: processor, threads, libraries, and its load."""

import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PASSING = ("load", "date", "git commit")
"""Keys of `describe` that differ between measurements on one and the same machine."""

_LOOKS = 3
"""Times in a row that the processor must be in use by others for a warning."""

_PACKAGES = ("initperf", "numpy", "scipy", "numba", "llvmlite")


def describe(root: Path = Path("/")) -> dict[str, str]:
    """Describe the machine and the software that timings depend on.

    Neither starts Numba's threading layer nor changes a thread pool.

    Parameters
    ----------
    root : pathlib.Path
        Directory of ``/proc`` and ``/sys``.

    Returns
    -------
    dict of str to str
        Facts in the order of a table of the machine; those that the system does not tell are
        ``"unknown"``.
    """
    facts = {
        "processor": _processor(root),
        "SIMD of NumPy": _numpy_simd(),
        "SIMD of LLVM": _llvm_simd(),
        "cores": str(os.cpu_count() or "unknown"),
        "usable cores": _usable_cores(root),
        "governor": _first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load": _load(),
        "Numba threading layer": _threading_layer(),
        **_blas_pools(),
        **{package: version_of(package) for package in _PACKAGES},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    commit = commit_of(Path(__file__).parents[2])
    return facts | ({"git commit": commit} if commit else {})


def busy(
    seconds: float = 0.1,
    allowed: float = 0.1,
    *,
    root: Path = Path("/"),
    sleep: Callable[[float], object] = time.sleep,
) -> str | None:
    """Return a warning when others use the processor now, in which case timings mean less.

    What ends while it is watched, such as the writing of files to disk, is no reason for one.

    Parameters
    ----------
    seconds : float
        How long to watch, and thrice as long if needed; this process sleeps meanwhile.
    allowed : float
        The share of all cores' time that may be in use without a warning.
    root : pathlib.Path
        Directory of ``/proc``.
    sleep : callable
        Waits for so many seconds.

    Returns
    -------
    str or None
        One line of warning, or None when the machine is quiet or its load is unknown. Linux
        gives it in /proc/stat, other systems as the load average of the last minute.
    """
    share = 0.0
    for _ in range(_LOOKS):
        before = _text(root / "proc/stat")
        if before:
            sleep(seconds)
            share = share_in_use(before, _text(root / "proc/stat"))
        elif hasattr(os, "getloadavg"):
            share = os.getloadavg()[0] / (os.cpu_count() or 1)
        if share <= allowed:
            return None
    return f"the machine is busy: {share:.0%} of its processor time is in use by others"


def share_in_use(before: str, after: str) -> float:
    """Return the share of all cores' time between two readings of /proc/stat that was not idle.

    Time that a hypervisor gave to other guests ("steal") counts as in use.

    Parameters
    ----------
    before, after : str
        Contents of the file.

    Returns
    -------
    float
    """
    old, new = (
        [int(ticks) for ticks in reading.split("\n", 1)[0].split()[1:9]]
        for reading in (before, after)
    )
    spent = [later - earlier for earlier, later in zip(old, new, strict=True)]
    idle = spent[3] + spent[4]
    return 1 - idle / sum(spent) if sum(spent) else 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _first_line(path: Path) -> str:
    return _text(path).split("\n", 1)[0].strip() or "unknown"


def output_of(*command: str) -> str:
    """Return what a command prints, stripped; nothing when it fails or is not there."""
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _processor(root: Path) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    if platform.system() == "Darwin" and (brand := output_of("sysctl", "-n", _BRAND)):
        return brand
    return platform.processor() or platform.machine() or "unknown"


_BRAND = "machdep.cpu.brand_string"


def _numpy_simd() -> str:
    import numpy as np

    simd: Any = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return " ".join([*simd.get("baseline", []), *simd.get("found", [])]) or "unknown"


def _llvm_simd() -> str:
    from llvmlite import binding

    from initperf.jit.vectors import host_features

    wide = ("neon", "sve", "sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bw")
    found = host_features()
    return " ".join([binding.get_host_cpu_name(), *(name for name in wide if name in found)])


def _usable_cores(root: Path) -> str:
    if hasattr(os, "sched_getaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        cores = f"{len(usable)} ({ranges(usable)})"
    else:
        cores = str(os.cpu_count() or "unknown")
    quota, _, period = _first_line(root / "sys/fs/cgroup/cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        return f"{cores}, of which a quota allows {int(quota) / int(period):g}"
    return cores


def ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers as Linux writes lists of processors: 0-3,8."""
    ends: list[list[int]] = []
    for number in numbers:
        if ends and number == ends[-1][-1] + 1:
            ends[-1] = [ends[-1][0], number]
        else:
            ends.append([number])
    return ",".join("-".join(map(str, pair)) for pair in ends)


def _load() -> str:
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def _threading_layer() -> str:
    import numba

    try:
        return f"{numba.threading_layer()}, {numba.get_num_threads()} threads"
    except ValueError:
        return f"not started (setting: {numba.config.THREADING_LAYER})"


def _blas_pools() -> dict[str, str]:
    """Return the BLAS of NumPy and of SciPy: wheels bring one each, a system shares one."""
    from threadpoolctl import threadpool_info

    importlib.import_module("scipy.linalg")  # loads both pools
    pools: dict[str, str] = {}
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            text = f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads"
            parts = Path(pool["filepath"]).parts
            owner = next((own for own in ("numpy", "scipy") if {own, f"{own}.libs"} & {*parts}), "")
            pools[owner] = f"{text}, {pool.get('architecture', 'unknown')} kernels"
    shared = pools.get("", "unknown")
    return {
        "BLAS of NumPy": pools.get("numpy", shared),
        "BLAS of SciPy": pools.get("scipy", shared),
    }


def version_of(package: str) -> str:
    """Return the version of an installed distribution, else ``"unknown"``."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def commit_of(root: Path, run: Callable[..., str] = output_of) -> str:
    """Return the commit of a checkout of initperf, or nothing where there is none.

    Parameters
    ----------
    root : pathlib.Path
        Directory of the checkout.
    run : callable
        Returns what a command prints, given as words.

    Returns
    -------
    str
    """
    if not (root / ".git").exists() or not (root / "pyproject.toml").is_file():
        return ""
    commit = run("git", "-C", str(root), "rev-parse", "--short=12", "HEAD")
    changed = run("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with changes" if commit and changed else commit
