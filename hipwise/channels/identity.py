"""Names for people and messages that hold no telephone number: keyed hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac

#: Prefix of a conversation's id by channel, so that a person who reads a list of ids sees where each comes from.
PREFIXES = {"telegram": "tg", "sms": "sms", "whatsapp": "wa", "messenger": "fb", "slack": "slack"}


class Identity:
    """Derives ids with HMAC-SHA256.

    A plain hash of a telephone number can be undone by hashing all numbers; with the server's key it cannot, short of having
    the key.

    Args:
        secret: the server's key (:func:`hipwise.secret.load_secret`). Another key is derived from it, so that no id says
            anything about a token and the other way round.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.new(secret, b"hipwise.channels.identity.1", hashlib.sha256).digest()

    def conversation(self, channel: str, person: str) -> str:
        """Return the id of ``person``'s conversation: prefix, hyphen, 22 characters (128 bits)."""
        return f"{PREFIXES[channel]}-{self._hash('person', channel, person)}"

    def message(self, channel: str, message: str) -> str:
        """Return an id for a platform's message id. WhatsApp's hold the number in Base64, so none is kept as it is."""
        return self._hash("message", channel, message)

    def _hash(self, *parts: str) -> str:
        # The lengths go in too, so that ("a", "bc") and ("ab", "c") differ.
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        data = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
        return base64.urlsafe_b64encode(hmac.new(self._key, data, hashlib.sha256).digest()[:16]).rstrip(b"=").decode()
