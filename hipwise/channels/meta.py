"""What WhatsApp's Cloud API and Messenger share: Meta's signature, handshake and errors."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from hipwise.channels.base import Outcome, WebhookRequest, WebhookResponse, by_status, dig

#: https://graph.facebook.com, with the version of its interface.
API = "https://graph.facebook.com/v23.0"

#: What ``hipwise channels`` says of a verify token.
VERIFY_TOKEN = "16 characters or more, made up by you, entered with the webhook"  # noqa: S105 - words, not a token

#: Error codes after which Meta says to try again: unknown or service error, throttling of the app, the account, the number
#: or the pair of numbers, temporary failures.
_AGAIN = frozenset({1, 2, 4, 17, 32, 341, 613, 1200, 80007, 130429, 131000, 131016, 131056, 133004})


def signed(secret: str, request: WebhookRequest) -> bool:
    """Return whether ``X-Hub-Signature-256`` is the body's HMAC-SHA256 under the app's secret.

    The digest is fixed: a caller who may name it names a weak one.
    """
    expected = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-hub-signature-256", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def handshake(token: str, request: WebhookRequest) -> WebhookResponse:
    """Answer the request with which Meta checks the address: the challenge, if the verify token is ours."""
    if len(request.query) > 2_000:
        return WebhookResponse(400)
    query = {name: values[0] for name, values in parse_qs(request.query).items()}
    given = query.get("hub.verify_token", "")
    if query.get("hub.mode") != "subscribe" or not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        return WebhookResponse(403)
    challenge = query.get("hub.challenge", "")
    # Echoed as plain text; anything but letters and digits has no business here.
    return WebhookResponse(200, challenge) if challenge.isascii() and challenge.isalnum() else WebhookResponse(400)


def outcome(status: int, headers: Mapping[str, str], body: Any) -> Outcome:
    """Return what the Graph API's answer means."""
    if 200 <= status < 300:
        return Outcome(taken=True)
    code = dig(body, int, "error", "code")
    general = by_status(status, headers, code)
    again = general.again or code in _AGAIN or bool(dig(body, bool, "error", "is_transient"))
    return Outcome(taken=False, again=again, after=general.after, reason=general.reason)
