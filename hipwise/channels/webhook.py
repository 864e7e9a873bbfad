"""From a platform's request to the patient's answer: verify, acknowledge, once, in order."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from limits import parse

from hipwise.channels.base import Channel, Incoming, MalformedUpdate, WebhookRequest, WebhookResponse
from hipwise.channels.deliver import Sender
from hipwise.channels.identity import Identity
from hipwise.channels.notices import notice
from hipwise.channels.rates import RateLimits
from hipwise.channels.responses import ApiError
from hipwise.channels.state import Handled, Menus, OptOuts, SqliteHandled
from hipwise.channels.text import choose, offered
from hipwise.conversation import MessageTooLong, TurnFailed
from hipwise.insights import metrics
from hipwise.logs import describe
from hipwise.replies import Reply
from hipwise.safety.regions import Region
from hipwise.settings import Settings

log = logging.getLogger(__name__)

#: Bytes of a webhook. Telegram's longest message takes 50 kB with all characters escaped; Meta bundles several.
LARGEST_WEBHOOK = 1024 * 1024
#: Seconds after which a message is not answered any more. Meta re-delivers for seven days; older ones are replays.
OLDEST = 8 * 86_400.0
#: Characters of a message that are looked at: enough to see that it is too long, and for a red flag in it.
LONGEST_TEXT = 8_000
#: Events of one request that are looked at.
MOST_EVENTS = 1_000

_FORGET = "service_forget_me"
_URGENT = ("urgent", "crisis")
_ONE_A_MINUTE = parse("1/minute")


class Inbox:
    """Handles the webhooks of all channels.

    Args:
        settings: rate limit of messages.
        identity: makes the ids.
        region: whose emergency number the notices give.
        sender: makes the platforms' calls.
        conversations: returns the conversations, or None while the model loads.
        handled: remembers webhooks; by default in the conversations' database.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        region: Region,
        sender: Sender,
        conversations: Callable[[], Any],
        handled: Callable[[Handled], Handled] | None = None,
    ) -> None:
        self._identity = identity
        self._region = region
        self._sender = sender
        self._conversations = conversations
        self._wrap = handled
        self._limits = RateLimits(settings)
        self._handled: Handled | None = None
        self._tasks: set[asyncio.Task[bool]] = set()
        self._last: dict[str, asyncio.Task[bool]] = {}
        self._mine: set[str] = set()

    # --- The request -------------------------------------------------------------------------------------------------

    async def receive(self, channel: Channel, request: WebhookRequest) -> WebhookResponse:
        """Answer one request of the platform."""
        if request.method != "POST":
            return channel.handshake(request)
        if len(request.body) > LARGEST_WEBHOOK:
            return _refuse(413, "too_large")
        if not _verified(channel, request):
            return _refuse(401, "unauthorized")
        if (challenge := channel.challenge(request)) is not None:
            return challenge
        conversations = self._conversations()
        if conversations is None or conversations.store is None:
            # Not acknowledged, so the platform delivers it again.
            return _refuse(503, "not_ready", {"Retry-After": "5"})
        try:
            events = channel.translate(request)[:MOST_EVENTS]
        except MalformedUpdate:
            return _refuse(400, "malformed")
        tasks: list[asyncio.Task[bool]] = []
        elsewhere = False
        handled = self._memory(conversations)
        for event in sorted(events, key=lambda event: event.at):
            event = replace(event, text=event.text[:LONGEST_TEXT])
            if event.at and time.time() - event.at > OLDEST:
                continue
            key = self._identity.message(event.channel, f"webhook {event.id}")
            if key in self._mine:
                continue
            self._mine.add(key)
            try:
                claim = await handled.claim(key)
            except Exception as error:  # a database that is locked, say: not acknowledged, so it comes again
                self._mine.discard(key)
                log.error("not_claimed", extra={"channel": event.channel, **describe(error)})
                return _refuse(503, "not_ready", {"Retry-After": "30"})
            if not claim.mine:
                self._mine.discard(key)
                elsewhere = elsewhere or not claim.done
                continue
            if event.kind == "failed":
                metrics.sends_failed.labels(channel=event.channel).inc()
                log.error("not_delivered", extra={"channel": event.channel, "reason": event.text})
                await handled.finish(key)
                self._mine.discard(key)
                continue
            tasks.append(self._queue(channel, event, key, claim.sent))
        if tasks and channel.patience:
            # Held open for a while: if this process dies now, the platform delivers it again.
            finished, _ = await asyncio.wait(tasks, timeout=channel.patience)
            if not all(task.result() for task in finished):
                return _refuse(503, "not_ready", {"Retry-After": "30"})
        if elsewhere and not tasks:
            # Another process has it, or had it and died. Later it is done, or free to be taken.
            return _refuse(503, "not_ready", {"Retry-After": "30"})
        return channel.acknowledge()

    def _memory(self, conversations: Any) -> Handled:
        if self._handled is None:
            own: Handled = SqliteHandled(conversations.store.trackers.connection)
            self._handled = self._wrap(own) if self._wrap else own
        return self._handled

    def _queue(self, channel: Channel, event: Incoming, key: str, sent: int) -> asyncio.Task[bool]:
        """Handle the event after those of the same person that came before."""
        person = self._identity.conversation(event.channel, event.person)
        before = self._last.get(person)
        task = asyncio.create_task(self._in_order(before, channel, event, person, key, sent))
        self._tasks.add(task)
        self._last[person] = task

        def done(finished: asyncio.Task[bool]) -> None:
            self._tasks.discard(finished)
            self._mine.discard(key)
            if self._last.get(person) is finished:
                del self._last[person]

        task.add_done_callback(done)
        return task

    async def _in_order(
        self, before: asyncio.Task[bool] | None, channel: Channel, event: Incoming, person: str, key: str, sent: int
    ) -> bool:
        """Handle one event and return whether it is done with."""
        handled = self._memory(self._conversations())
        try:
            # A spinner need not wait for its turn.
            if calls := channel.confirm(event):
                await self._sender.send(channel, event.channel, calls)
            if before is not None:
                await asyncio.wait([before])
            if event.kind != "nothing":
                async with handled.turn(person):
                    await self._deliver(handled, channel, event, person, key, sent, await self._answer(channel, event))
            await handled.finish(key)
        except asyncio.CancelledError:
            await handled.release(key)
            raise
        except Exception as error:
            log.error("message_not_handled", extra={"channel": event.channel, **describe(error)})
            await handled.release(key)
            return False
        return True

    async def _answer(self, channel: Channel, event: Incoming) -> list[Reply]:
        try:
            return await self.answer(event, channel.numbered)
        except Exception as error:
            log.error("message_not_answered", extra={"channel": event.channel, **describe(error)})
            metrics.failures.labels(channel=event.channel).inc()
            conversations = self._conversations()
            return [*conversations.emergency(event.text), conversations.builder.reply("technical_problem")]

    async def _deliver(
        self, handled: Handled, channel: Channel, event: Incoming, person: str, key: str, sent: int, replies: list[Reply]
    ) -> None:
        if not replies:
            return

        async def progress(count: int) -> None:
            await handled.progress(key, count)

        wanted = await self._sender.send(channel, event.channel, channel.render(replies, event), sent, progress)
        if not wanted and event.channel == "sms":
            # The carrier knows of a STOP that never reached us.
            self._opt_outs().add(person)

    # --- The answer --------------------------------------------------------------------------------------------------

    async def answer(self, event: Incoming, numbered: frozenset[str] = frozenset()) -> list[Reply]:
        """Return the replies to one event, in the order in which they are to be sent.

        Args:
            event: what came in.
            numbered: channels on which a number chooses from the last list.
        """
        conversations = self._conversations()
        conversation = self._identity.conversation(event.channel, event.person)
        message = self._identity.message(event.channel, event.id)
        opt_outs = self._opt_outs()
        if event.kind == "stop":
            # Carriers forbid an answer; Twilio gives its own.
            opt_outs.add(conversation)
            return []
        if opt_outs.has(conversation):
            if event.kind != "resume" and event.text.strip().casefold() != "yes":
                return []
            opt_outs.remove(conversation)
            event = replace(event, kind="start")
        if event.kind == "resume":
            event = replace(event, kind="start")
        if event.kind == "group":
            try:
                self._limits.hit(_ONE_A_MINUTE, "group", conversation)
            except ApiError:
                return []
            return [notice("group", self._region)]
        try:
            self._limits.hit(self._limits.messages, "messages", conversation)
        except ApiError:
            if conversations.store.answered(conversation, message) is None:
                return self._hasty(conversations, conversation, event)
        replies = await self._converse(conversations, conversation, message, event, numbered)
        if event.channel in numbered:
            self._menus().keep(conversation, offered(replies))
        return replies

    def _hasty(self, conversations: Any, conversation: str, event: Incoming) -> list[Reply]:
        """Return the emergency advice if it is needed, else one notice a minute."""
        if urgent := conversations.emergency(event.text):
            return list(urgent)
        try:
            self._limits.hit(_ONE_A_MINUTE, "notice", conversation)
        except ApiError:
            return []
        return [notice("haste", self._region)]

    async def _converse(
        self, conversations: Any, conversation: str, message: str, event: Incoming, numbered: frozenset[str]
    ) -> list[Reply]:
        first = not self._talked(conversations, conversation, message)
        greeting = await self._greeting(conversations, conversation, event.channel) if first or event.kind == "start" else []
        if event.kind == "start":
            return self._keep(conversations, conversation, message, greeting)
        replies = await self._respond(conversations, conversation, message, event, numbered)
        if not first or any(reply.topic in ("smalltalk_greet", _FORGET) for reply in replies):
            return replies
        # An emergency is answered before anything else is said.
        urgent = any(reply.kind in _URGENT for reply in replies)
        return [*replies, *greeting] if urgent else [*greeting, *replies]

    async def _respond(
        self, conversations: Any, conversation: str, message: str, event: Incoming, numbered: frozenset[str]
    ) -> list[Reply]:
        store, builder = conversations.store, conversations.builder
        text = event.text
        if event.kind == "help":
            return self._keep(conversations, conversation, message, [builder.reply("service_help")])
        if event.kind == "unreadable":
            return self._keep(conversations, conversation, message, [notice(event.what or "other", self._region)])
        if event.kind == "press" and store.offered(conversation, text) is None:
            # Only what this conversation was offered counts: an old button after "forget me", or a forged one.
            return self._keep(conversations, conversation, message, [builder.reply("old_button")])
        if event.kind == "text" and event.channel in numbered:
            choice = choose(text, self._menus().last(conversation))
            if choice and store.offered(conversation, choice.payload) is not None:
                text = choice.payload
        replies: list[Reply]
        try:
            replies = list(await conversations.say(conversation, text, channel=event.channel, message_id=message))
        except MessageTooLong as error:
            replies = self._keep(conversations, conversation, message, error.replies)
        except TurnFailed as error:
            replies = [*error.replies, builder.reply("technical_problem")]
        if any(reply.topic == _FORGET for reply in replies):
            # Nothing is kept of what was offered either, so there is nothing to press.
            replies = [replace(reply, suggestions=()) for reply in replies]
        if event.what:
            # Words under a picture: the words are answered, and it is said that the picture was not looked at.
            urgent = sum(reply.kind in _URGENT for reply in replies)
            replies.insert(urgent, notice(event.what, self._region))
        return replies

    async def _greeting(self, conversations: Any, conversation: str, channel: str) -> list[Reply]:
        stored = conversations.store.answered(conversation, "")
        if stored is not None:
            return list(stored)
        try:
            _, greeting = await conversations.open(channel, conversation)
        except Exception as error:  # the answer must not fail with the greeting
            log.error("no_greeting", extra={"channel": channel, **describe(error)})
            return [conversations.builder.reply("smalltalk_greet")]
        return list(greeting)

    @staticmethod
    def _keep(conversations: Any, conversation: str, message: str, replies: list[Reply]) -> list[Reply]:
        """Keep what was not said through ``say``, so that its buttons count as offered."""
        conversations.store.keep_answer(conversation, message, replies)
        return replies

    @staticmethod
    def _talked(conversations: Any, conversation: str, message: str) -> bool:
        """Return whether this conversation was answered before, other than with a greeting and to this very message."""
        row = conversations.store.trackers.connection.execute(
            "SELECT 1 FROM answers WHERE conversation = ? AND message NOT IN ('', ?) LIMIT 1", (conversation, message)
        ).fetchone()
        return row is not None

    def _menus(self) -> Menus:
        return Menus(self._conversations().store.trackers.connection)

    def _opt_outs(self) -> OptOuts:
        return OptOuts(self._conversations().store.trackers.connection)

    async def close(self, seconds: float = 3.0) -> None:
        """Finish what was acknowledged, for so many seconds; then let go of the rest."""
        if self._tasks:
            _, pending = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in pending:
                task.cancel()
            if pending:
                log.error("messages_abandoned", extra={"count": len(pending)})
                await asyncio.wait(pending, timeout=1)
        await self._sender.close()
        close = getattr(self._handled, "close", None)
        if close is not None:
            await close()


def _verified(channel: Channel, request: WebhookRequest) -> bool:
    try:
        return channel.verify(request)
    except Exception as error:  # whatever cannot be checked is not verified
        log.warning("not_verifiable", extra={"channel": channel.name, **describe(error)})
        return False


def _refuse(status: int, code: str, headers: dict[str, str] | None = None) -> WebhookResponse:
    metrics.refused.labels(code=code).inc()
    body = json.dumps({"error": {"code": code, "message": "The request is refused."}})
    return WebhookResponse(status, body, "application/json", headers or {})
