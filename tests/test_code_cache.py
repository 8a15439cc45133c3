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
    import sys
    import initperf.activations
    from initperf import cli, kernels
    from initperf.jit.policy import CODE_CACHE
    norm = kernels.KERNELS["squared_norm"]
    kernels.KERNELS._entries.clear()
    kernels.KERNELS.register("norm", norm, aliases=())
    assert cli.main(["warmup"]) == 0
    print(len(list(CODE_CACHE.rglob("squared_norm*.nbc"))))
    """
    found = child.run(code, INITPERF_CACHE=str(tmp_path), **JIT)
    assert "1 kernels ready" in found
    assert found.split()[-1] == "2"  # float32 and float64
