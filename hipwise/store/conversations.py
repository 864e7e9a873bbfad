"""What is stored of a conversation beside Rasa's events: answered messages, offered buttons, feedback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hipwise.replies.reply import Reply
from hipwise.store.tracker_store import SqliteTrackerStore


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

    def keep_aside(self, conversation: str, message: str, shown: str, replies: Iterable[Reply]) -> None:
        """Keep a message that is answered without Rasa (it has no words), as part of what was said.

        It stands among Rasa's events, for the order, with a type of its own that the tracker does not see.
        """
        replies = list(replies)
        now = time.time()
        data = {"text": shown, "message_id": message, "timestamp": now, "replies": [r.to_state() for r in replies]}
        with self.transaction() as db:
            db.execute(
                "INSERT INTO events (conversation, type, data) VALUES (?, 'aside', ?)", (conversation, json.dumps(data))
            )
            self.touch(conversation)
            self.keep_answer(conversation, message, replies)

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
            "SELECT type, data FROM events WHERE conversation = ? AND type IN ('user', 'bot', 'aside') ORDER BY seq",
            (conversation,),
        )
        for kind, data in rows:
            event = json.loads(data)
            metadata = event.get("metadata") or {}
            if kind == "aside":
                at = _iso(event["timestamp"])
                messages.append({"from": "user", "at": at, "text": event["text"], "message_id": event["message_id"]})
                messages.extend({"from": "bot", "at": at, **Reply.from_state(r).as_dict()} for r in event["replies"])
            elif kind == "user":
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
        """Erase everything that is stored of a conversation, the write-ahead log included."""
        await self.trackers.delete(conversation)
        self.trackers.truncate_log()

    def truncate_log(self) -> None:
        """Empty the write-ahead log where erased words may still stand in it: another process may have been reading then."""
        if self.trackers.log_owed:
            self.trackers.truncate_log()

    def touch(self, conversation: str) -> None:
        """Record that someone is there."""
        with self.transaction() as db:
            db.execute("UPDATE conversations SET seen = ? WHERE id = ?", (time.time(), conversation))

    def silent(self, channel: str | None, seconds: float) -> list[str]:
        """Return the conversations (of ``channel``, or of all) in which nothing was said for ``seconds``."""
        before = time.time() - seconds
        if channel is None:
            rows = self._db.execute("SELECT id FROM conversations WHERE seen < ?", (before,))
        else:
            rows = self._db.execute("SELECT id FROM conversations WHERE channel = ? AND seen < ?", (channel, before))
        return [row[0] for row in rows]

    def is_silent(self, conversation: str, seconds: float) -> bool:
        """Return whether the conversation is stored and nothing was said in it for ``seconds``."""
        found = self._db.execute(
            "SELECT 1 FROM conversations WHERE id = ? AND seen < ?", (conversation, time.time() - seconds)
        ).fetchone()
        return found is not None


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, tz=UTC).isoformat(timespec="milliseconds")
