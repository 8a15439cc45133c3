"""The report: whole or not at all, self-contained, and open to new figures."""

import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import child
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pyarrow import csv
from synthetic_tables import synthetic_tables

import initperf_figures
from initperf._core.registry import Registry, import_siblings
from initperf.errors import UsageError
from initperf_figures import FIGURES, ReportFigure, Tables, _page, _svg, _usage, canvas, report
from initperf_figures.report import write_report

NASTY = "<script>alert('no')</script>&"


class Page(HTMLParser):
    """The links, identifiers, tags and visible words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.identifiers: list[str] = []
        self.tags: list[str] = []
        self.unlabelled: list[str] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.tags.append(tag)
        names = ("href", "src", "xlink:href", "action", "srcset", "data", "poster")
        self.links += [str(given[name]) for name in names if name in given]
        if given.get("id"):
            self.identifiers.append(str(given["id"]))
        if (tag == "svg" and not given.get("aria-label")) or (tag == "img" and not given["alt"]):
            self.unlabelled.append(tag)
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words += data.replace("\u00a0", " ") + " "  # spaces that do not break


def _dot(_tables: Tables) -> Figure:
    figure = canvas(1.0)
    figure.subplots().plot([0, 1], [0, 1])
    return figure


def _quick_figures() -> Registry[ReportFigure]:
    figures: Registry[ReportFigure] = Registry("figure")
    for name in ("first", "second"):
        figures.register(name, ReportFigure(name, name, "A line.", ("runs",), _dot))
    return figures


@pytest.fixture(scope="module")
def small() -> dict[str, pd.DataFrame]:
    tables = synthetic_tables(seeds=2, epochs=2, steps_per_epoch=4)
    return {name: tables[name] for name in ("runs", "epochs", "machine")}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "FIGURES", _quick_figures())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, pd.DataFrame]]:
    """Write a report with every figure once; name one initializer so that it must be escaped."""
    names = ("zeros", "glorot_uniform", "he_uniform", "he_normal", "orthogonal", "large_normal")
    tables = synthetic_tables(names=names, epochs=3, steps_per_epoch=10)
    for name in ("runs", "signal", "weights", "weight_statistics", "bounds"):
        tables[name] = tables[name].replace({"initializer": {"he_uniform": NASTY}})
    directory = tmp_path_factory.mktemp("whole") / "deep" / "report"
    page = write_report(tables, directory, title=f"Title {NASTY}", commands=[f"initperf {NASTY}"])
    assert page == directory / "index.html"
    return directory, tables


def contents(directory: Path) -> dict[str, bytes]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


@pytest.mark.slow
def test_the_page_fetches_nothing_and_its_links_lead_somewhere(
    whole: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    directory, _ = whole
    html = (directory / "index.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.open == []
    assert "link" not in page.tags
    assert not [word for word in ("http:", "https:", "@import", "//cdn") if word in html]
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.identifiers
        elif not link.startswith("data:image/png;base64,"):
            assert (directory / link).is_file(), link
    assert len(page.identifiers) == len(set(page.identifiers))


@pytest.mark.slow
def test_every_figure_is_on_the_page_and_in_two_files(
    whole: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    directory, tables = whole
    page = Page((directory / "index.html").read_text(encoding="utf-8"))
    assert page.tags.count("svg") + page.tags.count("img") == len(FIGURES)
    assert page.unlabelled == []
    for name, figure in FIGURES.items():
        assert name in page.identifiers
        assert figure.describe(tables) in page.words
        assert figure.find(tables) in page.words
        assert (
            (directory / "figures" / f"{name}.svg").read_text(encoding="utf-8").endswith("svg>\n")
        )
        assert (directory / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (directory / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_every_figure_has_a_table_that_sorts(whole: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    html = (whole[0] / "index.html").read_text(encoding="utf-8")
    figures = re.findall(r'<figure id="(\w+)".*?</figure>', html, re.DOTALL)
    assert sorted(figures) == sorted(FIGURES)
    for found in re.finditer(r'<figure id="(\w+)".*?</figure>', html, re.DOTALL):
        tables = re.findall(r'<table class="sortable">.*?</table>', found[0], re.DOTALL)
        assert tables, found[1]
        for table in tables:
            assert table.count("<tr>") > 1, found[1]
            assert 'data-value="' in table, found[1]


@pytest.mark.slow
def test_letters_are_text_in_files_and_outlines_on_the_page(
    whole: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    directory, _ = whole
    svg = (directory / "figures" / "final_accuracy.svg").read_text(encoding="utf-8")
    words = [each.text for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("text")]
    assert {"he_normal", "orthogonal", NASTY} <= set(words)
    assert "font-family: 'DejaVu Sans', sans-serif" in svg
    html = (directory / "index.html").read_text(encoding="utf-8")
    assert "<svg" in html
    assert "<text" not in html


@pytest.mark.slow
def test_the_page_is_small_enough_to_send(whole: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    assert (whole[0] / "index.html").stat().st_size < 6_000_000


@pytest.mark.slow
def test_the_answer_stands_before_everything_else(
    whole: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    directory, _ = whole
    words = Page((directory / "index.html").read_text(encoding="utf-8")).words
    table = pd.read_parquet(directory / "tables" / "recommendation.parquet")
    best = table.loc[table["rank"] == 1, "initializer"]
    answer = words.index("Tied with")
    assert answer < words.index(best.iloc[0], answer) < words.index("Figure 1")
    assert "at another depth, width or learning rate another one may be best" in words[:answer]
    assert "A run diverged when a value reached 2 56 or was not finite" in " ".join(words.split())
    assert "Its intervals hold for all initializers together with 95 %" in words


@pytest.mark.slow
def test_the_answer_tells_how_far_the_best_is_ahead_and_how_sure_that_is(
    whole: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    directory, _ = whole
    words = Page((directory / "index.html").read_text(encoding="utf-8")).words
    table = pd.read_parquet(directory / "tables" / "recommendation.parquet")
    answer = words[words.index("Tied with") : words.index("initializers, ranked")]
    for row in table[table["rank"] == 2].itertuples():
        ends = f"{100 * row.behind_low:.2f} to {100 * row.behind_high:.2f}".replace("-", "−")
        assert f"{100 * row.behind:.2f} " in answer
        assert ends in answer
        assert f"of {row.initializer}, {row.verdict}" in answer


@pytest.mark.slow
def test_the_best_initializers_come_with_code_that_runs(
    whole: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    directory, _ = whole
    words = Page((directory / "index.html").read_text(encoding="utf-8")).words
    table = pd.read_parquet(directory / "tables" / "recommendation.parquet")
    best = set(table.loc[table["rank"] == 1, "initializer"]) - {NASTY}
    for name in best:
        assert f"initperf.torch.init_(model, {name!r}, rng=0)" in words
        assert f"initperf.keras.Initializer({name!r}, seed=0)" in words
        assert f"initperf.jax.initializer({name!r})" in words
    here, *_ = _usage.usage_lines("he_normal", "relu").split("\n\n")
    made: dict[str, Any] = {}
    exec(here, made)
    assert made["weights"].shape == (784, 256)
    exec(_usage.usage_lines("critical", "gelu"), made)
    assert [weights.shape for weights, _ in made["layers"]] == [(784, 256), (256, 10)]
    assert _usage.usage_lines(NASTY, "relu") == ""


@pytest.mark.slow
def test_names_are_escaped(whole: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    html = (whole[0] / "index.html").read_text(encoding="utf-8")
    assert NASTY not in html
    words = Page(html).words
    assert f"Title {NASTY}" in words
    assert f"initperf {NASTY}" in words
    assert Page(html).tags.count("script") == 1


@pytest.mark.slow
def test_every_table_survives_the_round_trip(whole: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    directory, tables = whole
    for name, table in tables.items():
        read = pd.read_parquet(directory / "tables" / f"{name}.parquet")
        pd.testing.assert_frame_equal(read, table, check_dtype=False)
        assert list(read.dtypes) == list(table.dtypes) or name == "runs"
        text = pd.read_csv(directory / "tables" / f"{name}.csv")
        assert list(text.columns) == list(table.columns)
        assert len(text) == len(table)


@pytest.mark.slow
def test_the_foot_names_machine_and_command(whole: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    words = Page((whole[0] / "index.html").read_text(encoding="utf-8")).words
    foot = words[words.index("Machine and versions") :]
    for fact in ("Example 9000 at 2.5 GHz", "OpenBLAS 0.3.29", "5e1c0de5"):
        assert fact in foot


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["activation_variance", "final_accuracy"])
def test_the_same_tables_give_the_same_figure(
    name: str, whole: tuple[Path, dict[str, pd.DataFrame]]
) -> None:
    directory, tables = whole
    svg, _, png, pdf = _svg.files(FIGURES[name].render(tables))
    assert pdf == (directory / "figures" / f"{name}.pdf").read_bytes()
    assert svg == (directory / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert png == (directory / "figures" / f"{name}.png").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_same_tables_give_the_same_report(tmp_path: Path, small: Tables) -> None:
    for name in ("one", "two"):
        write_report(small, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("names", [("he_normal",), ("he_normal", "zeros")])
@pytest.mark.usefixtures("quick")
def test_one_of_a_kind_is_counted_in_the_singular(tmp_path: Path, names: tuple[str, ...]) -> None:
    tables = synthetic_tables(
        names=names, activations=("relu",), seeds=1, epochs=1, steps_per_epoch=2
    )
    kept = {name: tables[name] for name in ("runs", "epochs", "machine")}
    write_report(kept, tmp_path / "r")
    words = Page((tmp_path / "r" / "index.html").read_text(encoding="utf-8")).words
    assert "1 activation × 1 seed, " in words
    assert not re.findall(r"\b1 (?:activations|seeds|runs|initializers|epochs|rows)\b", words)
    assert "2 initializers × " in words or len(names) == 1


@pytest.mark.slow
def test_figures_without_data_are_left_out_in_one_line_each(tmp_path: Path) -> None:
    machine = synthetic_tables(epochs=1, steps_per_epoch=2)["machine"]
    write_report({"machine": machine, "bounds": pd.DataFrame()}, tmp_path / "report")
    page = Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert "recommends nothing" in page.words
    assert "“Bounds against fan-in”; missing data: bounds." in page.words
    assert page.words.count("missing data: ") == len(FIGURES)
    assert not {"svg", "img"} & set(page.tags)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_progress_counts_to_the_end(tmp_path: Path, small: Tables) -> None:
    seen: list[tuple[int, int, str]] = []
    write_report(small, tmp_path / "r", progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == list(range(len(seen)))
    assert {total for _, total, _ in seen} == {len(seen)}
    assert seen[0][2] == "table runs"
    assert [label for _, _, label in seen[-3:]] == ["figure first", "figure second", "page"]


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_mixed_columns_and_odd_table_names(tmp_path: Path, small: Tables) -> None:
    mixed = pd.DataFrame({"key": ["cores", "name"], "value": [2, "x"]})
    write_report({**small, "machine": mixed}, tmp_path / "r")
    read = pd.read_parquet(tmp_path / "r" / "tables" / "machine.parquet")
    assert list(read["value"]) == ["2", "x"]
    with pytest.raises(ValueError, match="must do as a file name"):
        write_report({"../up": mixed}, tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.mark.usefixtures("quick")
def test_runs_on_different_data_make_no_report(tmp_path: Path, small: Tables) -> None:
    runs = small["runs"].copy()
    runs.loc[0, "dataset_digest"] = "0ther"
    with pytest.raises(ValueError, match="0ther"):
        write_report({"runs": runs}, tmp_path / "r")
    assert os.listdir(tmp_path) == []


def test_a_file_dropped_in_joins_the_report(
    tmp_path: Path, small: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "FIGURES", figures := _quick_figures())
    monkeypatch.setattr(initperf_figures._figure, "FIGURES", figures)
    (tmp_path / "dropped_in.py").write_text(
        "from initperf_figures import canvas, register\n"
        "def draw(tables):\n"
        "    figure = canvas(2.0)\n"
        "    figure.subplots().plot([1, 2])\n"
        "    return figure\n"
        "register('dropped_in', title='Dropped in', caption='New.', needs=('runs',), draw=draw)\n"
    )
    path = [*initperf_figures.__path__, str(tmp_path)]
    monkeypatch.setattr(initperf_figures, "__path__", path)
    import_siblings("initperf_figures", [str(tmp_path)])
    write_report(small, tmp_path / "r")
    page = Page((tmp_path / "r" / "index.html").read_text(encoding="utf-8"))
    assert "Dropped in" in page.words
    assert "figures/dropped_in.svg" in page.links


OUTSIDE = """
import sys
from pathlib import Path
import pandas as pd
from initperf_figures.report import write_report
(file,) = Path(sys.argv[1]).glob("*.parquet")
write_report({"runs": pd.read_parquet(file)}, Path(sys.argv[1], "report"))
"""


@pytest.mark.slow
def test_a_figure_of_another_distribution_joins_the_report(tmp_path: Path, small: Tables) -> None:
    (tmp_path / "outside_figures.py").write_text(
        "from initperf_figures import canvas, register\n"
        "def draw(tables):\n"
        "    figure = canvas(2.0)\n"
        "    figure.subplots().plot(tables['runs']['seed'])\n"
        "    return figure\n"
        "register('outside', title='Outside', caption='New.', needs=('runs',), draw=draw)\n"
    )
    information = tmp_path / "outside_figures-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-figures\n")
    (information / "entry_points.txt").write_text("[initperf.figures]\noutside = outside_figures\n")
    small["runs"].to_parquet(tmp_path / "runs.parquet")
    child.run(OUTSIDE, str(tmp_path), PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    page = Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert "Outside" in page.words
    assert "figures/outside.svg" in page.links


def test_a_long_svg_is_shown_as_its_png(small: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = ReportFigure("dot", "A dot", "A line.", ("runs",), _dot)
    drawn = _page.Drawn(figure, "", "A line.", None, _svg.files(figure.render(small)))
    assert drawn.markup.startswith("<svg")
    monkeypatch.setattr(_page, "INLINE_LIMIT", 10)
    assert drawn.markup.startswith('<img alt="A dot. A line." src="data:image/png;base64,iVBOR')


# Where Ctrl-C may come: what is called, and at which call.
MOMENTS = {
    "first figure": (ReportFigure, "render", 1),
    "second figure": (ReportFigure, "render", 2),
    "files of a figure": (_svg, "files", 1),
    "csv": (csv, "write_csv", 2),
    "parquet": (pd.DataFrame, "to_parquet", 1),
    "page": (report, "page", 1),
    "manifest": (json, "dumps", 1),
    "swap": (Path, "rename", 1),
}


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("before", [True, False])
def test_ctrl_c_leaves_the_old_report_or_none(
    moment: str, before: bool, tmp_path: Path, small: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        write_report(small, tmp_path / "r", title="old")
    old = contents(tmp_path)
    owner, name, call = MOMENTS[moment]
    function = getattr(owner, name)
    calls = 0

    def interrupted(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(small, tmp_path / "r", title="new")
    monkeypatch.undo()
    assert contents(tmp_path) == old
    assert os.listdir(tmp_path) == (["r"] if before else [])


def test_only_some_figures_are_drawn(
    tmp_path: Path, small: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    write_report(small, tmp_path / "r", only=["final_accuracy"], place="a b's")
    words = Page((tmp_path / "r" / "index.html").read_text(encoding="utf-8")).words
    assert "Figure 1" in words
    assert "Figure 2" not in words
    assert "initperf report --from 'a b'\"'\"'s' --only final_accuracy" in words
    assert """draw('final_accuracy', "a b's", size='two_columns')""" in words
    assert {path.stem for path in (tmp_path / "r" / "figures").iterdir()} == {"final_accuracy"}
    assert not caplog.messages
    write_report(small, tmp_path / "r", only=["final_accuracy", "learning_rates"])
    (message,) = caplog.messages
    assert message.startswith("initperf report: learning_rates is not drawn; missing: rates (")
    with pytest.raises(UsageError, match="nothing can be drawn of bounds; missing: bounds"):
        write_report(small, tmp_path / "s", only=["bounds"])
    with pytest.raises(ValueError, match="did you mean 'bounds'"):
        write_report(small, tmp_path / "s", only=["bound"])
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_document_has_a_page_a_figure_and_is_the_same_each_time(
    tmp_path: Path, small: Tables
) -> None:
    for name in ("one", "two"):
        page = write_report(small, tmp_path / name, kind="pdf", title="A title")
        assert page == tmp_path / name / "report.pdf"
    document = (tmp_path / "one" / "report.pdf").read_bytes()
    assert document.count(b"/Type /Page ") == 2
    assert b"A title" in document
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert not (tmp_path / "one" / "figures").exists()


@pytest.mark.usefixtures("quick")
def test_images_alone_are_of_300_dots_an_inch(tmp_path: Path, small: Tables) -> None:
    place = write_report(small, tmp_path / "r", kind="png")
    assert {path.name for path in place.iterdir()} == {"first.png", "second.png"}
    wide = int.from_bytes((place / "first.png").read_bytes()[16:20], "big")
    assert wide == 3240  # 10.8 inches
    with pytest.raises(ValueError, match="format must be one of html, pdf, png"):
        write_report(small, tmp_path / "s", kind="docx")


OWN = """
from initperf_figures import canvas, register
def draw(tables):
    figure = canvas(2.0)
    figure.subplots().plot(tables["runs"]["seed"])
    return figure
