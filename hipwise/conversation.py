"""The one way from a patient's message to its replies. Every channel uses it, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import unicodedata
from contextlib import nullcontext
from typing import Any
from weakref import WeakValueDictionary

from hipwise.insights import metrics
from hipwise.logs import describe
from hipwise.replies import Reply, ReplyBuilder
from hipwise.safety import SafetyCheck
from hipwise.store.conversations import ConversationStore

log = logging.getLogger(__name__)

#: Characters of text in one message. Longer ones are refused before NLU sees them: 20,000 took stock Rasa 4.3 s and 2.4 GB.
LONGEST = 1_000

#: Intents that the conversation itself acts on, once the turn is over.
_FORGET, _FEEDBACK_KEPT = "service_forget_me", "service_feedback_kept"


class MessageTooLong(Exception):
    """The message is longer than :data:`LONGEST`. ``replies`` says so, after the red flag that it holds, if any."""

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__("message too long")
        self.replies = replies


class TurnFailed(Exception):
    """The message could not be answered. ``replies`` still holds the emergency advice if it spoke of a red flag."""

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__("turn failed")
        self.replies = replies


class ConversationUnknown(Exception):
    """There is no such conversation (any more)."""


class _Collector:
    """An output channel that keeps the replies instead of sending them."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.replies: list[Reply] = []

    def name(self) -> str:
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        if state := message.get("reply"):
            self.replies.append(Reply.from_state(state))


