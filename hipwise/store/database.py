"""One SQLite file, opened for many small writes that must survive the process."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from hipwise.errors import HipwiseError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    created REAL NOT NULL,
    seen REAL NOT NULL,
    slots TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS conversations_seen ON conversations (seen);
CREATE INDEX IF NOT EXISTS conversations_silent ON conversations (channel, seen);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of ON events (conversation, seq);
CREATE TABLE IF NOT EXISTS answers (
    conversation TEXT NOT NULL,
    message TEXT NOT NULL,
    at REAL NOT NULL,
    replies TEXT NOT NULL,
    PRIMARY KEY (conversation, message)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offers (
    conversation TEXT NOT NULL,
    payload TEXT NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (conversation, payload)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS menus (
    conversation TEXT PRIMARY KEY,
    entries TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhooks (
    key TEXT PRIMARY KEY,
    at REAL NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS webhooks_at ON webhooks (at);
CREATE TABLE IF NOT EXISTS opted_out (
    conversation TEXT PRIMARY KEY,
    at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feedback (
    seq INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL,
    message TEXT NOT NULL,
    reply INTEGER NOT NULL,
    topic TEXT,
    rating TEXT NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL,
    UNIQUE (conversation, message, reply)
);
"""

#: Every table that holds something of a conversation, and the column that names it. Erasing walks this list, so a table
#: that is added to the schema and not here fails the test that erases. Two are not here on purpose: ``webhooks`` holds keyed
#: hashes of message ids and names no conversation; ``opted_out`` outlives erasure, since a person who forbade messages has
#: to stay known (as a keyed hash) for the ban to hold.
OWNED = {"events": "conversation", "answers": "conversation", "offers": "conversation",
         "menus": "conversation", "feedback": "conversation", "conversations": "id"}


def connect(path: Path | str) -> sqlite3.Connection:
    """Open (and if need be create) the database at ``path``; ``":memory:"`` keeps it in memory.

    Write-ahead logging with ``synchronous=NORMAL``: a commit is in the operating system's hands when it returns, so nothing
    that was answered is lost when the process is killed, and no turn waits for the disk. ``secure_delete`` overwrites what
    is erased, since "delete my data" should not leave the words in free pages.

    Raises:
        HipwiseError: the file cannot be opened or is not a database.
    """
    try:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Patients' words: for the owner only. SQLite gives its log files the rights of the database.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.executescript(_SCHEMA)
    except (sqlite3.Error, OSError) as error:
        raise HipwiseError(f"{path}: cannot keep conversations there ({error}).") from error
    return connection
