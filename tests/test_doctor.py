import json
import os

import pytest

from initperf import cli
from initperf.benchmarks import doctor
from initperf.benchmarks.doctor import CHECKS, Finding, System, examine, members
from initperf.jit.stored_code import store

QUIET = "cpu  100 0 0 900 0 0 0 0 0 0\n"
BUSY = "cpu  160 0 0 940 0 0 0 0 0 0\n"
STOLEN = "cpu  100 0 0 990 0 0 0 10 0 0\n"
CPU = "sys/devices/system/cpu"
KEPT = "{} functions of this very source and these versions in the cache"


@pytest.fixture
def system(tmp_path):
    """Give a function that makes a system of these files; of those with two texts, the second
    is there after a wait."""

    def made(**files):
        later = {}
        files = {"proc/self/status": "Cpus_allowed_list:\t0-3\n"} | files.pop("files", {})
        for path, text in files.items():
            first, *rest = [text] if isinstance(text, str) else text
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(first)
            later.update(zip([path] * len(rest), rest, strict=True))

        def sleep(seconds):
            for path, text in later.items():
                (tmp_path / path).write_text(text)

        return System(tmp_path, sleep)

    return made


def found(check, system):
    """Return what a check found: statuses, all words, all advice."""
    results = list(CHECKS[check](system))
    statuses = [status for status, _, _ in results]
    return statuses, " ".join(words for _, words, _ in results), "; ".join(r[2] for r in results)


