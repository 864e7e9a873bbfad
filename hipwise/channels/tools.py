"""``hipwise channels`` and ``hipwise preview``: for whoever sets the messaging up."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hipwise.channels.base import Channel, Incoming, Site
from hipwise.channels.messenger import Messenger
from hipwise.channels.registry import Status, status
from hipwise.channels.slack import Slack
from hipwise.channels.telegram import Telegram
from hipwise.channels.twilio import Twilio
from hipwise.channels.whatsapp import WhatsApp
from hipwise.errors import HipwiseError
from hipwise.settings import Settings

Say = Callable[[str], None]


def print_channels(settings: Settings, environment: Mapping[str, str] | None = None, say: Say = print) -> int:
    """Say which channels are on, what each needs, and the address to enter at the platform. No secret is printed."""
    public = settings.public_url.rstrip("/")
    for state in status(settings, environment):
        say(f"{state.channel.title}: {'on' if state.on else 'off'}")
        say(f"  webhook    {public or 'https://YOUR-SERVER'}{state.channel.path()}")
        for variable in state.channel.variables:
            say(f"  {_mark(state, variable.name):10} {variable.name}: {variable.about}")
    if not public.startswith("https://"):
        say("Set HIPWISE_PUBLIC_URL to the https address under which the platforms reach this server.")
    return 0


def _mark(state: Status, name: str) -> str:
    if any(variable.name == name for variable in state.missing):
        return "missing"
    return "wrong form" if any(variable.name == name for variable in state.wrong) else "set"


@dataclass(frozen=True)
class _Preview:
    """How a channel is previewed: the platform, the conversation's channel, and the addresses."""

    channel: type[Channel]
    name: str
    to: str
    via: str = ""


_NUMBER = "+15550100"
PREVIEWS = {
    "telegram": _Preview(Telegram, "telegram", "100"),
    "sms": _Preview(Twilio, "sms", _NUMBER, "+15550199"),
    "whatsapp": _Preview(WhatsApp, "whatsapp", _NUMBER.lstrip("+")),
    "whatsapp-twilio": _Preview(Twilio, "whatsapp", f"whatsapp:{_NUMBER}", "whatsapp:+15550199"),
    "messenger": _Preview(Messenger, "messenger", "100"),
    "slack": _Preview(Slack, "slack", "D100"),
}

#: Six turns: a first question, a choice, a follow-up, something that cannot be read, a red flag, the farewell. A number
#: chooses the suggestion of that place; "*" stands for a recording.
TURNS = ("How long does it last?", "2", "Can I go swimming?", "*", "I fell and now I can't stand on my leg", "forget me")
_WIDTH = 64


def preview(channel: str, say: Say = print, conversations: Any = None) -> int:
    """Print a conversation of six turns as the channel shows it.

    Args:
        channel: one of :data:`PREVIEWS`.
        say: prints a line.
        conversations: who answers; by default the trained model, with a database in memory.

    Raises:
        HipwiseError: there is no such channel, or no model.
    """
    if channel not in PREVIEWS:
        raise HipwiseError(f"preview: there is no channel {channel!r}; there are {', '.join(PREVIEWS)}.")
    return asyncio.run(_preview(PREVIEWS[channel], say, conversations or load_in_memory()))


def load_in_memory() -> Any:
    """Return conversations that are kept in memory only.

    Raises:
        HipwiseError: there is no model.
    """
    from hipwise.quiet import quieten

    quieten()
    from hipwise.server import load

    return load(replace(Settings.from_environment(), database=Path(":memory:")))


async def _preview(how: _Preview, say: Say, conversations: Any) -> int:
    from hipwise.channels.deliver import Sender
    from hipwise.channels.identity import Identity
    from hipwise.channels.text import offered
    from hipwise.channels.webhook import Inbox
    from hipwise.replies import Suggestion
    from hipwise.safety.regions import load_region

    settings = Settings.from_environment()
    identity = Identity(b"preview")
    inbox = Inbox(settings, identity, load_region(settings.region), Sender(), lambda: conversations)
    public = settings.public_url.rstrip("/") or "https://clinic.example"
    channel = how.channel({}, Site(public_url=public))
    menu: tuple[Suggestion, ...] = ()
    for number, turn in enumerate(TURNS):
        event = Incoming(how.name, "preview", f"preview {number}", "text", turn, to=how.to, via=how.via)
        shown = turn
        if turn == "*":
            event, shown = replace(event, kind="unreadable", text="", what="voice"), "[recording]"
        elif turn.isdigit() and not channel.numbered and len(menu) >= int(turn):
            chosen = menu[int(turn) - 1]
            event, shown = replace(event, kind="press", text=chosen.payload), f"[presses: {chosen.title}]"
        for line in _bubble([shown], right=True):
            say(line)
        replies = await inbox.answer(event, channel.numbered)
        menu = offered(replies) or menu
        for call in channel.render(replies, event):
            for line in _bubble(channel.show(call)):
                say(line)
    await inbox.close()
    return 0


def _bubble(lines: Iterable[str], *, right: bool = False) -> list[str]:
    """Return one message in a frame: ours to the left, the patient's to the right."""
    wrapped = [part for line in lines for part in (textwrap.wrap(line, _WIDTH, subsequent_indent="") or [""])]
    width = max(map(len, wrapped), default=0)
    margin = " " * (_WIDTH + 4 - width) if right else ""
    edge = f"{margin}+{'-' * (width + 2)}+"
    return [edge, *(f"{margin}| {line:{width}} |" for line in wrapped), edge]
