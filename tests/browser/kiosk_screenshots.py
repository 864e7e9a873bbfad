"""Take the pictures of docs/kiosk.md: ``python -m tests.browser.kiosk_screenshots [FOLDER]``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.kiosk_support import LANDSCAPE, PORTRAIT, Kiosk, kiosk_gateway
from tests.browser.support import ARGUMENTS, ROOT, chromium

#: A voice, so that the controls for the sound are drawn.
VOICE = """
  const voice = {localService: true, lang: 'en-US', default: true, name: 'x', voiceURI: 'x'};
  speechSynthesis.getVoices = () => [voice];
  speechSynthesis.speak = () => {};
  Object.defineProperty(SpeechSynthesisUtterance.prototype, 'voice', {set() {}, configurable: true});
"""


def attract(kiosk: Kiosk) -> None:
    pass


def group(kiosk: Kiosk) -> None:
    kiosk.touch("Why did it come?").at("group")


def answer(kiosk: Kiosk) -> None:
    kiosk.answer()
    kiosk.root.locator("img.figure").evaluate("i => i.decode()")


def listening(kiosk: Kiosk) -> None:
    answer(kiosk)
    kiosk.touch("Read aloud")


def write(kiosk: Kiosk) -> None:
    kiosk.touch("Write").at("write")
    for key in "how long":
        kiosk.root.locator(f".keys [data-skbtn='{'{space}' if key == ' ' else key}']").click()


def urgent(kiosk: Kiosk) -> None:
    kiosk.ask("i fell and how long will it take").at("urgent")


def take(kiosk: Kiosk) -> None:
    answer(kiosk)
    kiosk.touch("All topics").touch("What helps?").touch("How is it treated?").at("answer")
    kiosk.touch("Take home").at("take")


def warning(kiosk: Kiosk) -> None:
    kiosk.page.clock.install()
    answer(kiosk)
    kiosk.page.clock.run_for(61_000)
    expect(kiosk.warning).to_be_visible()


def hidden(kiosk: Kiosk) -> None:
    answer(kiosk)
    kiosk.touch("Hide text").at("hidden")


def away(kiosk: Kiosk) -> None:
    kiosk.page.route("**/conversations**", lambda route: route.abort())
    kiosk.ask("is swimming good for me").at("closest")


STATES: list[Callable[[Kiosk], None]] = [attract, group, answer, listening, write, urgent, take, warning, hidden, away]


def main() -> int:
    """Write kiosk-STATE-portrait.png and -landscape.png."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    wanted = sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        kiosk_gateway(Path(scratch), staff_webhook="http://127.0.0.1:9/", public_url="https://answers.example") as gateway,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for way, viewport in (("portrait", PORTRAIT), ("landscape", LANDSCAPE)):
            for state in STATES:
                if wanted and state.__name__ not in wanted:
                    continue
                context = browser.new_context(viewport=viewport, service_workers="block")
                context.add_init_script(VOICE)
                page = context.new_page()
                page.on("pageerror", lambda error: print("ERROR", error))
                page.on("console", lambda m: print(m.type, m.text) if m.type == "error" else None)
                state(Kiosk(page, f"http://127.0.0.1:{gateway.port}", "?printer=1").open())
                page.wait_for_timeout(150)
                page.screenshot(path=str(folder / f"kiosk-{state.__name__}-{way}.png"))
                context.close()
        sheet = browser.new_page(viewport={"width": 390, "height": 844})
        sheet.goto(f"http://127.0.0.1:{gateway.port}/take-home#topics=duration,treatment,weight_bearing")
        sheet.get_by_role("heading", name="Questions to ask your doctor").wait_for()
        sheet.wait_for_timeout(300)
        sheet.screenshot(path=str(folder / "kiosk-sheet-phone.png"), full_page=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
