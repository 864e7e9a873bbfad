"""Draw the widget's main states into docs/screenshots: ``python -m tests.browser.screenshots``.

The real server answers, so the pictures show what a patient gets; the state of trouble is made by stopping it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.support import ARGUMENTS, DESKTOP, PHONE, ROOT, ZOOMED, RealServer, Widget, chromium

FOLDER = ROOT / "docs" / "screenshots"
Steps = Callable[[Widget], Any]


def draw(browser: Browser, url: str, name: str, steps: Steps, **options: Any) -> None:
    """Open the page, take the steps, and keep what is seen then."""
    context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce", **options})
    page = context.new_page()
    page.goto(url)
    steps(Widget(page))
    page.wait_for_timeout(400)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


def asked(*questions: str) -> Steps:
    """Open the panel and ask, one after another."""

    def steps(widget: Widget) -> None:
        widget.open()
        for question in questions:
            widget.ask(question)

    return steps


def sources(widget: Widget) -> None:
    """An answer with its sources shown."""
    answer = widget.open().ask("What is the treatment?")
    answer.locator("summary").click()
    answer.locator("details").scroll_into_view_if_needed()


def options(widget: Widget) -> None:
    """The options, about to delete."""
    widget.open().options()
    widget.button("Delete my conversation").click()


def main() -> int:
    """Draw them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = RealServer(Path(folder), "http://localhost:1").start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        url = server.url
        try:
            draw(browser, url, "widget-closed", lambda widget: None)
            draw(browser, url, "widget-open", asked())
            draw(browser, url, "widget-answered", asked("How long does it last?"))
            draw(browser, url, "widget-sources", sources)
            draw(browser, url, "widget-urgent", asked("I fell and now I can't put any weight on my leg"))
            draw(browser, url, "widget-options", options)
            draw(browser, url, "widget-dark", asked("Is it like regular osteoporosis?"), color_scheme="dark")
            draw(browser, url, "widget-forced-colours", asked("Can I go swimming?"), forced_colors="active")
            draw(browser, url, "widget-phone", asked("What happens in the bone?"), **PHONE)
            draw(browser, url, "widget-phone-urgent", asked("I fell and can't stand up"), **PHONE)
            draw(browser, url, "widget-400-percent", asked("How long does it last?"), viewport=ZOOMED)

            def away(widget: Widget) -> None:
                widget.open().ask("How long does it last?")
                server.stop()
                widget.write("Is it permanent?")
                expect(widget.problem).to_be_visible()

            draw(browser, url, "widget-trouble", away)
        finally:
            browser.close()
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
