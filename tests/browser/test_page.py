"""A report as people see it, in Chromium: requests, console, keyboard, colours, widths, print."""

import io
import re
import unicodedata
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_checks import WIDTHS, check_skip_link, check_widths
from PIL import Image
from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from synthetic_tables import synthetic_tables

from initperf_figures.report import write_report

FIGURES = ("final_accuracy", "activation_variance", "learning_rates", "symmetry", "speed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    names = ("zeros", "glorot_uniform", "he_normal", "large_normal")
    tables = synthetic_tables(names=names, seeds=2, epochs=2, steps_per_epoch=4)
    page = write_report(tables, tmp_path_factory.mktemp("page") / "report", only=FIGURES)
    return page.as_uri()


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_nothing_overflows_at_any_width(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    check_widths(page)


@pytest.mark.parametrize("width", WIDTHS[:2])
def test_axe_finds_nothing(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)
    assert found.response["passes"]
    assert found.violations_count == 0, found.generate_report()


def test_the_answer_is_not_cut_on_a_desk(page: Page) -> None:
    box = "document.querySelector('#answer .scroll')"
    assert page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")


def test_the_toggle_goes_through_three_schemes_by_mouse_and_keyboard(page: Page) -> None:
    light, dark = "rgb(255, 255, 255)", "rgb(20, 23, 28)"
    system = background(page)
    assert system in (light, dark)
    button = page.get_by_role("button", name="Colours")
    button.click()
    assert background(page) == light
    button.press("Enter")
    assert background(page) == dark
    page.reload()
    assert background(page) == dark  # it is remembered
    page.get_by_role("button", name="Colours").press("Space")
    assert background(page) == system


@pytest.mark.parametrize("key", ["click", "Enter", "Space"])
def test_tables_are_sorted_by_mouse_and_keyboard(page: Page, key: str) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    table = page.locator("table.sortable").first
    head = table.get_by_role("button", name="initializer")

    def names() -> list[str]:
        return table.locator("tbody tr td:nth-child(2)").all_inner_texts()

    for expected in (sorted(names()), sorted(names(), reverse=True)):
        if key == "click":
            head.click()
        else:
            head.press(key)
        assert names() == expected
    assert table.locator("th[aria-sort=descending]").count() == 1


def test_the_first_tab_leads_to_the_answer(page: Page) -> None:
    check_skip_link(page, "#answer")


def test_the_winner_of_a_figure_leads_to_its_code(page: Page) -> None:
    figure = page.locator("#activation_variance")
    figure.get_by_text("Use the winner in code").click()
    link = figure.locator("details[open] a").first
    name = link.inner_text()
    code = page.locator(f"#use-{name}")
    assert not code.is_visible()
    link.press("Enter")
    assert code.is_visible()
    assert f"initperf.torch.init_(model, '{name}', rng=0)" in code.inner_text()
    assert not page.locator("#speed").get_by_text("Use the winner in code").count()


def test_what_opens_below_a_figure_has_the_whole_width(page: Page) -> None:
    below = page.locator("#activation_variance .more")
    closed = below.locator("details").first.bounding_box()
    below.locator("summary").first.click()
    opened, whole = below.locator("details").first.bounding_box(), below.bounding_box()
    assert closed
    assert opened
    assert whole
    assert closed["width"] < whole["width"] / 2 < opened["width"] == whole["width"]


def test_a_script_that_is_not_the_page_s_does_not_run(chromium: Browser, address: str) -> None:
    opened = chromium.new_page()
    opened.goto(address)
    opened.evaluate(
        "() => { const added = document.createElement('script');"
        " added.textContent = 'window.ran = true'; document.body.append(added); }"
    )
    assert opened.evaluate("window.ran") is None
    opened.close()


def test_narrow_screens_say_that_figures_and_tables_scroll(page: Page) -> None:
    sign = "getComputedStyle(document.querySelector('figcaption'), '::after').content"
    assert page.evaluate(sign) == "none"
    for width, shown in ((390, True), (1440, False), (390, True)):
        page.set_viewport_size({"width": width, "height": 900})
        picture = "document.querySelector('.picture')"
        assert page.evaluate(f"{picture}.scrollWidth > {picture}.clientWidth") == shown
        assert ("sideways" in page.evaluate(sign)) == shown
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    table = page.locator(".scroll:has(table.sortable)").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    assert table.evaluate("each => each.scrollWidth > each.clientWidth")

    def edges() -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the colours of a table's left and right end, near its lower edge."""
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        y = int(min(box["y"] + box["height"], 900) - 2)
        left, right = int(box["x"]) + 1, int(box["x"] + box["width"]) - 2
        return image.getpixel((left, y)), image.getpixel((right, y))

    plain = tuple(map(int, re.findall(r"\d+", background(page))))
    left, right = edges()
    assert left == plain
    assert right != plain  # the shadow of what is to the right
    table.evaluate("each => { each.scrollLeft = each.scrollWidth }")
    left, right = edges()
    assert left != plain
    assert right == plain


def test_words_in_figures_are_legible_on_a_phone(page: Page) -> None:
    """Most are of 7.5 points, which at a picture's size on the screen must be 9 pixels tall."""
    page.set_viewport_size({"width": 390, "height": 900})
    for picture in page.locator(".picture svg").all():
        scale = picture.evaluate(
            "each => each.getBoundingClientRect().width / each.viewBox.baseVal.width"
        )
        assert 7.5 * scale > 9.0


def words_of(text: str) -> str:
    """Return a text in one line, without the ligatures that fonts of PDF files have."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def test_no_heading_is_the_last_on_a_printed_sheet(page: Page, tmp_path: Path) -> None:
    """Nor the lines below it: a figure follows on its sheet, whatever the length of a sheet."""
    page.emulate_media(media="print")
    headings = page.locator("main h2, main h3, main .intro").all_inner_texts()
    headings = [words_of(words) for words in headings]
    assert len(headings) > 5
    for height in ("7in", "8.27in", "10in", "11.69in"):
        document = PdfReader(io.BytesIO(page.pdf(width="8.27in", height=height)))
        sheets = [words_of(sheet.extract_text()) for sheet in document.pages]
        assert len(sheets) > 1
        for heading in headings:
            assert not [sheet for sheet in sheets if sheet.endswith(heading)], (height, heading)
            assert any(heading in sheet for sheet in sheets), (height, heading)  # none is cut


def test_it_prints_in_light_colours_with_whole_figures(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert background(page) == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    for box in page.locator(".picture").all():
        wide = box.evaluate("each => each.scrollWidth <= each.clientWidth")
        assert wide
