"""The website's chat and the kiosk: conversations over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.channels.http import (
    ApiError,
    RateLimits,
    address,
    json_response,
    not_ready,
    read_json,
    text_field,
)
from hipwise.channels.tokens import Tokens
from hipwise.conversation import LONGEST, Conversations, ConversationUnknown, MessageTooLong, TurnFailed
from hipwise.store.conversations import ConversationStore

CHANNELS = ("web", "kiosk")
_LONGEST_ID = 128
_LONGEST_REASON = 500


class WebInput(InputChannel):
    """Serves conversations under ``/api/v1/conversations``.

    Unlike Rasa's REST channel it makes the conversation's id itself and hands out a signed token for it; a client cannot
    choose an id, and so cannot read or disturb another's conversation.
    """

    def __init__(self, tokens: Tokens, limits: RateLimits) -> None:
        self._tokens = tokens
        self._limits = limits

    @classmethod
    def name(cls) -> str:
        """Return the channel's name."""
        return "web"

    def url_prefix(self) -> str:
        """Return the path under which the channel is served."""
        return "/api/v1/conversations"

    def blueprint(self, on_new_message: Any = None) -> Blueprint:
        """Return the routes. ``on_new_message`` is Rasa's handler, which knows no replies; the routes do not use it."""
        blueprint = Blueprint("hipwise_web", url_prefix=self.url_prefix())

        # One spelling of each address: a trailing slash is another one, and there is nothing there.
        @blueprint.post("", strict_slashes=True)
        async def create(request: Request) -> HTTPResponse:
            self._limits.hit(self._limits.address, "address", address(request))
            self._limits.hit(self._limits.open, "open", address(request))
            channel = text_field(read_json(request), "channel")
            if channel not in CHANNELS:
                raise ApiError(400, "malformed", "The field 'channel' must be 'web' or 'kiosk'.")
            conversation, replies = await _conversations(request).open(channel)
            token, ends = self._tokens.issue(conversation)
            return json_response(
                {
                    "id": conversation,
                    "token": token,
                    "expires_at": _iso(ends),
                    "replies": [reply.as_dict() for reply in replies],
                },
                201,
            )

        @blueprint.post("/<conversation:str>/messages", strict_slashes=True)
        async def say(request: Request, conversation: str) -> HTTPResponse:
            _, channel, _ = self.enter(request, conversation)
            conversations = _conversations(request)
            body = read_json(request)
            text = text_field(body, "text")
            message_id = text_field(body, "message_id", least=1, most=_LONGEST_ID)
            try:
                self._limits.hit(self._limits.messages, "messages", conversation)
                replies = await conversations.say(
                    conversation, text, channel=channel, message_id=message_id, existing=True
                )
            except ApiError as error:
                # Someone in distress types fast: the emergency advice is given all the same.
                error.replies = conversations.emergency(text[:LONGEST])
                raise
            except ConversationUnknown:
                raise _unknown() from None
            except MessageTooLong as error:
                raise ApiError(
                    413, "too_long", "The message is too long: 1,000 characters at most.", replies=error.replies
                ) from None
            except TurnFailed as error:
                raise ApiError(
                    500, "internal", "Something went wrong here. Please try again.", replies=error.replies
                ) from None
            return json_response({"replies": [reply.as_dict() for reply in replies]})

        @blueprint.post("/<conversation:str>/feedback", strict_slashes=True)
        async def feedback(request: Request, conversation: str) -> HTTPResponse:
            store, _, _ = self.enter(request, conversation)
            body = read_json(request)
            message_id = text_field(body, "message_id", least=1, most=_LONGEST_ID)
            index, rating = body.get("index", 0), body.get("rating")
            reason = text_field(body, "reason", most=_LONGEST_REASON) if "reason" in body else ""
            if isinstance(index, bool) or not isinstance(index, int) or rating not in ("up", "down"):
                raise ApiError(400, "malformed", "'index' must be a whole number and 'rating' must be 'up' or 'down'.")
            if not store.keep_feedback(conversation, message_id, index, rating, reason):
                raise ApiError(404, "not_found", "There is no such reply.")
            return HTTPResponse(status=204)

        @blueprint.get("/<conversation:str>", strict_slashes=True)
        async def history(request: Request, conversation: str) -> HTTPResponse:
            store, channel, ends = self.enter(request, conversation)
            if channel == "kiosk":
                # Whoever reads on without asking is still there.
                store.touch(conversation)
            return json_response({"messages": store.history(conversation), "expires_at": _iso(ends)})

        @blueprint.delete("/<conversation:str>", strict_slashes=True)
        async def erase(request: Request, conversation: str) -> HTTPResponse:
            self.enter(request, conversation)
            await _conversations(request).erase(conversation)
            return HTTPResponse(status=204)

        return blueprint

    def enter(self, request: Request, conversation: str | None = None) -> tuple[ConversationStore, str, int]:
        """Let the caller in.

        Args:
            request: the request with the token.
            conversation: the conversation that the token has to open; None takes the one that it does open.

        Returns:
            The store, the conversation's channel, and when the token ends.

        Raises:
            ApiError: 429, 401, 503 or 404.
        """
        self._limits.hit(self._limits.address, "address", address(request))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = self._tokens.read(token.strip()) if scheme.lower() == "bearer" else None
        if found is None or conversation not in (None, found[0]):
            raise ApiError(
                401, "unauthorized", "A valid token of this conversation is needed.", headers={"WWW-Authenticate": "Bearer"}
            )
        store = _conversations(request).store
        channel = store.channel(found[0]) if store is not None else None
        # A messaging channel's conversation has no token; one with another channel's name was never handed out here.
        if store is None or channel not in CHANNELS:
            raise _unknown()
        return store, channel, found[1]


def _unknown() -> ApiError:
    return ApiError(404, "not_found", "There is no such conversation.")


def _conversations(request: Request) -> Conversations:
    conversations: Conversations | None = request.app.ctx.conversations
    if conversations is None:
        raise not_ready()
    return conversations


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
