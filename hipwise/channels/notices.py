"""Words that only messaging needs: for what cannot be read, for groups, for haste. Everything else is in ``domain.yml``."""

from __future__ import annotations

from hipwise.replies import Reply
from hipwise.safety.regions import Region

_WORDS = {
    # A voice note may be a cry for help, so each of these says where help is.
    "voice": "Sorry, I can't listen to recordings. Please type your question. In an emergency, call {number} now.",
    "picture": (
        "Sorry, I can't look at pictures. Please type your question. If you sent a scan or a test result, ask your doctor "
        "what it means. In an emergency, call {number}."
    ),
    "sticker": "I can only read words. What would you like to know? Please type your question.",
    "location": "Sorry, I can't see where you are, and I can't send help. In an emergency, call {number} now.",
    "file": (
        "Sorry, I can't open files. Please type your question. If you sent a test result, ask your doctor what it means. "
        "In an emergency, call {number}."
    ),
    "other": "Sorry, I can only read words. Please type your question. In an emergency, call {number}.",
    "group": "I don't answer here, since others can read it and health is private. Please write to me in a private chat.",
    "haste": "You are writing faster than I can answer. Please wait a minute. In an emergency, don't wait: call {number}.",
}
NAMES = tuple(_WORDS)


def notice(name: str, region: Region) -> Reply:
    """Return the notice ``name``, one of :data:`NAMES`."""
    return Reply(text=_WORDS[name].format(number=region.emergency_number), kind="service", topic=f"notice_{name}")
