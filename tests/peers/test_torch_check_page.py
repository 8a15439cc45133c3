"""Checks as people see them: text in terminals, notebooks, the figure and the page."""

import html
import html.parser
import io
import os
import re
import shutil
import sys

import numpy as np
import pytest
import torch
from checked_models import WIDTH, healthy, unhealthy
from torch import nn

import initperf.torch
from initperf.torch import pictures, showing

X = torch.randn(16, WIDTH, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def found():
    return initperf.torch.check(unhealthy, X, seeds=3)


@pytest.fixture(scope="module")
def good():
    return initperf.torch.check(healthy, X, loss=lambda y: y.square().mean())


class Tags(html.parser.HTMLParser):
    """Count of elements, their attributes, and the words between them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.words.append(data)


def test_the_page_has_verdict_findings_picture_and_operations(found, tmp_path):
    path = found.to_html(tmp_path / "check.html", title="<b>mine</b>")
    page = Tags(path.read_text("utf-8"))
    words = " ".join("".join(page.words).split())
    assert "<b>mine</b>" in words  # as text
    for each in found.findings:
        assert " ".join(each.text.split()) in words
        assert each.name in words
        assert each.remedy in words
        assert each.fix in words
    svg = next(attributes for tag, attributes in page.elements if tag == "svg")
    assert svg["aria-label"].startswith("Signal propagation.")
    heads = sum(tag == "tr" for tag, _ in page.elements)
    assert heads == 1 + len(showing.operations(found))


def test_the_page_loads_nothing_and_allows_only_its_own_script(found, tmp_path):
    text = found.to_html(tmp_path / "check.html").read_text("utf-8")
    page = Tags(text)
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object")
        assert not {name for name in attributes if name.startswith("on")}
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text).replace("http-equiv", "")


def test_the_page_follows_light_and_dark(found, tmp_path):
    text = found.to_html(tmp_path / "check.html").read_text("utf-8")
    assert "prefers-color-scheme: dark" in text
    picture = text[text.index("<svg") : text.index("</svg>")]
    assert "var(--ink)" in picture
    assert "var(--accent)" in picture
    assert "#1f2430" not in picture


def test_a_healthy_page_says_so(good, tmp_path):
    words = "".join(Tags(good.to_html(tmp_path / "check.html").read_text("utf-8")).words)
    assert "Healthy" in words
    assert "Nothing was found" in words


def test_the_figure_has_a_panel_for_each_direction(found, good):
    assert [axes.get_title(loc="left") for axes in found.figure().axes] == [
        "Forward",
        "Backward, from random cotangents",
    ]
    titles = [axes.get_title(loc="left") for axes in good.figure().axes]
    assert titles[:2] == ["Forward", "Backward, under the loss"]


def test_the_figure_draws_the_table(found):
    forward = found.figure().axes[0]
    table = found.table
    rows = table[table["direction"] == "forward"]
    expected = np.sqrt(rows.groupby("name", sort=False)["second_moment"].median())
    line = next(line for line in forward.lines if line.get_label() == "measured")
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
    named = {each.name for each in found.findings} & set(rows["name"])
    assert named
    marked = [text.get_text() for text in forward.texts]
    assert all(any(label.endswith(f": {name}") for label in marked) for name in named)


def test_what_is_zero_has_a_mark_at_the_lower_edge():
    model = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 5))
    nn.init.constant_(model[0].bias, -100.0)
    forward = initperf.torch.check(model, X).figure().axes[0]
    marks = next(line for line in forward.lines if "all zero" in str(line.get_label()))
    assert set(marks.get_ydata()) == {forward.get_ylim()[0]}
    assert len(marks.get_xdata()) >= 1


def test_text_begins_with_the_verdict_in_one_sentence(found, good):
    first, *rest = str(found).splitlines()
    assert first.startswith(f"not healthy: {found.findings[0].text}")
    for line, each in zip(rest, found.findings, strict=False):
        assert line == f"- {each.kind}: {each}"
    rows = [row["operation"] for row in showing.operations(found)]
    table = rest[rest.index("") + 1 :]
    assert table[0].split()[0] == "operation"
    assert [line.split("  ")[0] for line in table[1 : len(rows) + 1]] == rows
    assert str(good).splitlines()[0] == "healthy"


def test_long_tables_show_layers_and_what_was_found():
    rows = [
        {"operation": str(i), "kind": "linear" if i % 3 == 0 else "activation", "found": ""}
        for i in range(300)
    ]
    rows[100]["found"] = "×"
    kept = showing.shown(rows)
    assert len(kept) <= showing.SHOWN
    assert rows[100] in kept
    assert kept == sorted(kept, key=lambda row: int(row["operation"]))
    assert {row["kind"] for row in kept if not row["found"]} == {"linear"}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_a_terminal_gets_colours_and_lines_that_fit(found, monkeypatch, columns):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_: os.terminal_size((columns, 24)))
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = str(found)
    plain = re.sub("\x1b\\[[0-9;]*m", "", text)
    assert text != plain
    assert max(map(len, plain.splitlines())) <= columns
    assert " ".join(plain.split()).startswith(showing.sentence(found))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in str(found)


def test_notebooks_get_a_table_with_the_findings(found):
    text = found._repr_html_()
    assert text.startswith("<table>")
    for each in found.findings:
        assert html.escape(each.name) in text


def test_without_the_figures_an_error_says_what_to_install(found, monkeypatch):
    monkeypatch.setattr(pictures.importlib.metadata, "entry_points", lambda **_: ())
    with pytest.raises(initperf.errors.UsageError, match=r"install initperf\[suite\]"):
        found.figure()
