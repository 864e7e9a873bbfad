"""Chromium, the servers, and a page with the widget."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.stand_in import StandIn
from tests.browser.support import ARGUMENTS, DESKTOP, ROOT, OpenPage, RealServer, Widget, chromium

expect.set_options(timeout=8_000)


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The widget, built from what is in the tree."""
    command = [sys.executable, str(ROOT / "web" / "build.py")]
    # Two processes of pytest-xdist must not write web/dist at once; whoever comes second finds it built.
    with (ROOT / "web" / "build.py").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's own process."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright brought."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def _stand_in() -> Iterator[StandIn]:
    server = StandIn().start()
    yield server
    server.close()


@pytest.fixture
def stand_in(_stand_in: StandIn) -> StandIn:
    """The server with canned replies, as new."""
    _stand_in.reset()
    return _stand_in


@pytest.fixture(scope="session")
def real_server(_stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """The server itself, with the trained model."""
    server = RealServer(tmp_path_factory.mktemp("server"), _stand_in.elsewhere).start()
    yield server
    server.stop()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts: separate storage, one person each. Anything the page throws fails the test."""
    contexts: list[BrowserContext] = []
    thrown: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
        context.set_default_timeout(8_000)
        context.on("weberror", lambda error: thrown.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert thrown == []


@pytest.fixture
def open_page(new_context: Callable[..., BrowserContext]) -> OpenPage:
    """Open an address in a context of its own, made with the options given."""

    def open_page(url: str, **options: Any) -> Page:
        page = new_context(**options).new_page()
        page.goto(url)
        return page

    return open_page


@pytest.fixture
def page(open_page: OpenPage, stand_in: StandIn) -> Page:
    """The demonstration page of the stand-in server."""
    return open_page(stand_in.url)


@pytest.fixture
def widget(page: Page) -> Widget:
    """The widget on it, closed."""
    return Widget(page)
