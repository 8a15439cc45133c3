"""Checks that every page must pass."""

from playwright.sync_api import Page

WIDTHS = (390, 1440, 1920)


def check_widths(page: Page) -> None:
    """Check that nothing is wider than the window, whatever the window's width."""
    root = "document.documentElement"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), width


def check_skip_link(page: Page, anchor: str) -> None:
    """Check that the first tab leads to what the page is about."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith(anchor)
