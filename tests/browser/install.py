"""Install Chromium for the browser tests where it is missing: ``python -m tests.browser.install``.

Debian's and Ubuntu's package first, then the browser that Playwright downloads. Does nothing where there is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.support import chromium


def present() -> bool:
    """Whether a browser is there: the machine's, or Playwright's own."""
    if chromium():
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).is_file()


def attempts() -> list[list[str]]:
    """The commands that may bring one, in the order in which they are tried; each list is one after another."""
    found: list[list[str]] = []
    if apt := shutil.which("apt-get"):
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if not prefix or shutil.which("sudo"):
            found += [[*prefix, apt, "-qq", "update"], [*prefix, apt, "-qq", "install", "-y", "chromium"]]
    found.append([sys.executable, "-m", "playwright", "install", "chromium"])
    return found


def main() -> int:
    """Install it if need be; 1 if that was not possible."""
    if present():
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print("Installing Chromium for the browser tests ...", flush=True)
    for command in attempts():
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if present():
            return 0
        if done.returncode:
            print(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-300:]}", file=sys.stderr)
    print("No Chromium, and none could be installed. Install it, or name one in CHROMIUM.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
