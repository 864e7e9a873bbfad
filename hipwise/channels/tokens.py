"""Tokens that open one conversation, for a while."""

from __future__ import annotations

import hashlib
import time

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

#: Characters of a token at most. Ours have about 90; nothing longer is worth a signature check.
_LONGEST = 512


class Tokens:
    """Signs and checks tokens. A token names its conversation and when it ends; nothing is stored for it.

    Args:
        secret: the server's key.
        hours: how long a token is valid.
    """

    def __init__(self, secret: bytes, hours: float) -> None:
        self._signer = URLSafeSerializer(
            secret, salt="hipwise.conversation", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )
        self._seconds = hours * 3600

    def issue(self, conversation: str) -> tuple[str, int]:
        """Return a token for ``conversation`` and the second (Unix time) at which it ends."""
        ends = int(time.time() + self._seconds)
        return str(self._signer.dumps([conversation, ends])), ends

    def read(self, token: str) -> tuple[str, int] | None:
        """Return the conversation that ``token`` opens and when it ends, or None if it opens none (any more)."""
        if len(token) > _LONGEST:
            return None
        try:
            conversation, ends = self._signer.loads(token)
            signature = token.rpartition(".")[2]
            # The last letter of base64 has bits that mean nothing. One token, one spelling.
            if base64_encode(base64_decode(signature)) != signature.encode():
                return None
        except (BadData, ValueError, TypeError):
            return None
        return (str(conversation), int(ends)) if time.time() < ends else None

    def ends(self, token: str, conversation: str) -> int | None:
        """Return when ``token`` ends, or None if it is not a valid token of ``conversation``."""
        found = self.read(token)
        return found[1] if found is not None and found[0] == conversation else None