class Conversations:
    """Opens, continues and erases conversations.

    Args:
        agent: the loaded Rasa agent.
        builder: builds the few replies that need no NLU.
        safety: the deterministic red-flag check, for messages that NLU never sees.
        store: what is kept; None keeps nothing beyond the agent's own tracker store.
    """

    def __init__(
        self, agent: Any, builder: ReplyBuilder, safety: SafetyCheck, store: ConversationStore | None = None
    ) -> None:
        self._processor = agent.processor
        self.builder = builder
        self._safety = safety
        self.store = store
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _lock(self, conversation: str) -> asyncio.Lock:
        lock = self._locks.get(conversation)
        if lock is None:
            lock = self._locks[conversation] = asyncio.Lock()
        return lock

    async def warm(self) -> None:
        """Understand one question, keeping nothing, so that the first patient does not wait for what is loaded lazily."""
        from rasa.core.channels.channel import UserMessage

        await self._processor.parse_message(UserMessage("how long does it last?"))

    async def open(self, channel: str, conversation: str | None = None) -> tuple[str, list[Reply]]:
        """Begin a conversation and greet.

        Args:
            channel: the channel's name.
            conversation: an id that the channel made from an identity which it has verified; None makes one of 128 bits.

        Returns:
            The conversation's id and the greeting.
        """
        conversation = conversation or secrets.token_urlsafe(16)
        collector = _Collector(channel)
        async with self._lock(conversation):
            if self.store:
                self.store.create(conversation, channel)
            with self._turn() as turn:
                tracker = await self._processor.fetch_tracker_with_initial_session(conversation, collector)
                await self._processor.trigger_external_user_uttered("smalltalk_greet", None, tracker, collector)
                if store := self.store:
                    # The greeting's buttons are offers like any other.
                    turn.also(lambda: store.keep_answer(conversation, "", collector.replies))
        return conversation, collector.replies

    def _turn(self) -> Any:
        return self.store.trackers.turn() if self.store else nullcontext()

    async def say(
        self, conversation: str, text: str, *, channel: str, message_id: str | None = None, existing: bool = False
    ) -> list[Reply]:
        """Answer one message.

        Messages of one conversation are answered one after the other, and the same ``message_id`` always gets the same
        replies, saying nothing twice.

        Args:
            conversation: the conversation's id.
            text: what the patient typed, or the payload of a button that this conversation offered.
            channel: the channel's name.
            message_id: the client's or the platform's own id of the message.
            existing: refuse a conversation that is not stored, instead of beginning it.

        Raises:
            ConversationUnknown: ``existing`` is set, and it is not stored; it may have been erased while the message waited.
            MessageTooLong: over 1,000 characters.
            TurnFailed: something broke; it is logged, without the words.
        """
        message_id = message_id or secrets.token_urlsafe(12)
        started = time.perf_counter()
        if len(text) > LONGEST:
            raise MessageTooLong([*self.emergency(text), self.builder.reply("too_long")])
        async with self._lock(conversation):
            try:
                if self.store:
                    if existing and not self.store.exists(conversation):
                        raise ConversationUnknown
                    if (answered := self.store.answered(conversation, message_id)) is not None:
                        return answered
                replies = await self._answer(conversation, text, channel, message_id)
            except ConversationUnknown:
                raise
            except Exception as error:
                # Where and what, but never the message: an exception's text may quote the patient.
                log.error("turn_failed", extra={"channel": channel, **describe(error)})
                metrics.failures.labels(channel=channel).inc()
                raise TurnFailed(self.emergency(text)) from None
        metrics.observe_turn(channel, replies, time.perf_counter() - started)
        return replies

    async def _answer(self, conversation: str, text: str, channel: str, message_id: str) -> list[Reply]:
        pressed = self._pressed(conversation, text, channel) if text.startswith("/") else None
        words = text if pressed is not None else clean(text)
        aside = None
        if pressed is not None and not self.builder.catalogue.has(text[1:]):
            aside = "old_button"
        elif not any(character.isalnum() for character in words):
            aside = "empty"
        if aside is not None:
            replies = [self.builder.reply(aside)]
            if self.store:
                self.store.create(conversation, channel)
                self.store.keep_aside(conversation, message_id, pressed or text, replies)
            return replies
        from rasa.core.channels.channel import UserMessage

        collector = _Collector(channel)
        message = UserMessage(
            text=words,
            output_channel=collector,
            sender_id=conversation,
            input_channel=channel,
            message_id=message_id,
            metadata={"shown": pressed or text},
        )
        store = self.store
        with self._turn() as turn:
            await self._processor.handle_message(message)
            if not collector.replies:
                # Rasa goes on when an action fails. Nothing of such a turn is kept, so that trying again helps.
                raise RuntimeError("no reply was made")
            topics = {reply.topic for reply in collector.replies}
            if store and _FORGET in topics:
                # This turn is not even written.
                turn.discard()
                await store.erase(conversation)
                store.create(conversation, channel)
            elif store:
                turn.also(lambda: store.keep_answer(conversation, message_id, collector.replies))
                if _FEEDBACK_KEPT in topics:
                    turn.also(lambda: store.keep_feedback(conversation, message_id, 0, "down", words))
        return collector.replies

    def _pressed(self, conversation: str, text: str, channel: str) -> str | None:
        """Return what stood on the button that ``text`` is the payload of; None if no such button was offered."""
        offered = self.store.offered(conversation, text) if self.store else None
        if offered is None and channel == "kiosk" and text.startswith("/ask_") and self.builder.catalogue.has(text[1:]):
            # A kiosk shows every question as a tile, from /api/v1/topics: all of them are on offer.
            return str(self.builder.catalogue.about(text[1:]).get("title") or text)
        return offered

    async def erase(self, conversation: str) -> None:
        """Erase everything that is stored of a conversation, once the message that is being answered is."""
        async with self._lock(conversation):
            if self.store:
                await self.store.erase(conversation)

    async def erase_silent(self, channel: str | None, seconds: float) -> int:
        """Erase the conversations (of ``channel``, or of all) that were silent for ``seconds``; return how many."""
        if self.store is None:
            return 0
        erased = 0
        for conversation in self.store.silent(channel, seconds):
            async with self._lock(conversation):
                # It may have spoken while this waited.
                if self.store.is_silent(conversation, seconds):
                    await self.store.trackers.delete(conversation)
                    erased += 1
            # Many at once must not keep patients waiting.
            await asyncio.sleep(0)
        # Also when nothing was erased now: someone's reading may have kept the log from being emptied the last time.
        self.store.truncate_log()
        return erased

    def emergency(self, text: str) -> list[Reply]:
        """Return the emergency advice that the words of ``text`` call for, without NLU: one reply, or none."""
        finding = self._safety.check(text)
        return [self.builder.reply(finding.says[0].removeprefix("utter_"))] if finding else []


def clean(text: str) -> str:
    """Return what a patient typed, as words only.

    Control characters go (also the invisible ones that reverse or join text), lone surrogates too, since no database takes
    them; and leading slashes, since Rasa takes ``/intent{"entity": "x"}`` for an order.
    """
    categories = [(character, unicodedata.category(character)) for character in unicodedata.normalize("NFC", text)]
    kept = (" " if category in _BREAKS else character for character, category in categories if category not in _INVISIBLE)
    return "".join(kept).strip().lstrip("/ ").strip()


#: Unicode categories: control characters and separators of lines; format, surrogate, private and unassigned code points.
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn"})

