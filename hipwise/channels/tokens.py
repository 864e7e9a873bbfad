"""Tokens that open one conversation, for a while."""

from __future__ import annotations

import time

from itsdangerous import BadSignature, URLSafeSerializer


class Tokens:
    """Signs and checks tokens. A token names its conversation and when it ends; nothing is stored for it.

    Args:
        secret: the server's key.
        hours: how long a token is valid.
    """

    def __init__(self, secret: bytes, hours: float) -> None:
        self._signer = URLSafeSerializer(secret, salt="hipwise.conversation")
        self._seconds = hours * 3600

    def issue(self, conversation: str) -> tuple[str, int]:
        """Return a token for ``conversation`` and the second (Unix time) at which it ends."""
        ends = int(time.time() + self._seconds)
        return str(self._signer.dumps([conversation, ends])), ends

    def ends(self, token: str, conversation: str) -> int | None:
        """Return when ``token`` ends, or None if it is not a valid token of ``conversation``."""
        try:
            named, ends = self._signer.loads(token)
        except (BadSignature, ValueError, TypeError):
            return None
        return int(ends) if named == conversation and time.time() < ends else None
