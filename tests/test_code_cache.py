"""The cache of machine code: shared by processes, apart by source and settings, without a home."""

import os

import child
import pytest

from initperf._core import storage
from initperf.jit.stored_code import store

SUM = """
import numpy as np
from initperf.kernels import KERNELS
from initperf.jit.policy import CODE_CACHE
total = np.zeros(1)
KERNELS["squared_norm"]["numba"](np.full(1000, 2.0, np.float32), total)
print(CODE_CACHE, total[0], sum(KERNELS["squared_norm"].numba.stats.cache_hits.values()))
"""
JIT = {"NUMBA_DISABLE_JIT": "0"}
unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions and limits")


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


TINY = """
import sys
import numpy as np
import tiny
from initperf.jit import jit
from initperf.jit.policy import CODE_CACHE
PREPARED
kernel = jit(tiny.total)
print(kernel(np.arange(5.0)), sum(kernel.stats.cache_hits.values()), CODE_CACHE)
"""


@pytest.fixture
def tiny(tmp_path):
    """Give a function that runs a small kernel in a process of its own.

    It returns the words that it printed, the sum, the number of loads and the cache's place, and
    the lines on standard error.
    """
    (tmp_path / "tiny.py").write_text(
        "def total(values):\n"
        "    result = 0.0\n"
        "    for value in values:\n"
        "        result += value\n"
        "    return result\n"
    )

    def run(prepared="", **environment):
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{TINY}"
        known = JIT | {"INITPERF_CACHE": str(tmp_path / "cache")} | environment
        process = child.start(code.replace("PREPARED", prepared), **known)
        printed, said = process.communicate(timeout=child.TIMEOUT_SECONDS)
        assert process.returncode == 0, said
        return printed.split(), said.splitlines()

    return run


def code_files(directory):
    return sorted(directory.rglob("*.nbc"))


def test_code_is_loaded_where_all_is_well(tiny, tmp_path):
    assert tiny()[0][:2] == ["10.0", "0"]
    (kept,) = code_files(tmp_path)
    assert (kept.stat().st_mode & 0o022) == 0
    printed, said = tiny()
    assert (printed[:2], said) == (["10.0", "1"], [])
    assert code_files(tmp_path) == [kept]


@pytest.mark.slow
def test_a_damaged_file_is_one_line_on_standard_error_once(tiny, tmp_path):
    tiny()
    (kept,) = code_files(tmp_path)
    kept.write_bytes(b"")
    printed, (line,) = tiny()
    assert printed[:2] == ["10.0", "0"]
    assert line.startswith("initperf: ")
    assert "damaged files of compiled code are dropped, compiled anew" in line
    printed, said = tiny()
    assert (printed[:2], said) == (["10.0", "1"], [])


@pytest.mark.slow
def test_a_whole_file_that_holds_something_else_is_dropped_too(tiny, tmp_path):
    """Such as a class that was renamed since: its checksum is right."""
    tiny()
    (kept,) = code_files(tmp_path)
    for content in (b"no pickle", b"cnumba\nno_such_name\n.", b"\x80\x04N."):
        store(kept, content)
        printed, (line,) = tiny()
        assert printed[:2] == ["10.0", "0"]
        assert "dropped" in line
        assert tiny()[0][:2] == ["10.0", "1"]


@pytest.mark.slow
@unix
def test_code_in_a_directory_that_others_can_write_is_not_run(tiny, tmp_path):
    tiny()
    (kept,) = code_files(tmp_path)
    ran = tmp_path / "ran"
    store(kept, f"cpathlib\nPath\n(V{ran}\ntR.".encode())  # as far as others could get
    (tmp_path / "cache").chmod(0o777)
    before = kept.read_bytes()
    printed, (line,) = tiny()
    assert printed[:2] == ["10.0", "0"]
    assert line == (
        "initperf: compiled code is neither loaded nor kept: "
        f"{tmp_path / 'cache'} can be written by others; initperf doctor says more"
    )
    assert kept.read_bytes() == before


@pytest.mark.slow
@unix
def test_a_file_of_another_user_is_not_run(tiny, tmp_path):
    tiny()
    (kept,) = code_files(tmp_path)
    kept.chmod(0o666)
    printed, (line,) = tiny()
    assert printed[:2] == ["10.0", "0"]
    assert line == f"initperf: compiled code is not loaded: {kept} can be written by others"


@unix
@pytest.mark.slow
def test_under_a_loose_umask_the_cache_is_still_nobody_elses(tiny, tmp_path):
    loose = "import os; os.umask(0)\n"
    code = f"{loose}import initperf.jit"
    child.run(code, INITPERF_CACHE=str(tmp_path / "cache"), **JIT)
    tiny("import os; os.umask(0)")
    printed, said = tiny()
    assert (printed[:2], said) == (["10.0", "1"], [])


