"""What is stored of a conversation beside Rasa's events: answered messages, offered buttons, feedback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hipwise.replies.reply import Reply
from hipwise.store.tracker_store import SqliteTrackerStore

_DAY_SECONDS = 86_400


class ConversationStore:
    """Reads and writes the tables beside the events, in the same database and transactions."""

    def __init__(self, trackers: SqliteTrackerStore) -> None:
        self.trackers = trackers
        self._db = trackers.connection
        self.transaction = trackers.transaction

    def create(self, conversation: str, channel: str) -> None:
        """Record a new conversation; one that exists stays as it is."""
        now = time.time()
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO conversations (id, channel, created, seen) VALUES (?, ?, ?, ?)",
                (conversation, channel, now, now),
            )

    def exists(self, conversation: str) -> bool:
        """Return whether the conversation is stored."""
        return self._db.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation,)).fetchone() is not None

    def channel(self, conversation: str) -> str | None:
        """Return the channel on which the conversation was opened, or None where there is none."""
        row = self._db.execute("SELECT channel FROM conversations WHERE id = ?", (conversation,)).fetchone()
        return str(row[0]) if row else None

    def answered(self, conversation: str, message: str) -> list[Reply] | None:
        """Return the replies that the client's message ``message`` already got, or None."""
        row = self._db.execute(
            "SELECT replies FROM answers WHERE conversation = ? AND message = ?", (conversation, message)
        ).fetchone()
        return [Reply.from_state(state) for state in json.loads(row[0])] if row else None

    def keep_answer(self, conversation: str, message: str, replies: Iterable[Reply]) -> None:
        """Keep the replies to a message, so that sending it again says nothing twice, and the buttons that they offered."""
        replies = list(replies)
        offers = [(conversation, s.payload, s.title) for reply in replies for s in reply.suggestions]
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO answers (conversation, message, at, replies) VALUES (?, ?, ?, ?)",
                (conversation, message, time.time(), json.dumps([reply.to_state() for reply in replies])),
            )
            db.executemany("INSERT OR REPLACE INTO offers (conversation, payload, title) VALUES (?, ?, ?)", offers)

    def offered(self, conversation: str, payload: str) -> str | None:
        """Return the title of a button that was offered in this conversation with this payload, or None."""
        row = self._db.execute(
            "SELECT title FROM offers WHERE conversation = ? AND payload = ?", (conversation, payload)
        ).fetchone()
        return str(row[0]) if row else None

    def history(self, conversation: str) -> list[dict[str, Any]]:
        """Return what was said, oldest first, to redraw a page.

        User messages are ``{"from", "at", "text", "message_id"}``; replies are ``{"from", "at", **reply}``.
        """
        messages: list[dict[str, Any]] = []
        rows = self._db.execute(
            "SELECT type, data FROM events WHERE conversation = ? AND type IN ('user', 'bot') ORDER BY seq", (conversation,)
        )
        for kind, data in rows:
            event = json.loads(data)
            metadata = event.get("metadata") or {}
            if kind == "user":
                text = metadata.get("shown") or event.get("text")
                if text and not metadata.get("is_external"):
                    message = metadata.get("message_id") or event.get("message_id")
                    messages.append({"from": "user", "at": _iso(event["timestamp"]), "text": text, "message_id": message})
            elif state := metadata.get("reply"):
                reply = Reply.from_state(state).as_dict()
                messages.append({"from": "bot", "at": _iso(event["timestamp"]), **reply})
        return messages

    def keep_feedback(self, conversation: str, message: str, reply: int, rating: str, reason: str) -> bool:
        """Keep what a patient thinks of the reply number ``reply`` to their message ``message``.

        Returns:
            Whether there is such a reply. A second rating of the same reply replaces the first.
        """
        replies = self.answered(conversation, message)
        if replies is None or not 0 <= reply < len(replies):
            return False
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO feedback (conversation, message, reply, topic, rating, reason, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (conversation, message, reply, replies[reply].topic, rating, reason, time.time()),
            )
        return True

    async def erase(self, conversation: str) -> None:
        """Erase everything that is stored of a conversation."""
        await self.trackers.delete(conversation)

    async def erase_idle(self, channel: str | None, idle_seconds: float) -> int:
        """Erase the conversations (of ``channel``, or of all) that were silent for ``idle_seconds``; return how many."""
        rows = self._db.execute(
            "SELECT id FROM conversations WHERE seen < ? AND (? IS NULL OR channel = ?)",
            (time.time() - idle_seconds, channel, channel),
        ).fetchall()
        for (conversation,) in rows:
            await self.erase(conversation)
        return len(rows)

    async def erase_expired(self, retention_days: int) -> int:
        """Erase the conversations whose last message is older than ``retention_days``; return how many."""
        return await self.erase_idle(None, retention_days * _DAY_SECONDS)


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, tz=UTC).isoformat(timespec="milliseconds")
