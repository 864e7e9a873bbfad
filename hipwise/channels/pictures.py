"""Draws the figures as PNG, since no messaging platform shows SVG.

Run ``uv run python -m hipwise.channels.pictures`` after a figure changed. It needs Chromium and Playwright, which the browser
tests use; the pictures are kept beside the figures, so that a server needs neither.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
from pathlib import Path

from hipwise.errors import HipwiseError
from hipwise.paths import HOME

FIGURES = HOME / "web" / "public" / "figures"
#: Figures that replies name. The folder also holds icons, which no platform is sent.
NAMES = ("femoral_head", "course", "compare", "activities")
#: Pixels of a picture's width: sharp on a telephone, and far below every platform's 5 MB.
WIDTH = 1080
#: The PNG's text field that holds the figure's hash.
_FROM = "hipwise-svg-sha256"


def is_current(name: str, folder: Path = FIGURES) -> bool:
    """Return whether the PNG of the figure ``name`` was drawn from the SVG as it is."""
    from PIL import Image

    picture = folder / f"{name}.png"
    if not picture.is_file():
        return False
    with Image.open(picture) as image:
        return bool(image.info.get(_FROM) == _hash(folder / f"{name}.svg"))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def draw(folder: Path = FIGURES) -> list[Path]:
    """Draw every figure whose PNG is missing or old, and return the files written.

    Raises:
        HipwiseError: Chromium or Playwright is not there.
    """
    old = [name for name in NAMES if not is_current(name, folder)]
    if not old:
        return []
    browser_path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise HipwiseError("pictures: Playwright is needed; `uv sync` installs it with the development packages.") from error
    if browser_path is None:
        raise HipwiseError("pictures: Chromium is needed; install the package `chromium`, or set CHROMIUM to its path.")
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    written = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": WIDTH})
        for name in old:
            svg = folder / f"{name}.svg"
            page.set_content(
                f"<style>body{{margin:0;background:#fff}}svg{{display:block;width:{WIDTH}px}}</style>{svg.read_text('utf-8')}"
            )
            raw = page.locator("svg").first.screenshot()
            info = PngInfo()
            info.add_text(_FROM, _hash(svg))
            # 64 colours are enough for flat drawings, and a quarter of the size.
            with Image.open(io.BytesIO(raw)) as image:
                image.convert("RGB").quantize(64).save(folder / f"{name}.png", optimize=True, pnginfo=info)
            written.append(folder / f"{name}.png")
        browser.close()
    return written


def main() -> int:
    """Draw what is old."""
    try:
        for path in draw():
            print(f"{path.name}: {path.stat().st_size // 1024} kB")
    except HipwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
