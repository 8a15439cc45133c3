"""The page of a check as people see it, in Chromium: requests, console, colours, widths."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from synthetic_checks import shown_check

from initperf_figures._check_page import check_page

WIDTHS = (390, 1440, 1920)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "check.html"
    path.write_text(check_page(**shown_check()), encoding="utf-8")
    return path.as_uri()


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
    context = chromium.new_context(color_scheme=request.param)
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


def test_nothing_overflows_at_any_width(page: Page) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), width


def test_the_picture_takes_the_colours_of_the_page(page: Page) -> None:
    letters = page.locator("figure svg path[style*='--ink']").first
    body = page.evaluate("getComputedStyle(document.body).color")
    assert letters.evaluate("each => getComputedStyle(each).fill") in (body, "none")


def test_operations_are_sorted_by_their_heads(page: Page) -> None:
    page.get_by_role("button", name="rms").click()
    first = page.locator("table tbody tr td").first
    assert first.inner_text() == "blocks.11.fc"
    page.get_by_role("button", name="rms").press("Enter")
    assert first.inner_text() == "blocks.0.fc"


def test_the_first_tab_leads_to_the_verdict(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#verdict")
