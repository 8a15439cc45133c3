"""The page of a check as people see it, in Chromium: requests, console, colours, widths."""

import pytest
from page_checks import check_skip_link, check_widths
from playwright.sync_api import Page
from synthetic_checks import shown_check

from initperf_figures._check_page import check_page


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "check.html"
    path.write_text(check_page(**shown_check()), encoding="utf-8")
    return path.as_uri()


def test_nothing_overflows_at_any_width(page: Page) -> None:
    check_widths(page)


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
    check_skip_link(page, "#verdict")
