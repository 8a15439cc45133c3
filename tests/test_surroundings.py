"""Bad surroundings of the command line: streams, environment variables and directories."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
MAIN = [sys.executable, "-m", "initperf"]


def run(words, *, shell=None, cwd=None, drop=(), **environment):
    """Return the finished process of a command line, or of a shell's around it as ``"$@"``."""
    known = {key: value for key, value in os.environ.items() if key not in drop}
    known |= {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    command = [*MAIN, *words]
    if shell is not None:
        command = ["bash", "-o", "pipefail", "-c", shell, "bash", *command]
    encoding = environment.get("PYTHONIOENCODING", "utf-8")
    return subprocess.run(command, env=known, cwd=cwd, capture_output=True, encoding=encoding)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_output_of_any_encoding(encoding):
    found = run(["list"], PYTHONIOENCODING=encoding)
    assert (found.returncode, found.stderr) == (0, "")
    assert "\\u221a" in found.stdout
    found = run(["list", "--json"], PYTHONIOENCODING=encoding)
    rows = {row["name"]: row for row in json.loads(found.stdout)}
    assert rows["glorot_uniform"]["formula"] == "U(±√(6/(n+m)))"


HOMES = ("HOME", "INITPERF_CACHE", "XDG_CACHE_HOME", "INITPERF_DATA", "SCIKIT_LEARN_DATA")

FEW = ["draw", "zeros", "3", "4", "--backend", "numpy"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("shell", "code", "err"),
    [
        ('"$@" > /dev/full', 2, "initperf: standard output cannot be written: No space left"),
        ('"$@" >&-', 0, ""),
        ('"$@" 2>&-', 0, ""),
        ('"$@" >&- 2>&- <&-', 0, ""),
        ('"$@" 2> /dev/full', 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(shell, code, err):
    found = run(FEW, shell=shell)
    assert (found.returncode, found.stderr[: len(err)]) == (code, err)
    assert found.stderr.count("\n") == bool(err)


@pytest.mark.slow
def test_an_error_without_a_standard_error_keeps_its_code_and_output():
    for shell in ('"$@" 2>&-', '"$@" 2> /dev/full', '"$@" 2>&- >&-'):
        found = run(["draw", "he_norml", "3", "4"], shell=shell)
        assert (found.returncode, found.stdout, found.stderr) == (2, "", "")


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_hide_a_regression(tmp_path):
    for name, median in (("old", 1e-3), ("new", 1.0)):
        rows = [
            {
                "fullname": f"bench/bench_x.py::test_x[{row}]",
                "name": str(row),
                "stats": {"median": median, "iqr": median / 100, "rounds": 20},
                "extra_info": {},
            }
            for row in range(3000)
        ]
        content = json.dumps({"benchmarks": rows, "machine_info": {}})
        (tmp_path / f"{name}.json").write_text(content)
    words = ["compare", "old.json", "new.json"]
    found = run(words, shell='"$@" 2> /dev/null | head -1', cwd=tmp_path)
    assert found.returncode == 1
    assert found.stdout.startswith("benchmark")


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("INITPERF_NUM_THREADS", "abc", "INITPERF_NUM_THREADS must be a positive integer"),
        ("INITPERF_NUM_THREADS", "0", "INITPERF_NUM_THREADS must be a positive integer"),
        ("NUMBA_NUM_THREADS", "0", "NUMBA_NUM_THREADS must be a positive integer"),
        ("INITPERF_CACHE", "~nouser/x", "INITPERF_CACHE is '~nouser/x'"),
        ("INITPERF_CACHE", "here/x", "INITPERF_CACHE must be an absolute path, not 'here/x'"),
        ("INITPERF_DATA", "~nouser", "INITPERF_DATA is '~nouser'"),
        ("SCIKIT_LEARN_DATA", "~nouser", "SCIKIT_LEARN_DATA is '~nouser'"),
    ],
)
def test_variables_that_cannot_be_meant_are_one_line(variable, value, message):
    found = run(["draw", "he_normal", "30", "40"], **{variable: value})
    assert (found.returncode, found.stdout) == (2, "")
    assert message in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_backend_of_pyplot_that_is_not_installed(tmp_path):
    words = ["report", "--quick", "--seeds", "1", "--data-dir", "nowhere"]
    found = run(words, cwd=tmp_path, MPLBACKEND="module://matplotlib_inline.backend_inline")
    assert found.returncode == 3
    assert "nowhere: no such directory" in found.stderr


def test_a_working_directory_that_is_gone(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    found = run(FEW, shell=f'cd "{gone}" && rmdir "{gone}" && "$@"')
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        "initperf: the working directory cannot be used: No such file or directory\n"
    )


@pytest.mark.slow
def test_without_a_home(tmp_path):
    found = run(["data"], drop=("HOME", "INITPERF_DATA"), INITPERF_CACHE=str(tmp_path))
    assert (found.returncode, found.stderr) == (0, "")


NOBODY = """
import os, pwd, sys
def unknown(number):
    raise KeyError(f"uid not found: {number}")
pwd.getpwuid = unknown
from initperf import cli
code = cli.main(sys.argv[1:])
from initperf.jit.policy import CODE_CACHE
print(code, CODE_CACHE)
"""


@pytest.mark.slow
def test_without_a_home_and_an_entry_of_the_user(tmp_path):
    """As of a container's user: the cache is among temporary files, and no directory is ``~``."""
    known = {key: value for key, value in os.environ.items() if key not in HOMES}
    known |= {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    for words in (["draw", "zeros", "3", "4", "--backend", "numpy"], ["data"]):
        command = [sys.executable, "-c", NOBODY, *words]
        found = subprocess.run(
            command, env=known, cwd=tmp_path / "work", capture_output=True, text=True
        )
        assert (found.returncode, found.stderr) == (0, "")
        code, cache = found.stdout.splitlines()[-1].split()
        assert code == "0"
        assert cache.startswith(f"{tmp_path}/tmp/initperf-")
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.slow
def test_paths_of_any_bytes(tmp_path):
    name = os.fsdecode(b"\xff\xfe.npy")
    found = run([*FEW, "--out", name], cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / name).is_file()
    found = run([*FEW, "--out", f"nowhere/{name}"], cwd=tmp_path)
    assert found.returncode == 2
    assert "\\udcff" in found.stderr
    assert found.stderr.count("\n") == 1


SMALL = ["--backend", "numpy", "--dataset", "mnist_5k", "--epochs", "1", "--hidden", "4"]

WRITING = {
    "draw": ["draw", "zeros", "100", "100", "--backend", "numpy", "--out", "w.npy"],
    "train": ["train", *SMALL, "--out", "runs"],
    "sweep": ["sweep", *SMALL, "--seed", "0,1", "--workers", "1", "--out", "runs"],
    "export": ["runs", "kept", "--export", "table.csv", "--rows", "steps"],
    "merge": ["runs", "kept", "--merge", "other"],
    "bench": ["bench", "--quick", "--filter", "uniform 784", "--save", "bench.json"],
    "profile": ["profile", "--seconds", "0.01", "squared_norm"],
    "report": ["report", "--from", "kept", "--only", "final_accuracy", "--out", "page"],
    "document": ["report", "--from", "kept", "--format", "pdf", "--out", "page"],
    "reproduce": ["reproduce", "born_dead", "--quick", "--page", "claims.md"],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Give a directory with two stores of a run each."""
    place = tmp_path_factory.mktemp("written")
    for name, seed in (("kept", "0"), ("other", "1")):
        found = run(["train", *SMALL, "--seed", seed, "--out", name], cwd=place)
        assert found.returncode == 0, found.stderr
    return place


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="limits of the size of files are of POSIX")
@pytest.mark.parametrize("name", WRITING)
def test_files_that_cannot_be_written_are_one_line(written, tmp_path, name):
    """Files end after a kilobyte, as on a full disk; data and code are in caches before."""
    place = tmp_path / "place"
    shutil.copytree(written, place)
    before = sorted(place.rglob("*"))
    found = run(WRITING[name], shell='ulimit -f 1; "$@"', cwd=place, TMPDIR=str(tmp_path))
    lines = [line for line in found.stderr.splitlines() if line.startswith("initperf: ")]
    # that code is not kept, and that the machine is busy, is told apart
    lines = [line for line in lines if "code" not in line and "is busy" not in line]
    assert found.returncode in (2, 3), found.stderr
    assert "Traceback" not in found.stderr
    assert len(lines) == 1, found.stderr
    left = [path for path in place.rglob("*") if path not in before and path.is_file()]
    assert left == [], found.stderr


def on_a_terminal(words, columns):
    """Return the lines that a command line prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    known = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": str(columns)}
    child = subprocess.Popen([*MAIN, *words], env=known, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    printed = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            printed += chunk
    except OSError:  # Linux's end of a terminal
        pass
    os.close(ours)
    assert child.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.decode()).splitlines()


@pytest.mark.exhaustive
@pytest.mark.parametrize("columns", [60, 100, 300])
def test_tables_fit_the_terminal(columns):
    lines = on_a_terminal(["list"], columns)
    assert max(map(len, lines)) <= columns
    text = " ".join("".join(lines).split())
    assert "glorot_uniform" in text
    assert "Goodfellow" in text


@pytest.mark.slow
def test_a_table_of_many_numbers_is_parted(tmp_path):
    words = ["info", "mup", "8", "8", "4", "--seed", "1"]
    lines = on_a_terminal(words, 50)
    lines = lines[lines.index("") :]  # the table
    assert max(map(len, lines)) <= 50
    heads = [line.split() for line in lines if line.startswith("layer ")]
    assert heads == [
        ["layer", "shape", "weight_mean", "weight_std", "weight_max"],
        ["layer", "shape", "preactivation_variance"],
    ]
    assert [line.split()[1:4] for line in lines if " x " in line] == 2 * [list("8x8"), list("8x4")]
