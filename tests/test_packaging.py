"""The built archives, the installed package and its metadata, and what an import loads."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import initperf

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = {"llvmlite", "matplotlib", "mlxtend", "numba", "numpy", "pandas", "scipy", "sklearn"}


def child(code: str, *flags: str) -> str:
    """Return what a fresh Python prints."""
    command = [sys.executable, *flags, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, set[str]]:
    """Build the wheel and the source archive; return the names of the files in each."""
    directory = tmp_path_factory.mktemp("dist")
    # the backend as pip calls it, in this environment, so that nothing is downloaded
    build = (
        "from hatchling import build; import sys; "
        "print(build.build_wheel(sys.argv[1])); print(build.build_sdist(sys.argv[1]))"
    )
    made = subprocess.run(
        [sys.executable, "-c", build, str(directory)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    wheel, archive = made.stdout.splitlines()[-2:]
    with zipfile.ZipFile(directory / wheel) as opened:
        in_wheel = set(opened.namelist())
    with tarfile.open(directory / archive) as opened:
        in_archive = {name.partition("/")[2] for name in opened.getnames()}
    return {"wheel": in_wheel, "archive": in_archive}


def test_the_wheel_holds_two_packages_and_nothing_else(built):
    information = f"initperf-{initperf.__version__}.dist-info"
    tops = {name.partition("/")[0] for name in built["wheel"]}
    assert tops == {"initperf", "initperf_figures", information}
    assert f"{information}/licenses/LICENSE" in built["wheel"]


def test_the_wheel_holds_every_source_and_template(built):
    for folder in (ROOT / "initperf", ROOT / "figures" / "initperf_figures"):
        files = {
            path.relative_to(folder.parent).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert f"{folder.name}/py.typed" in files
        assert files <= built["wheel"]
    assert any(name.startswith("initperf_figures/templates/") for name in built["wheel"])


def test_the_source_archive_can_be_tested(built):
    expected = {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff"}
    assert expected | {"tox.ini", ".ci/run", "docs/architecture.md"} <= built["archive"]
    folders = {name.partition("/")[0] for name in built["archive"]}
    assert {"initperf", "figures", "bench", "tests"} <= folders
    assert not any("__pycache__" in name for name in built["archive"])


def test_the_version_is_the_same_everywhere():
    assert initperf.__version__ == importlib.metadata.version("initperf")
    assert f"## {initperf.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {initperf.__version__}\n" in citation


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "initperf"]
    helped = subprocess.run([*command, "--help"], check=True, capture_output=True, text=True)
    assert helped.stdout.startswith("usage: initperf ")
    assert helped.stdout == child("from initperf.cli import main; main(['--help'])")
    wrong = subprocess.run([*command, "lst"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "did you mean 'list'" in wrong.stderr


def test_every_address_is_below_the_home_of_the_project():
    addresses = PROJECT["urls"]
    assert set(addresses) == {"Source", "Documentation", "Changelog", "Issues"}
    assert all(address.startswith(addresses["Source"]) for address in addresses.values())
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nrepository-code: {addresses['Source']}\n" in citation


def test_extras_are_declared():
    extras = importlib.metadata.metadata("initperf").get_all("Provides-Extra")
    assert {"suite", "peers", "dev"} <= set(extras or ())
    assert "torch==2.13.0" in PROJECT["optional-dependencies"]["peers"]
    core = {re.split(r"\W", requirement)[0] for requirement in PROJECT["dependencies"]}
    assert core == {"numba", "numpy", "platformdirs", "scipy", "threadpoolctl"}


def test_the_license_is_shipped():
    assert PROJECT["license"] == "BSD-3-Clause"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("BSD 3-Clause License")


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("console_scripts", {"initperf"}),
        ("initperf.model_pictures", {"coordinates", "page", "signals"}),
        ("initperf.report", {"check", "check_movie", "draw", "movie", "write"}),
        ("pytest11", {"initperf"}),
    ],
)
def test_entry_points_load(group, names):
    distribution = importlib.metadata.distribution("initperf")
    found = distribution.entry_points.select(group=group)
    assert {entry.name for entry in found} == names
    for entry in found:
        entry.load()


@pytest.mark.parametrize(
    "code",
    [
        "import initperf",
        "import initperf.benchmarks.pytest_plugin",
        "from initperf.cli import main; main([])",
    ],
)
def test_heavy_modules_are_not_imported_before_use(code):
    # main([]) prints what --help prints, with every verb's options parsed, and returns
    modules = child(f"{code}\nimport sys; print('MODULES', *sys.modules)").rpartition("MODULES")[2]
    assert HEAVY.isdisjoint(modules.split())


def test_names_are_listed_before_they_are_imported():
    assert set(initperf.__all__) <= set(dir(initperf))
    for name in initperf.__all__:
        assert getattr(initperf, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'drew'"):
        initperf.drew  # noqa: B018  # the look-up is what fails


@pytest.mark.slow
def test_every_module_imports_without_a_warning():
    code = """
import importlib, pkgutil
import initperf, initperf_figures
for package in (initperf, initperf_figures):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name == "initperf.__main__":
            continue  # it runs the command line and exits
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as missing:
            adapter = module.name.split(".")[1]
            if missing.name not in ("jax", "keras", "torch") or adapter != missing.name:
                raise
        print(module.name)
"""
    imported = child(code, "-W", "error").split()
    assert {"initperf.cli", "initperf.kernels.philox", "initperf_figures.report"} <= set(imported)


def committed() -> list[Path]:
    """Return the files that git tracks or would track; without git, those of the archive."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        paths = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    else:
        folders = ("initperf", "figures", "bench", "tests", "docs", ".ci")
        paths = [*ROOT.iterdir(), *(path for name in folders for path in (ROOT / name).rglob("*"))]
    return [path for path in paths if path.is_file() and path.suffix != ".pyc"]


def test_no_file_knows_a_machine_or_where_packages_come_from():
    # written in two parts so that this file does not contain them
    forbidden = [
        "/" + "work/",
        "/" + "root/",
        "file:" + "///opt",
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "index" + "-url",
    ]
    found = [
        f"{path.relative_to(ROOT)}: {words}"
        for path in committed()
        for words in forbidden
        if words.encode() in path.read_bytes()
    ]
    assert found == []
    locks = {"poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"}
    assert locks.isdisjoint(path.name for path in committed())
