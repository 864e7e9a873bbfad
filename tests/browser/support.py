"""What the browser tests share: where things are, the real server, and a hand on the widget."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP = {"width": 1100, "height": 800}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
#: A window of 1280 x 1024 at 400 %.
ZOOMED = {"width": 320, "height": 256}


OpenPage = Callable[..., Page]


def chromium() -> str | None:
    """The path of the machine's Chromium (``CHROMIUM`` names another); None lets Playwright look for its own."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


class RealServer:
    """``hipwise serve`` in a process of its own, with a database of its own; it can be stopped and started again."""

    def __init__(self, folder: Path, origin: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "log.txt"
        self._environment = {
            **os.environ,
            "PORT": str(self.port),
            "HIPWISE_DATABASE": str(folder / "hipwise.sqlite"),
            "HIPWISE_ORIGINS": origin,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> RealServer:
        """Start, and wait until it is ready."""
        command = [sys.executable, "-m", "hipwise.cli", "serve"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):  # noqa: S310
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        pytest.fail(f"the server did not start:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End the process, as a restart would."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


class Widget:
    """The widget on a page, as a person would find it: by names and roles."""

    def __init__(self, page: Page, selector: str = "hipwise-chat") -> None:
        self.page = page
        self.root = page.locator(selector)
        self.panel = self.root.get_by_role("dialog")
        self.launcher = self.root.get_by_role("button", name="Ask about your hip")
        self.box = self.root.get_by_role("textbox", name="Your question")
        self.users = self.root.locator("li.user .text")
        self.bots = self.root.locator("li.bot")
        self.problem = self.root.locator(".problem")
        self.notices = self.root.locator("li.notice")
        #: What a screen reader is told politely.
        self.said = self.panel.locator("hipwise-announcer p")

    def open(self) -> Widget:
        """Open the panel and wait for what is in it."""
        self.launcher.click()
        expect(self.bots.first).to_be_visible()
        return self

    def button(self, name: str, *, exact: bool = True) -> Locator:
        """A button of the widget by its name."""
        return self.root.get_by_role("button", name=name, exact=exact)

    def try_again(self) -> None:
        """Press "Try again" if it is there: the page tries by itself too, so it can go between a look and a press."""
        self.root.evaluate("e => e.shadowRoot.querySelector('.problem button')?.click()")

    def write(self, text: str) -> None:
        """Write in the box and press Enter."""
        self.box.fill(text)
        self.box.press("Enter")

    def ask(self, text: str) -> Locator:
        """Ask, wait for the answer, and return its first reply."""
        before = self.bots.count()
        self.write(text)
        answer = self.bots.nth(before)
        expect(answer).to_be_visible()
        return answer

    def options(self) -> None:
        """Show the options."""
        self.button("Options").click()
        expect(self.panel.get_by_role("heading", name="Options")).to_be_focused()

    def focused(self) -> str:
        """The name of what has the focus inside the widget; empty when it is elsewhere."""
        script = """e => {
          const active = e.shadowRoot.activeElement;
          return active ? active.getAttribute('aria-label') || active.innerText || active.id : '';
        }"""
        return str(self.root.evaluate(script)).strip()