CASES = [
    ("governor", {}, ["note"], "unknown to the system", ""),
    ("governor", {f"{CPU}/cpu0/cpufreq/scaling_governor": "performance\n"}, ["ok"], "perf", ""),
    (
        "governor",
        {f"{CPU}/cpu{i}/cpufreq/scaling_governor": g for i, g in enumerate(["powersave"] * 2)},
        ["warning"],
        "powersave",
        "cpupower frequency-set -g performance",
    ),
    ("turbo", {}, ["note"], "unknown to the system", ""),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": "1"}, ["ok"], "off", ""),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": "0"}, ["note"], "on:", "echo 1 | sudo tee"),
    ("turbo", {f"{CPU}/cpufreq/boost": "1"}, ["note"], "on:", "echo 0 | sudo tee"),
    ("turbo", {f"{CPU}/cpufreq/boost": "0"}, ["ok"], "off", ""),
    ("heat", {}, [], "", ""),
    ("heat", {f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "0"}, ["ok"], "never", ""),
    ("heat", {f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "12"}, ["note"], "12", "cool"),
    (
        "time_source",
        {"sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet"},
        ["warning"],
        "hpet",
        "TSC",
    ),
    (
        "time_source",
        {"sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n"},
        ["ok"],
        "tsc",
        "",
    ),
    ("affinity", {f"{CPU}/online": "0-7\n"}, ["note"], "4 of 8", "taskset"),
    ("affinity", {f"{CPU}/online": "0-3\n"}, ["ok"], "all 4", ""),
    ("affinity", {"proc/self/status": "Cpus_allowed_list: 2\n"}, ["warning"], "2 thr", "THREADS=1"),
    (
        "siblings",
        {
            f"{CPU}/cpu{i}/topology/thread_siblings_list": "0,2" if i % 2 == 0 else "1,3"
            for i in range(4)
        },
        ["note"],
        "4 processors are threads of 2 cores",
        "taskset -c 0,1",
    ),
    (
        "siblings",
        {f"{CPU}/cpu{i}/topology/thread_siblings_list": str(i) for i in range(4)},
        ["ok"],
        "core of its own",
        "",
    ),
    ("quota", {"proc/self/cgroup": "0::/\n"}, ["ok"], "no quota", ""),
    (
        "quota",
        {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n"},
        ["warning"],
        "allows 1.5",
        "INITPERF_NUM_THREADS=1",
    ),
    (
        "quota",
        {
            "proc/self/cgroup": "0::/a\n",
            "sys/fs/cgroup/a/cpu.max": "max 100000\n",
            "sys/fs/cgroup/a/cpu.stat": "nr_periods 100\nnr_throttled 30\n",
        },
        ["ok", "warning"],
        "30 of 100",
        "raise",
    ),
    (
        "quota",
        {
            "proc/self/cgroup": "4:memory:/\n1:cpu,cpuacct:/box\n",
            "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "50000",
            "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000",
        },
        ["warning"],
        "allows 0.5",
        "INITPERF_NUM_THREADS=1",
    ),
    (
        "quota",
        {
            "proc/self/cgroup": "1:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        },
        ["ok"],
        "no quota",
        "",
    ),
    ("load", {}, [], "", ""),
    ("load", {"proc/stat": [QUIET, BUSY]}, ["warning"], "60%", "top"),
    ("load", {"proc/stat": [QUIET, "cpu  101 0 0 999 0 0 0 0\n"]}, ["ok"], "1%", ""),
    ("steal", {"proc/stat": [QUIET, STOLEN]}, ["warning"], "10.0%", "another hour"),
    ("steal", {"proc/stat": [STOLEN.replace(" 10 ", " 40 ")] * 2}, ["note"], "0.0%", ""),
    ("steal", {"proc/stat": [QUIET, BUSY]}, ["ok"], "0.00%", ""),
    ("virtual_machine", {"proc/cpuinfo": "flags\t: fpu hypervisor\n"}, ["note"], "virtual", ""),
    ("virtual_machine", {"proc/cpuinfo": "flags\t: fpu avx2\n"}, ["ok"], "none", ""),
    ("virtual_machine", {}, [], "", ""),
]


@pytest.mark.parametrize(("check", "files", "statuses", "words", "advice"), CASES)
def test_a_system_is_told_by_its_files(system, monkeypatch, check, files, statuses, words, advice):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    got = found(check, system(files=files))
    assert got[0] == statuses
    assert words in got[1]
    assert advice in got[2]
    assert advice or "warning" not in statuses


def test_threads_beyond_the_cores_are_warned_of(system, monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "4")
    lists = {
        f"{CPU}/cpu{i}/topology/thread_siblings_list": f"{i % 2},{i % 2 + 2}" for i in range(4)
    }
    assert found("siblings", system(files=lists))[0] == ["warning"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", set()), ("0", {0}), ("0-2,5\n", {0, 1, 2, 5}), ("3,1", {1, 3})],
)
def test_lists_of_processors_are_read(text, numbers):
    assert members(text) == numbers


def test_pools_larger_than_the_machine_are_warned_of(system, monkeypatch):
    pool = {"user_api": "blas", "internal_api": "openblas", "version": "1", "num_threads": 8}
    for threads, count, status in ((8, 1, "warning"), (2, 2, "note"), (1, 2, "ok")):
        pools = [{**pool, "num_threads": threads}] * count
        monkeypatch.setattr("threadpoolctl.threadpool_info", lambda pools=pools: pools)
        statuses, words, _ = found("blas_pools", system())
        assert statuses == [status]
        assert f"openblas 1 with {threads} threads" in words


@pytest.mark.parametrize(
    ("library", "variable"),
    [
        ("openblas", "OPENBLAS_NUM_THREADS"),
        ("mkl", "MKL_NUM_THREADS"),
        ("other", "OMP_NUM_THREADS"),
    ],
)
def test_the_advice_on_pools_is_in_the_librarys_own_words(system, monkeypatch, library, variable):
    pool = {"user_api": "blas", "internal_api": library, "version": "1", "num_threads": 8}
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: [pool])
    _, _, advice = found("blas_pools", system())
    assert advice.startswith(f"{variable}=")


def test_a_slow_compiler_is_warned_of(system, monkeypatch):
    monkeypatch.setattr("numba.config.OPT", 0)
    monkeypatch.setattr("numba.config.BOUNDSCHECK", 1)
    statuses, words, advice = found("compiler", system())
    assert set(statuses) == {"warning"}
    assert "NUMBA_OPT=0" in words
    assert "unset NUMBA_BOUNDSCHECK" in advice


