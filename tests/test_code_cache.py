"""The cache of machine code: shared by processes, apart by source and settings, without a home."""

import child
import pytest

SUM = """
import numpy as np
from initperf.kernels import KERNELS
from initperf.jit.policy import CODE_CACHE
total = np.zeros(1)
KERNELS["squared_norm"]["numba"](np.full(1000, 2.0, np.float32), total)
print(CODE_CACHE, total[0], sum(KERNELS["squared_norm"].numba.stats.cache_hits.values()))
"""
JIT = {"NUMBA_DISABLE_JIT": "0"}


@pytest.mark.slow
def test_processes_that_compile_at_once_do_not_harm_each_other(tmp_path):
    known = JIT | {"INITPERF_CACHE": str(tmp_path)}
    racing = [child.start(SUM, **known) for _ in range(4)]
    for process in racing:
        assert child.output(process).split()[1] == "4000.0"
    directory, total, hits = child.run(SUM, **known).split()
    assert (total, hits) == ("4000.0", "1")
    assert directory.startswith(str(tmp_path))


@pytest.mark.slow
def test_without_a_home_that_can_be_written_the_cache_is_among_temporary_files(tmp_path):
    # a path below a file cannot be made, not even by the superuser
    nowhere = tmp_path / "file"
    nowhere.touch()
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"), str(nowhere / "home"))
    known = JIT | homes | {"INITPERF_CACHE": "", "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
    directory, total, _ = child.run(SUM, **known).split()
    assert total == "4000.0"
    assert directory.startswith(str(tmp_path / "initperf-"))
    assert child.run(SUM, **known).split()[2] == "1"
    told = (
        "from initperf.benchmarks.doctor import examine\n"
        "for one in examine():\n print(one.check, one.found)"
    )
    assert "the home cannot be written" in child.run(told, **known)


@pytest.mark.slow
def test_other_settings_of_the_compiler_have_a_directory_of_their_own(tmp_path):
    code = "from initperf.jit.policy import CODE_CACHE; print(CODE_CACHE)"
    known = {"INITPERF_CACHE": str(tmp_path)}
    usual = child.run(code, **known, NUMBA_OPT="3")
    assert child.run(code, **known, NUMBA_OPT="3") == usual
    assert child.run(code, **known, NUMBA_OPT="1") != usual
    assert child.run(code, **known, NUMBA_BOUNDSCHECK="1") != usual


@pytest.mark.slow
def test_warm_up_fills_the_cache(tmp_path):
    code = """
    from initperf import cli
    from initperf.jit.policy import CODE_CACHE
    assert cli.main(["warmup", "squared_norm", "Squared-Norm", "transpose"]) == 0
    print(*(len(list(CODE_CACHE.rglob(f"{name}*.nbc"))) for name in ("squared_norm", "transpose")))
    """
    known = JIT | {"INITPERF_CACHE": str(tmp_path), "INITPERF_NUM_THREADS": "2"}
    process = child.start(code, **known)
    found = child.output(process)
    assert "2 kernels ready" in found
    assert found.split()[-2:] == ["2", "2"]  # float32 and float64
    again = child.start(code, **known)
    assert "2 kernels ready" in again.communicate(timeout=child.TIMEOUT_SECONDS)[0]


@pytest.mark.slow
def test_warm_up_says_what_it_will_cost(tmp_path):
    code = """
    import sys
    from initperf import cli
    from initperf.jit.policy import CODE_CACHE
    if len(sys.argv) > 1:  # as if the sources were others when it was compiled
        other = CODE_CACHE.with_name("other")
        other.mkdir()
        (other / "warmup-transpose.seconds").write_text("2.5", encoding="utf-8")
    sys.stdout = sys.stderr
    assert cli.main(["warmup", "transpose"]) == 0
    """
    known = JIT | {"INITPERF_CACHE": str(tmp_path), "INITPERF_NUM_THREADS": "1"}
    first, second = (
        child.start(code, *words, **known).communicate(timeout=child.TIMEOUT_SECONDS)[1]
        for words in (["known"], [])
    )
    assert first.startswith(
        "initperf: 1 of 1 kernels to compile, about 2 s of processor time, in 1 process\n"
    )
    assert "to compile" not in second