@unix
@pytest.mark.slow
def test_a_warm_cache_that_is_read_only_is_used(tiny, tmp_path):
    tiny()
    refused = """
import os
from initperf.jit import stored_code
def refuse(*arguments, **keywords):
    raise OSError(30, "Read-only file system")
stored_code.os.open, real = (lambda path, flags, *mode:
    refuse() if flags & os.O_CREAT else real(path, flags, *mode)), os.open
    """
    printed, said = tiny(refused)
    assert (printed[:2], said) == (["10.0", "1"], [])
    printed, (line,) = tiny(refused + "\njit(tiny.total)(np.arange(5))")
    assert printed[:2] == ["10.0", "1"]
    assert "cannot be written (Read-only file system)" in line


def test_the_read_only_cache_of_a_user_goes_before_that_of_temporary_files(tmp_path, monkeypatch):
    monkeypatch.delenv("INITPERF_CACHE", raising=False)
    monkeypatch.setattr(storage.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(storage, "cache_directory", lambda *parts: tmp_path.joinpath("tmp", *parts))
    assert storage.code_directory("digest") == tmp_path / "tmp" / "code" / "digest"
    filled = tmp_path / "initperf" / "code" / "digest"
    filled.mkdir(parents=True)
    assert storage.code_directory("digest") == tmp_path / "tmp" / "code" / "digest"
    (filled / "kernel.nbc").touch()
    assert storage.code_directory("digest") == filled


@pytest.mark.slow
@unix
def test_a_full_disk_is_one_line(tiny, tmp_path):
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    printed, (line,) = tiny(full)
    assert printed[:2] == ["10.0", "0"]
    assert "cannot be written (File too large)" in line
    assert [path for path in tmp_path.rglob("*nbc*") if path.is_file()] == []


@pytest.mark.slow
def test_a_place_that_cannot_be_made_is_one_line(tiny, tmp_path):
    (tmp_path / "file").touch()
    printed, (line,) = tiny(INITPERF_CACHE=str(tmp_path / "file" / "cache"))
    assert printed[:2] == ["10.0", "0"]
    assert "cannot be written" in line


@pytest.mark.slow
def test_the_code_of_a_function_without_a_file_is_not_kept(tmp_path):
    code = """
    import numpy as np
    from initperf.jit import jit
    space = {}
    exec("def double(x): return 2 * x", space)
    print(jit(space["double"])(2.0))
    """
    assert child.run(code, INITPERF_CACHE=str(tmp_path), **JIT) == "4.0\n"
    assert code_files(tmp_path) == []


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
        "initperf: 1 of 1 kernel to compile, about 2 s of processor time, in 1 process\n"
    )
    assert "to compile" not in second


@pytest.mark.slow
def test_the_time_of_loading_a_kernel_is_not_taken_for_that_of_compiling_it(tmp_path):
    code = """
    import sys
    from initperf import cli
    from initperf.jit.policy import CODE_CACHE
    from initperf.kernels import KERNELS
    if len(sys.argv) == 1:
        for case in KERNELS["squared_norm"].cases():
            KERNELS["squared_norm"]["numba"](*case.arguments())
    else:
        assert cli.main(["warmup", "squared_norm", "transpose"]) == 0
        names = "squared_norm", "transpose"
        print(*((CODE_CACHE / f"warmup-{name}.seconds").read_text() != "" for name in names))
    """
    known = JIT | {"INITPERF_CACHE": str(tmp_path), "INITPERF_NUM_THREADS": "1"}
    child.run(code, **known)
    found = child.output(child.start(code, "warmup", **known))
    assert "2 kernels ready" in found
    assert found.split()[-2:] == ["False", "True"]


ADDRESSES = """
import sys
import numpy as np
from initperf import ACTIVATIONS
from initperf.kernels import KERNELS
from initperf.kernels.activate import ACTIVATE, activation_variant

chosen = [ACTIVATIONS[name] for name in sys.argv[1:]]
for activation in chosen:
    arrays = np.zeros((3, 8), np.float32)
    KERNELS["activate"].numba(activation, *arrays, np.zeros(0), np.zeros(1))
variants = [activation_variant(activation, False) for activation in chosen]
print(len({ACTIVATE.address(variant, np.dtype(np.float32)) for variant in variants}))
"""


@pytest.mark.slow
def test_functions_that_two_processes_compiled_are_two(tmp_path):
    """Each compiles one closure of a function as its first; a third process loads both."""
    surroundings = {"INITPERF_CACHE": str(tmp_path), "PYTHONHASHSEED": "0"}
    for names in (["relu"], ["elu"], ["relu", "elu"]):
        assert child.run(ADDRESSES, *names, **surroundings).split() == [str(len(names))]