def test_variables_of_threads_and_instructions_are_named(system, monkeypatch):
    monkeypatch.setattr("os.environ", {})
    assert found("environment", system())[0] == ["ok"]
    monkeypatch.setattr("os.environ", {"OMP_NUM_THREADS": "3", "NUMBA_OPT": "3"})
    statuses, words, _ = found("environment", system())
    assert (statuses, words) == (["note"], "OMP_NUM_THREADS=3")
    monkeypatch.setattr("os.environ", {"OPENBLAS_CORETYPE": "Haswell", "NUMBA_CPU_NAME": ""})
    statuses, words, advice = found("environment", system())
    assert statuses == ["note"]
    assert words.startswith("OPENBLAS_CORETYPE=Haswell: ")
    assert advice.startswith("unset")


def test_what_other_sources_left_is_counted(system, monkeypatch, tmp_path):
    mine, other = tmp_path / "code" / "mine", tmp_path / "code" / "other"
    for directory in (mine, other):
        directory.mkdir(parents=True)
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", mine)
    (other / "f.nbc").write_bytes(bytes(2_000_000))
    statuses, words, advice = found("stale_caches", system())
    assert statuses[0] == "note"
    assert "1 directories of other sources or versions, 2 MB" in words
    assert str(mine) in advice
    assert found("compiled_kernels", system())[2] == "initperf warmup"
    store(mine / "g.nbc", b"code")
    assert found("compiled_kernels", system())[:2] == (["ok"], KEPT.format(1))


def test_damaged_code_is_warned_of(system, monkeypatch, tmp_path):
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", tmp_path)
    for name in "fgh":
        store(tmp_path / f"{name}.nbc", b"code")
    (tmp_path / ".f~initperf-0.nbc").write_bytes(b"")  # what is being written
    assert found("compiled_kernels", system())[:2] == (["ok"], KEPT.format(3))
    (tmp_path / "g.nbc").write_bytes((tmp_path / "f.nbc").read_bytes())
    statuses, words, advice = found("compiled_kernels", system())
    assert statuses == ["warning"]
    assert "1 of 3 files are damaged: g.nbc fails its checksum" in words
    assert advice == "initperf warmup"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_cache_that_others_can_write_is_warned_of(system, monkeypatch, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", shared / "code" / "digest")
    statuses, words, advice = found("compiled_kernels", system())
    assert statuses == ["warning"]
    assert words.startswith(f"{shared} can be written by others: compiled code is neither loaded")
    assert "chmod go-w" in advice


def test_a_cache_that_cannot_be_written_or_is_missing_is_warned_of(system, monkeypatch, tmp_path):
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", tmp_path / "missing")
    assert found("cache_directory", system())[0] == ["warning"]
    assert found("compiled_kernels", system())[0] == ["note"]
    assert found("stale_caches", system())[0]
    monkeypatch.setattr("initperf.jit.policy.CODE_CACHE", tmp_path)
    assert found("cache_directory", system())[0] == ["ok"]
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    statuses, words, advice = found("cache_directory", system())
    assert statuses == ["warning"]
    assert "cannot be written" in words
    assert "INITPERF_CACHE" in advice


@pytest.mark.slow
def test_the_own_machine_is_examined_without_error():
    findings = list(examine())
    assert {finding.check for finding in findings} <= set(CHECKS)
    assert all(finding.found for finding in findings)


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("note", 0), ("warning", 4)])
def test_the_exit_code_tells_whether_timings_mislead(capsys, monkeypatch, status, code):
    finding = Finding("load", status, "words", "do this")
    monkeypatch.setattr(doctor, "examine", lambda: iter([finding]))
    assert cli.main(["doctor", "--json"]) == code
    assert json.loads(capsys.readouterr().out)[0]["advice"] == "do this"
    assert cli.main(["doctor"]) == code
    captured = capsys.readouterr()
    assert "→ do this" in captured.out
    assert captured.err.count("\n") == (code == 4)
    assert ("1 of 1 checks warns of wrong timings" in captured.err) == (code == 4)
