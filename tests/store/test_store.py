"""The store: what a turn needs is read, a turn is written whole or not at all, and nobody else can read it."""

from __future__ import annotations

import json
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, SlotSet, UserUttered
from rasa.shared.core.slots import AnySlot, TextSlot
from rasa.shared.core.trackers import DialogueStateTracker

from hipwise.errors import HipwiseError
from hipwise.replies.build import default_builder
from hipwise.store.conversations import ConversationStore
from hipwise.store.database import connect
from hipwise.store.tracker_store import WINDOW, SqliteTrackerStore


def domain() -> Domain:
    return Domain.from_dict({"version": "3.1", "slots": {"topic": {"type": "text", "mappings": [{"type": "custom"}]}}})


@pytest.fixture
def trackers(tmp_path: Path) -> SqliteTrackerStore:
    return SqliteTrackerStore(domain=domain(), db=tmp_path / "db.sqlite")


async def turn(trackers: SqliteTrackerStore, text: str, conversation: str = "c") -> None:
    """Save one turn, as Rasa does it: retrieve, update, save."""
    tracker = await trackers.retrieve(conversation) or DialogueStateTracker(conversation, domain().slots)
    tracker.update(UserUttered(text, {"name": "x"}))
    tracker.update(SlotSet("topic", text))
    tracker.update(BotUttered(f"re: {text}"))
    await trackers.save(tracker)


def texts(tracker: DialogueStateTracker | None) -> list[str]:
    assert tracker is not None
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]


async def test_what_is_saved_is_retrieved(trackers: SqliteTrackerStore) -> None:
    assert await trackers.retrieve("c") is None
    assert not await trackers.exists("c")
    await turn(trackers, "one")
    tracker = await trackers.retrieve("c")
    assert texts(tracker) == ["one"]
    assert tracker is not None
    assert tracker.get_slot("topic") == "one"
    assert await trackers.exists("c")
    assert await trackers.keys() == ["c"]


async def test_a_long_conversation_is_read_from_its_last_turns(trackers: SqliteTrackerStore) -> None:
    for number in range(200):
        await turn(trackers, f"t{number}")
    tracker = await trackers.retrieve("c")
    assert texts(tracker) == [f"t{number}" for number in range(200 - WINDOW, 200)]
    assert tracker is not None
    assert tracker.get_slot("topic") == "t199"
    assert len(tracker.events) <= 3 * WINDOW + 1
    whole = await trackers.retrieve_full_tracker("c")
    assert texts(whole) == [f"t{number}" for number in range(200)]
    # Nothing is written twice.
    assert trackers.connection.execute("SELECT count(*) FROM events").fetchone() == (600,)


async def test_slots_outlive_the_window(trackers: SqliteTrackerStore) -> None:
    tracker = DialogueStateTracker("c", domain().slots)
    tracker.update(UserUttered("first", {"name": "x"}))
    tracker.update(SlotSet("topic", "kept"))
    await trackers.save(tracker)
    for number in range(WINDOW + 3):
        tracker = await trackers.retrieve("c")
        assert tracker is not None
        tracker.update(UserUttered(f"t{number}", {"name": "x"}))
        await trackers.save(tracker)
    found = await trackers.retrieve("c")
    assert found is not None
    assert found.get_slot("topic") == "kept"


async def test_saving_twice_appends_once(trackers: SqliteTrackerStore) -> None:
    tracker = DialogueStateTracker("c", domain().slots)
    tracker.update(UserUttered("one", {"name": "x"}))
    await trackers.save(tracker)
    await trackers.save(tracker)
    assert texts(await trackers.retrieve("c")) == ["one"]


