"""A kiosk before a gateway of its own: real conversations and a real store, and an agent that needs no model."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, ViewportSize, expect
from rasa.core.channels.channel import UserMessage

from hipwise.replies.build import default_builder
from tests.gateway import Gateway, in_thread, settings_at

#: The two ways in which such a screen is hung, in pixels; both are 21.5 inches.
PORTRAIT: ViewportSize = {"width": 1080, "height": 1920}
LANDSCAPE: ViewportSize = {"width": 1920, "height": 1080}
#: Pixels in a millimetre of them.
PX_PER_MM = 4.034


@contextmanager
def kiosk_gateway(folder: Path, port: int = 0, **changes: Any) -> Iterator[Gateway]:
    """Serve a gateway whose QR codes lead to itself; on ``port``, or on a free one."""
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
    changes.setdefault("public_url", f"http://127.0.0.1:{port}")
    with in_thread(settings_at(folder, port=port, **changes)) as gateway:
        _warn_of_falls(gateway)
        yield gateway


def _warn_of_falls(gateway: Gateway) -> None:
    """Let the fake agent give the emergency advice before its answer, as the real one does."""
    answer = gateway.processor.handle_message

    async def handle(message: UserMessage) -> None:
        if "fell" in message.text:
            reply = default_builder().reply("red_flag_general")
            await message.output_channel.send_response(message.sender_id, {"text": reply.text, "reply": reply.to_state()})
        await answer(message)

    gateway.processor.handle_message = handle  # type: ignore[method-assign]


def stored(gateway: Gateway) -> dict[str, int]:
    """How many rows each table of the store's file has, without those that have none."""
    with closing(sqlite3.connect(gateway.app.ctx.settings.database)) as file:
        names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: file.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
    return {name: count for name, count in counts.items() if count and not name.startswith("sqlite_")}


def forget_all(gateway: Gateway) -> None:
    """Empty the store's file: the test before may have left its kiosk in the middle of things."""
    with closing(sqlite3.connect(gateway.app.ctx.settings.database)) as file:
        for name in stored(gateway):
            file.execute(f'DELETE FROM "{name}"')  # noqa: S608
        file.commit()


def in_files(gateway: Gateway, words: str) -> list[str]:
    """The store's files that hold these words anywhere in their bytes."""
    database: Path = gateway.app.ctx.settings.database
    return [path.name for path in database.parent.iterdir() if path.is_file() and words.encode() in path.read_bytes()]


def until(check: Callable[[], bool], seconds: float = 8.0) -> bool:
    """Whether it comes true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if check():
            return True
        time.sleep(0.05)
    return check()


class Kiosk:
    """The kiosk on a page, as a person would find it."""

    def __init__(self, page: Page, url: str, query: str = "") -> None:
        self.page = page
        self.url = f"{url}/kiosk{query}"
        self.root = page.locator("hipwise-kiosk")
        self.frame = self.root.locator(".kiosk")
        self.heading = self.root.get_by_role("heading", level=1)
        self.box = self.root.get_by_role("textbox", name="Your question")
        self.warning = self.root.get_by_role("dialog", name="Are you still there?")

    def open(self) -> Kiosk:
        """Open the page and wait for its topics."""
        self.page.goto(self.url)
        expect(self.root.get_by_role("button", name="What is it?")).to_be_visible()
        return self

    def button(self, name: str) -> Locator:
        """A button by the beginning of its name."""
        return self.root.get_by_role("button", name=name)

    def touch(self, name: str) -> Kiosk:
        """Touch a button."""
        self.button(name).first.click()
        return self

    def at(self, screen: str) -> Kiosk:
        """Wait for a screen."""
        expect(self.frame).to_have_attribute("data-screen", screen)
        return self

    def answer(self) -> Kiosk:
        """Two touches from the attract screen to an answer with a picture."""
        return self.touch("How long does it last?").at("group").touch("How long does it last?").at("answer")

    def ask(self, text: str) -> Kiosk:
        """Write a question with a real keyboard."""
        self.touch("Write").at("write")
        self.box.fill(text)
        self.page.keyboard.press("Enter")
        return self
