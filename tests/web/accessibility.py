"""Whether a page can be used by everybody, as axe-core judges it."""

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def assert_usable(page: Page, width: int) -> None:
    """That axe-core finds nothing, and that nothing is wider than the window."""
    # A page that is not loaded anew has it still: half of what a small view takes.
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = AxeResults(page.evaluate("axe.run({ resultTypes: ['violations'] })"))
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
