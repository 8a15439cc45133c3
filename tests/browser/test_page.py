"""A report as people see it, in Chromium: requests, console, keyboard, colours, widths, print."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from synthetic_tables import synthetic_tables

from initperf_figures.report import write_report

WIDTHS = (390, 1440, 1920)
FIGURES = ("final_accuracy", "activation_variance", "learning_rates", "symmetry", "speed")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    names = ("zeros", "glorot_uniform", "he_normal", "large_normal")
    tables = synthetic_tables(names=names, seeds=2, epochs=2, steps_per_epoch=4)
    page = write_report(tables, tmp_path_factory.mktemp("page") / "report", only=FIGURES)
    return page.as_uri()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "these tests need Chromium, Debian's package chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    """Open the page; afterwards it must have asked for nothing else and have printed nothing."""
    context = chromium.new_context(
        color_scheme=request.param, viewport={"width": WIDTHS[1], "height": 900}
    )
    opened = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda asked: requests.append(asked.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(address)
    yield opened
    assert set(requests) == {address}
    assert complaints == []
    context.close()


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_nothing_overflows_at_any_width(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), width


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
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#answer")


def test_a_script_that_is_not_the_page_s_does_not_run(chromium: Browser, address: str) -> None:
    opened = chromium.new_page()
    opened.goto(address)
    opened.evaluate(
        "() => { const added = document.createElement('script');"
        " added.textContent = 'window.ran = true'; document.body.append(added); }"
    )
    assert opened.evaluate("window.ran") is None
    opened.close()


def test_it_prints_in_light_colours_with_whole_figures(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert background(page) == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    for box in page.locator(".picture").all():
        wide = box.evaluate("each => each.scrollWidth <= each.clientWidth")
        assert wide
