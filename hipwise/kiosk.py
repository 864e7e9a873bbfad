"""The kiosk's screen, and what a technician needs to set one up: the address, Chromium's flags, a systemd unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from hipwise.errors import HipwiseError
from hipwise.settings import Settings

_SCREEN = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(in|inch|inches|\"|cm)\s+(\d{3,5})\s*[x\u00d7]\s*(\d{3,5})", re.IGNORECASE)
_MM = {"in": 25.4, "inch": 25.4, "inches": 25.4, '"': 25.4, "cm": 10.0}
#: Below the smallest tablet and above the largest signage, a number is a slip of the finger.
_DIAGONAL_MM = (150.0, 2_600.0)

#: Seconds that the warning counts down. WCAG 2.2.1 asks for 20 at least.
WARNING_SECONDS = 20

#: Chromium's flags, each with its reason; docs/kiosk.md says more.
FLAGS = (
    ("--kiosk", "full screen, without bars, tabs or a way out"),
    ("--incognito", "no profile: nothing of a person is on the disk"),
    ("--no-first-run", "no welcome page"),
    ("--noerrdialogs", "no dialogs over the page"),
    ("--disable-session-crashed-bubble", "no offer to restore after a power cut"),
    ("--disable-infobars", "no bars over the page"),
    ("--disable-pinch", "no zoom by two fingers, which nobody could undo"),
    ("--overscroll-history-navigation=0", "no going back by swiping"),
    ("--disable-features=Translate,AutofillServerCommunication", "no bar that offers a translation, no autofill"),
    ("--disable-sync", "no account"),
    ("--disable-background-networking", "no calls to the browser's maker"),
    ("--force-device-scale-factor=1", "millimetres on the screen are as computed"),
    ("--enable-speech-dispatcher", "the machine's own voice reads aloud"),
)


@dataclass(frozen=True)
class Screen:
    """A screen: its diagonal in millimetres, and its pixels as seen by someone who stands before it."""

    diagonal_mm: float
    width: int
    height: int

    @property
    def px_per_mm(self) -> float:
        """Pixels in a millimetre; pixels are taken to be square."""
        return math.hypot(self.width, self.height) / self.diagonal_mm

    @classmethod
    def parse(cls, text: str) -> Screen:
        """Read a screen as people write it: ``21.5in 1920x1080``, ``54.6 cm 1080x1920``.

        Raises:
            HipwiseError: it is not one, or no screen has that size.
        """
        found = _SCREEN.fullmatch(text.strip())
        if found is None:
            raise HipwiseError(f"{text!r} is not a screen. Write the diagonal and the pixels: 21.5in 1920x1080")
        diagonal = float(found[1].replace(",", ".")) * _MM[found[2].lower()]
        if not _DIAGONAL_MM[0] <= diagonal <= _DIAGONAL_MM[1]:
            raise HipwiseError(f"{text!r}: no kiosk has a screen of that size.")
        return cls(diagonal, int(found[3]), int(found[4]))


def address(settings: Settings, screen: Screen | None = None, *, printer: bool = False, headset: bool = False) -> str:
    """Return the address that the kiosk's browser opens; what this kiosk has of its own is in the query."""
    base = settings.public_url.rstrip("/")
    if not base:
        host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host
        base = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    query: dict[str, str] = {}
    if screen is not None:
        query["mm"] = f"{screen.px_per_mm:.3f}"
    if printer:
        query["printer"] = "1"
    if headset:
        query["headset"] = "1"
    return f"{base}/kiosk" + (f"?{urlencode(query)}" if query else "")


def unit(url: str, flags: tuple[str, ...]) -> str:
    """Return a systemd unit that shows the kiosk on a machine with nothing but ``cage`` (a Wayland kiosk) and Chromium."""
    # A percent sign means something to systemd.
    escaped = url.replace("%", "%%")
    command = " ".join((*flags, f'"{escaped}"'))
    return f"""[Unit]
Description=Hipwise kiosk
After=network-online.target sound.target
Wants=network-online.target
Conflicts=getty@tty1.service

[Service]
User=kiosk
PAMName=login
TTYPath=/dev/tty1
TTYReset=yes
StandardInput=tty-fail
# Show the page, not the browser's complaint, when this machine is up before the server.
TimeoutStartSec=infinity
ExecStartPre=/bin/sh -c 'until curl -fsS -o /dev/null "{escaped}"; do sleep 2; done'
# The profile lives in memory: a power cut leaves nothing.
RuntimeDirectory=kiosk
RuntimeDirectoryMode=0700
Environment=HOME=%t/kiosk
ExecStart=/usr/bin/cage -d -- /usr/bin/chromium --user-data-dir=%t/kiosk/profile {command}
Restart=always
RestartSec=2

[Install]
WantedBy=graphical.target"""


def is_local(url: str) -> bool:
    """Whether an address only works on the machine itself, so that no phone can open it."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def print_kiosk(settings: Settings, screen: str = "", *, printer: bool = False, headset: bool = False) -> int:
    """Print what a technician needs; ``screen`` is this kiosk's own, or empty for the server's setting.

    Raises:
        HipwiseError: the screen is not one.
    """
    measured = Screen.parse(screen or settings.screen)
    url = address(settings, measured if screen else None, printer=printer, headset=headset)
    flags = [*FLAGS]
    if printer:
        flags.append(("--kiosk-printing", "prints on the standard printer, without a dialog"))
    if urlsplit(url).scheme == "http" and not is_local(url):
        origin = url.partition("/kiosk")[0]
        flags.append((f"--unsafely-treat-insecure-origin-as-secure={origin}", "the offline copy, where there is no TLS"))
    width = max(len(flag) for flag, _ in flags) + 2
    millimetre = measured.px_per_mm
    lines = [
        "Address",
        f"  {url}",
        "",
        "Screen",
        f"  {measured.diagonal_mm / 25.4:.1f} in, {measured.width} x {measured.height}: {millimetre:.2f} pixels to the "
        f"millimetre; a touch target of 20 mm is {math.ceil(20 * millimetre)} pixels.",
        f"  Without a touch for {settings.idle_seconds} s it asks, and {WARNING_SECONDS} s later it erases.",
        "",
        "Chromium's flags",
        *(f"  {flag.ljust(width)}{why}" for flag, why in flags),
        "",
        "systemd unit: /etc/systemd/system/hipwise-kiosk.service",
        *(f"  {line}".rstrip() for line in unit(url, tuple(flag for flag, _ in flags)).splitlines()),
        "",
        "Then: useradd --system --groups video,audio,input kiosk; systemctl enable --now hipwise-kiosk",
        "",
    ]
    notes = []
    if not settings.public_url or is_local(settings.public_url):
        notes.append(
            "HIPWISE_PUBLIC_URL is not set to an address that a phone can open: unless the kiosk itself opens the server by "
            "such an address, it shows no QR code."
        )
    if not settings.staff_webhook:
        notes.append("HIPWISE_STAFF_WEBHOOK is not set: in an emergency the kiosk says to call out, and calls nobody itself.")
    if notes:
        lines += ["Note", *(f"  {note}" for note in notes), ""]
    print("\n".join(lines))
    return 0
