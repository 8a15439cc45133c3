"""Pictures and the page of checks of models, drawn from made-up tables."""

import html.parser
import itertools
import re
from importlib.metadata import entry_points

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from synthetic_checks import WIDTHS, check_table, coordinate_tables, residual_table, shown_check

from initperf_figures._check_page import check_page
from initperf_figures._coordinates import coordinate_figure
from initperf_figures._signals import block_of, signal_figure


class Tags(html.parser.HTMLParser):
    """Elements of a page with their attributes, and its words."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.hidden = [], "", 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.words += data


def test_the_entry_points_lead_to_the_drawings():
    found = {entry.name: entry.load() for entry in entry_points(group="initperf.model_pictures")}
    assert found == {
        "coordinates": coordinate_figure,
        "page": check_page,
        "signals": signal_figure,
    }


def test_panels_are_the_directions_that_there_are():
    forward, backward = signal_figure(check_table()).axes
    assert forward.get_title(loc="left") == "Forward"
    assert backward.get_title(loc="left") == "Backward, under the loss"
    only = check_table()
    (alone,) = signal_figure(only[only["direction"] == "forward"]).axes
    assert alone.get_xlabel() == "operations in the order of execution"


def test_lines_are_medians_over_seeds_and_theory():
    table = check_table()
    forward, backward = signal_figure(table).axes
    rows = table[table["direction"] == "forward"]
    medians = np.sqrt(rows.groupby("name", sort=False)["second_moment"].median())
    lines = {line.get_label(): line for line in forward.lines}
    np.testing.assert_allclose(lines["measured"].get_ydata(), medians, rtol=1e-12)
    theory = next(line for line in forward.lines if np.isnan(line.get_ydata()).any())
    expected = np.sqrt(rows.groupby("name", sort=False)["predicted"].first())
    np.testing.assert_allclose(theory.get_ydata(), expected, rtol=1e-12)
    assert lines["layers with weights"].get_xdata().tolist() == list(range(1, 24, 2))
    assert not any("theory" in str(line.get_label()) for line in backward.lines)


def test_findings_are_marked_where_they_are():
    findings = [{"name": "blocks.9.fc", "kind": "signal"}, {"name": "not there", "kind": "dead"}]
    forward, _ = signal_figure(check_table(), findings).axes
    (label,) = forward.texts
    assert label.get_text() == "signal: blocks.9.fc"
    assert label.xy[0] == 19  # the input, and nine blocks of two operations before it
    weight = {"name": "fc.weight", "kind": "dead", "layers": ("fc.weight", "blocks.9.fc")}
    (label,) = signal_figure(check_table(), [weight]).axes[0].texts
    assert (label.get_text(), label.xy[0]) == ("dead: fc.weight", 19)


def test_what_has_no_logarithm_is_marked_at_the_edge():
    table = check_table()
    table.loc[table["name"] == "blocks.4.fc", "second_moment"] = 0.0
    table.loc[table["name"] == "blocks.5.fc", "second_moment"] = np.inf
    forward = signal_figure(table).axes[0]
    marks = next(line for line in forward.lines if "all zero" in str(line.get_label()))
    assert marks.get_xdata().tolist() == [9, 11]
    assert set(marks.get_ydata()) == {forward.get_ylim()[0]}


def test_residual_additions_are_joined_and_masks_are_no_alarm():
    forward = signal_figure(residual_table()).axes[0]
    lines = {str(line.get_label()): line for line in forward.lines}
    assert lines["trunk, after each addition"].get_xdata().tolist() == list(range(2, 25, 2))
    assert not any("all zero" in label for label in lines)


@pytest.mark.parametrize("layers", [1, 12, 300])
def test_names_along_the_axis_do_not_touch(layers):
    figure = signal_figure(check_table(layers=layers, seeds=1))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [label.get_window_extent(renderer) for label in figure.axes[-1].get_xticklabels()]
    assert boxes
    for left, right in itertools.pairwise(boxes):
        assert left.x1 < right.x0


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("blocks.3.attn.proj", "blocks.3"),
        ("blocks.3: add", "blocks.3"),
        ("transformer.h.11.mlp.c_fc (2)", "transformer.h.11"),
        ("7", "7"),
        ("head (2)", "head"),
        ("input: mask", "input"),
    ],
)
def test_blocks_are_paths_to_the_first_number(name, block):
    assert block_of(name) == block


def test_exponents_stand_beside_changes():
    changes, exponents = coordinate_figure(*coordinate_tables(), limit=0.25).axes
    names = [f"blocks.{place}.fc" for place in range(4)]
    assert sorted(text.get_text() for text in changes.texts) == names
    assert [label.get_text() for label in exponents.get_yticklabels()] == names
    assert [float(x) for x in changes.get_xticks()] == list(WIDTHS)
    colours = [exponents.lines[1 + 2 * place].get_color() for place in range(4)]
    assert colours[0] == colours[3]
    assert len(set(colours)) == 3  # holds, grows, undecided


def test_the_page_says_what_was_found_and_escapes_it():
    shown = shown_check(title="<script>alert(1)</script>")
    text = check_page(**shown)
    page = Tags(text)
    words = " ".join(page.words.split())
    for each in (*shown["findings"], *shown["notes"]):
        for part in ("kind", "name", "text", "cause", "remedy", "fix"):
            assert each[part] in words
    assert shown["title"] in words
    assert "1 finding" in words
    assert text.count("<script>") == 1
    rows = [a for tag, a in page.elements if tag == "tr"]
    assert len(rows) == 1 + len(shown["rows"])


def test_the_page_of_a_healthy_model_lists_no_finding():
    page = Tags(check_page(**shown_check(healthy=True, findings=[], notes=[], verdict="healthy")))
    assert "Healthy" in page.words
    assert "Nothing was found" in page.words
    assert not [1 for tag, attributes in page.elements if attributes.get("class") == "findings"]


@pytest.mark.slow
def test_the_page_asks_for_nothing_and_runs_its_own_script_only():
    text = check_page(**shown_check())
    page = Tags(text)
    policy = next(a["content"] for tag, a in page.elements if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", text)