register("own_of_a_test", title="Own", caption="New.", needs=("runs",), draw=draw)
"""


def test_own_figure_files_join_and_faulty_ones_are_named(
    tmp_path: Path, small: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "FIGURES", figures := _quick_figures())
    monkeypatch.setattr(initperf_figures._figure, "FIGURES", figures)
    (tmp_path / "own").mkdir()
    with pytest.raises(UsageError, match="holds no figure files"):
        report.check_directory(tmp_path / "r", own=tmp_path / "own")
    (tmp_path / "own" / "mine.py").write_text(OWN)
    (tmp_path / "own" / "_parts.py").write_text("1 / 0")
    needed = report.check_directory(tmp_path / "r", ["own_of_a_test"], tmp_path / "own")
    assert needed == {"runs"}
    write_report(small, tmp_path / "r", only=["own_of_a_test"])
    assert (tmp_path / "r" / "figures" / "own_of_a_test.svg").is_file()
    (tmp_path / "own" / "mine.py").write_text("1 / 0")
    with pytest.raises(UsageError, match=r"mine\.py cannot be imported: ZeroDivisionError"):
        report.check_directory(tmp_path / "r", own=tmp_path / "own")


@pytest.mark.slow
def test_each_setup_has_an_answer_and_panels_of_its_own(tmp_path: Path, small: Tables) -> None:
    deep = {name: small[name].copy() for name in ("runs", "epochs")}
    for table in deep.values():
        table["run"] = "deep-" + table["run"]
    runs = pd.concat(
        [
            small["runs"].assign(setup="3 × 64"),
            deep["runs"].assign(
                setup="30 × 64", network="784-64", test_accuracy=0.5, status="finished"
            ),
        ],
        ignore_index=True,
    )
    epochs = pd.concat([small["epochs"], deep["epochs"]], ignore_index=True)
    tables = {"runs": runs, "epochs": epochs}
    write_report(tables, tmp_path / "r", only=["final_accuracy"])
    words = Page((tmp_path / "r" / "index.html").read_text(encoding="utf-8")).words
    assert words.index("For ReLU (3 × 64), ") < words.index("For ReLU (30 × 64), ")
    table = pd.read_parquet(tmp_path / "r" / "tables" / "recommendation.parquet")
    assert set(table["activation"]) == {"relu", "tanh"}
    assert set(table.loc[table["setup"] == "30 × 64", "accuracy"]) == {0.5}
    assert table["textbook"].any()
