"""A Rasa tracker store that reads and writes only what a turn needs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from hipwise.paths import VAR
from hipwise.store.database import OWNED, connect

#: User turns that a tracker is loaded with. Rules look at one turn and "repeat that" at the one before; slots carry the
#: rest. Rasa's SQL store reads the whole session, so that turn 200 costs ten times turn 1.
WINDOW = 4


@dataclass
class Turn:
    """What a turn will have written once it is over."""

    trackers: list[DialogueStateTracker] = field(default_factory=list)
    writes: list[Callable[[], object]] = field(default_factory=list)

    def also(self, write: Callable[[], object]) -> None:
        """Call ``write`` after the trackers are written, in the same transaction."""
        self.writes.append(write)

    def discard(self) -> None:
        """Write nothing."""
        self.trackers.clear()
        self.writes.clear()


#: Milliseconds that emptying the log waits for another process to end its reading. SQLite would wait the connection's whole
#: timeout, ten seconds, in which no patient is answered.
_LOG_WAIT = 50

#: The turn at whose end trackers are saved, where there is one (see :meth:`SqliteTrackerStore.turn`).
_deferred: ContextVar[Turn | None] = ContextVar("_deferred", default=None)


class SqliteTrackerStore(TrackerStore):
    """Conversations in one SQLite file.

    ``retrieve`` returns a tracker with the last :data:`WINDOW` user turns, preceded by the slots as they stand; ``save``
    appends the events that are new. Nothing is read twice and no event is rewritten.

    Use it in ``endpoints.yml`` with ``type: hipwise.store.tracker_store.SqliteTrackerStore`` and ``db: path``.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        db: Path | str = VAR / "hipwise.sqlite",
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self.connection: sqlite3.Connection = connect(db)
        #: Whether something was erased whose words may still stand in the write-ahead log.
        self.log_owed = False

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is written inside, all or nothing.

        Re-entrant: an inner one belongs to the outer, so that a turn's events and its answer are committed together.
        """
        if self.connection.in_transaction:
            yield self.connection
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Return the tracker of ``sender_id`` with its last turns, or None where there is none."""
        row = self.connection.execute("SELECT slots FROM conversations WHERE id = ?", (sender_id,)).fetchone()
        if row is None:
            return None
        since = self.connection.execute(
            "SELECT seq FROM events WHERE conversation = ? AND type = 'user' ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (sender_id, WINDOW - 1),
        ).fetchone()
        rows = self.connection.execute(
            "SELECT data FROM events WHERE conversation = ? AND seq >= ? AND type != 'aside' ORDER BY seq",
            (sender_id, since[0] if since else 0),
        ).fetchall()
        events: list[Event] = []
        if since:
            events.extend(SlotSet(name, value, timestamp=0.0) for name, value in json.loads(row[0]).items())
        events.extend(_events(json.loads(data) for (data,) in rows))
        return self._tracker(sender_id, events)

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """Return the tracker with every event, or None where there is none."""
        rows = self.connection.execute(
            "SELECT data FROM events WHERE conversation = ? AND type != 'aside' ORDER BY seq", (conversation_id,)
        ).fetchall()
        if not rows:
            return None
        return self._tracker(conversation_id, _events(json.loads(data) for (data,) in rows))

    def _tracker(self, sender_id: str, events: list[Event]) -> DialogueStateTracker:
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots, domain=self.domain)
        # Where the events end that need no saving. Rasa passes the very same object to `save`.
        tracker._hipwise_saved = len(tracker.events)
        return tracker

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Write what a turn saves at its end, together with what the block gives :meth:`Turn.also`, all or nothing.

        Rasa saves the tracker before the caller knows the replies. Killed in between, a client that sends its message again
        would find it in the history twice. Between the events and the answer there must be no commit, and no other turn's
        writes either, so nothing is written until the block ends; and nothing at all if it fails.
        """
        turn = Turn()
        token = _deferred.set(turn)
        try:
            yield turn
        finally:
            _deferred.reset(token)
        if not turn.trackers and not turn.writes:
            return
        with self.transaction():
            for tracker in turn.trackers:
                self._write(tracker)
            for write in turn.writes:
                write()

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append the events that came since the tracker was retrieved; inside a :meth:`turn`, at its end."""
        await self.stream_events(tracker)
        turn = _deferred.get()
        if turn is None:
            self._write(tracker)
        elif not any(tracker is other for other in turn.trackers):
            turn.trackers.append(tracker)

    def _write(self, tracker: DialogueStateTracker) -> None:
        saved = getattr(tracker, "_hipwise_saved", 0)
        new = [event for number, event in enumerate(tracker.events) if number >= saved]
        now = time.time()
        slots = {name: slot.value for name, slot in tracker.slots.items() if slot.value != slot.initial_value}
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO conversations (id, channel, created, seen, slots) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, slots = excluded.slots",
                (tracker.sender_id, tracker.get_latest_input_channel() or "", now, now, json.dumps(slots)),
            )
            connection.executemany(
                "INSERT INTO events (conversation, type, data) VALUES (?, ?, ?)",
                [(tracker.sender_id, event.type_name, json.dumps(event.as_dict())) for event in new],
            )
        tracker._hipwise_saved = len(tracker.events)

    async def stream_events(self, tracker: DialogueStateTracker) -> None:
        """Pass new events to an event broker, where one is configured."""
        if self.event_broker is None:
            return
        new = list(tracker.events)[getattr(tracker, "_hipwise_saved", 0) :]
        await self._stream_new_events(self.event_broker, new, tracker.sender_id)

    async def exists(self, conversation_id: str) -> bool:
        """Return whether the conversation is stored."""
        found = self.connection.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
        return found is not None

    async def keys(self) -> list[str]:
        """Return the ids of all conversations."""
        return [row[0] for row in self.connection.execute("SELECT id FROM conversations")]

    async def delete(self, sender_id: str) -> None:
        """Erase everything that is stored of a conversation."""
        with self.transaction() as connection:
            self.log_owed = True
            for table, column in OWNED.items():
                connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (sender_id,))  # noqa: S608 - our own names

    def truncate_log(self) -> bool:
        """Move what was written into the database file and empty the write-ahead log, where erased words may still stand.

        Returns:
            Whether it could be done; another process that reads right now prevents it. It stays owed then (``log_owed``).
        """
        if self.connection.in_transaction:
            return False
        patience = self.connection.execute("PRAGMA busy_timeout").fetchone()[0]
        self.connection.execute(f"PRAGMA busy_timeout={_LOG_WAIT}")
        try:
            busy, _, _ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self.connection.execute(f"PRAGMA busy_timeout={patience}")
        self.log_owed = bool(busy)
        return not busy

    def close(self) -> None:
        """Close the database."""
        self.connection.close()


def _events(states: Iterator[dict[str, Any]]) -> list[Event]:
    return [event for event in map(Event.from_parameters, states) if event is not None]
