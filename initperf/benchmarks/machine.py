"""What a measurement was taken on: processor, threads, libraries, and how busy it all was."""

import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PASSING = ("load", "date", "git commit")
"""Keys of `describe` that differ between measurements on one and the same machine."""

_PACKAGES = ("initperf", "numpy", "scipy", "numba", "llvmlite")


def describe() -> dict[str, str]:
    """Describe the machine and the software that timings depend on.

    Neither starts Numba's threading layer nor changes a thread pool.

    Returns
    -------
    dict of str to str
        What a table of the machine shows, in its order. Facts that the system does not tell are
        ``"unknown"``.
    """
    facts = {
        "processor": _processor(),
        "SIMD of NumPy": _numpy_simd(),
        "SIMD of LLVM": _llvm_simd(),
        "cores": str(os.cpu_count() or "unknown"),
        "usable cores": _usable_cores(),
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load": _load(),
        "Numba threading layer": _threading_layer(),
        **_blas_pools(),
        **{package: _version(package) for package in _PACKAGES},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    commit = _commit(Path(__file__).parents[2])
    return facts | ({"git commit": commit} if commit else {})


def busy(seconds: float = 0.1, allowed: float = 0.1) -> str | None:
    """Say whether others use the processor now, in which case timings mean less.

    Parameters
    ----------
    seconds : float
        How long to watch; this process sleeps meanwhile.
    allowed : float
        The share of all cores' time that may be in use without a warning.

    Returns
    -------
    str or None
        One line of warning, or None when the machine is quiet or does not tell (it tells on
        Linux by /proc/stat, elsewhere by the load average of the last minute).
    """
    before = _stat()
    if before:
        time.sleep(seconds)
        share = share_in_use(before, _stat())
    elif hasattr(os, "getloadavg"):
        share = os.getloadavg()[0] / (os.cpu_count() or 1)
    else:
        return None
    if share <= allowed:
        return None
    return f"the machine is busy: {share:.0%} of its processor time is in use by others"


def share_in_use(before: str, after: str) -> float:
    """Return the share of all cores' time between two readings of /proc/stat that was not idle.

    Time that a hypervisor gave to other guests ("steal") counts as in use.
    """
    old, new = (
        [int(ticks) for ticks in reading.split("\n", 1)[0].split()[1:9]]
        for reading in (before, after)
    )
    spent = [later - earlier for earlier, later in zip(old, new, strict=True)]
    idle = spent[3] + spent[4]
    return 1 - idle / sum(spent) if sum(spent) else 0.0


def _stat() -> str:
    try:
        return Path("/proc/stat").read_text()
    except OSError:
        return ""


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().split("\n", 1)[0].strip() or "unknown"
    except OSError:
        return "unknown"


def _output(*command: str) -> str:
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _processor() -> str:
    if platform.system() == "Linux":
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    elif platform.system() == "Darwin" and (brand := _output("sysctl", "-n", _BRAND)):
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


def _usable_cores() -> str:
    if hasattr(os, "sched_getaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        cores = f"{len(usable)} ({ranges(usable)})"
    else:
        cores = str(os.cpu_count() or "unknown")
    quota, _, period = _first_line("/sys/fs/cgroup/cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        return f"{cores}, of which a quota allows {int(quota) / int(period):g}"
    return cores


def ranges(numbers: Sequence[int]) -> str:
    """Write rising numbers as Linux writes lists of processors: 0-3,8."""
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
    """Name the BLAS of NumPy and of SciPy: their wheels bring one each, a system shares one."""
    import scipy.linalg  # noqa: F401 - loads both pools
    from threadpoolctl import threadpool_info

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


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _commit(root: Path) -> str:
    """Return the commit of initperf's own checkout, or nothing when it is installed elsewhere."""
    if not (root / ".git").exists() or not (root / "pyproject.toml").is_file():
        return ""
    commit = _output("git", "-C", str(root), "rev-parse", "--short=12", "HEAD")
    changed = _output("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with changes" if commit and changed else commit