async def test_a_turn_that_fails_writes_nothing(trackers: SqliteTrackerStore) -> None:
    store = ConversationStore(trackers)
    reply = default_builder().reply("ask_duration")

    async def failing() -> None:
        with trackers.turn() as unit:
            await turn(trackers, "one")
            unit.also(lambda: store.keep_answer("c", "m", [reply]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await failing()
    assert await trackers.retrieve("c") is None
    assert store.answered("c", "m") is None
    assert not trackers.connection.in_transaction


async def test_a_turn_whose_last_write_fails_is_rolled_back(trackers: SqliteTrackerStore) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk full")

    async def failing() -> None:
        with trackers.turn() as unit:
            await turn(trackers, "one")
            unit.also(fail)

    with pytest.raises(sqlite3.OperationalError):
        await failing()
    assert await trackers.retrieve("c") is None
    await turn(trackers, "two")
    assert texts(await trackers.retrieve("c")) == ["two"]


async def test_nothing_of_a_turn_is_seen_before_its_end(trackers: SqliteTrackerStore, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "db.sqlite")
    with trackers.turn():
        await turn(trackers, "one")
        assert other.execute("SELECT count(*) FROM events").fetchone() == (0,)
    assert other.execute("SELECT count(*) FROM events").fetchone() == (3,)
    other.close()


async def test_the_log_is_emptied_or_it_is_said_that_it_could_not_be(trackers: SqliteTrackerStore, tmp_path: Path) -> None:
    await turn(trackers, "one")
    log = tmp_path / "db.sqlite-wal"
    assert log.stat().st_size > 0
    assert trackers.truncate_log()
    assert log.stat().st_size == 0
    await turn(trackers, "two")
    reader = sqlite3.connect(tmp_path / "db.sqlite")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    await turn(trackers, "three")
    # SQLite waited ten seconds for the reader, and so did every patient.
    began = time.monotonic()
    assert not trackers.truncate_log()
    assert time.monotonic() - began < 5
    assert trackers.connection.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
    reader.close()
    assert trackers.truncate_log()


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    connection = connect(tmp_path / "deep" / "db.sqlite")
    connection.execute("INSERT INTO conversations VALUES ('c', 'web', 0, 0, '{}')")
    for path in (tmp_path / "deep").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    connection.close()


@pytest.mark.parametrize("how", ["no database", "a folder"])
def test_a_file_that_is_none_is_said_so(tmp_path: Path, how: str) -> None:
    path = tmp_path / "db.sqlite"
    if how == "a folder":
        path.mkdir()
    else:
        path.write_bytes(b"this is not a database " * 100)
    with pytest.raises(HipwiseError, match="cannot keep conversations there"):
        connect(path)


async def test_history_leaves_out_what_was_not_said(trackers: SqliteTrackerStore) -> None:
    store = ConversationStore(trackers)
    store.create("c", "web")
    reply = default_builder().reply("ask_duration")
    tracker = DialogueStateTracker("c", [*domain().slots, AnySlot("x", mappings=[]), TextSlot("y", mappings=[])])
    tracker.update(UserUttered("EXTERNAL: greet", metadata={"is_external": True}))
    tracker.update(UserUttered("/ask_duration", {"name": "x"}, metadata={"shown": "How long?"}, message_id="m1"))
    tracker.update(BotUttered(reply.text, metadata={"reply": reply.to_state()}))
    tracker.update(BotUttered("an utterance without a reply"))
    await trackers.save(tracker)
    user, bot = store.history("c")
    assert (user["from"], user["text"], user["message_id"]) == ("user", "How long?", "m1")
    assert bot["from"] == "bot"
    assert json.dumps({k: v for k, v in bot.items() if k in reply.as_dict()}) == json.dumps(reply.as_dict())


async def test_offers_belong_to_their_conversation(trackers: SqliteTrackerStore) -> None:
    store = ConversationStore(trackers)
    reply = default_builder().reply("ask_duration")
    store.keep_answer("c", "m", [reply])
    payload = reply.suggestions[0].payload
    assert store.offered("c", payload) == reply.suggestions[0].title
    assert store.offered("d", payload) is None
    assert store.offered("c", payload + "x") is None
    await store.erase("c")
    assert store.offered("c", payload) is None


@pytest.mark.parametrize("name", [":memory:", Path(":memory:")])
def test_a_database_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | Path) -> None:
    monkeypatch.chdir(tmp_path)
    connect(name).close()
    assert list(tmp_path.iterdir()) == []
