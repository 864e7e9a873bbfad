"""What messaging keeps beside the conversations: which webhooks were handled, the last menu, who opted out."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from hipwise.logs import describe
from hipwise.replies import Suggestion

log = logging.getLogger(__name__)

#: Seconds after which a webhook that was begun and never finished may be begun again: its process died.
LEASE = 90.0
#: Seconds that handled webhooks are remembered. Meta re-delivers for up to seven days.
REMEMBERED = 10 * 86_400.0
_PURGE_EVERY = 3_600.0


@dataclass(frozen=True)
class Claim:
    """Whether this process may handle a webhook: ``mine``; if not, whether it is ``done``, or in other hands.

    ``sent`` is the number of calls that an earlier attempt made, which are not made again.
    """

    mine: bool
    done: bool = False
    sent: int = 0


class Handled(Protocol):
    """Remembers which webhooks were handled. Keys are keyed hashes of the platforms' ids."""

    async def claim(self, key: str) -> Claim:
        """Take the webhook ``key``, unless it is done or in other hands."""

    async def progress(self, key: str, sent: int) -> None:
        """Record that ``sent`` of its calls were made."""

    async def finish(self, key: str) -> None:
        """Record that it is done."""

    async def release(self, key: str) -> None:
        """Give it back, so that a re-delivery is handled."""

    def turn(self, conversation: str) -> Any:
        """Return an asynchronous context in which no other process answers this conversation."""


class SqliteHandled:
    """Keeps the handled webhooks in the conversations' database. Processes that share the file share the memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._purged = 0.0

    async def claim(self, key: str) -> Claim:
        now = time.time()
        if now - self._purged > _PURGE_EVERY:
            self._purged = now
            self._db.execute("DELETE FROM webhooks WHERE at < ?", (now - REMEMBERED,))
        # One statement, so that of two processes one gets it.
        taken = self._db.execute(
            "INSERT INTO webhooks (key, at) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE done = 0 AND at < excluded.at - ? RETURNING sent",
            (key, now, LEASE),
        ).fetchone()
        if taken is not None:
            return Claim(mine=True, sent=int(taken[0]))
        row = self._db.execute("SELECT done FROM webhooks WHERE key = ?", (key,)).fetchone()
        return Claim(mine=False, done=bool(row and row[0]))

    async def progress(self, key: str, sent: int) -> None:
        self._db.execute("UPDATE webhooks SET sent = ?, at = ? WHERE key = ?", (sent, time.time(), key))

    async def finish(self, key: str) -> None:
        self._db.execute("UPDATE webhooks SET done = 1, at = ? WHERE key = ?", (time.time(), key))

    async def release(self, key: str) -> None:
        self._db.execute("UPDATE webhooks SET at = 0 WHERE key = ? AND done = 0", (key,))

    @asynccontextmanager
    async def turn(self, conversation: str) -> AsyncIterator[None]:
        """One process: its own queue keeps the order, so there is nothing to lock."""
        yield


#: Deletes a lock only if it is still ours.
_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
_LOCK_SECONDS = 60


class RedisHandled:
    """Keeps the handled webhooks in Redis, for several processes or machines.

    Where Redis does not answer, ``fallback`` is asked: a patient who is answered twice is better than one who is not at all.
    """

    def __init__(self, url: str, fallback: Handled) -> None:
        import redis.asyncio

        self._redis = redis.asyncio.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)
        self._errors: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._fallback = fallback
        self._complained = False

    def _failed(self, error: Exception) -> None:
        if not self._complained:
            # From here on duplicates are recognised by the database alone.
            log.error("redis_failed", extra=describe(error))
        self._complained = True

    @staticmethod
    def _name(key: str) -> str:
        return f"hipwise:webhook:{key}"

    async def claim(self, key: str) -> Claim:
        try:
            # The lease is the key's life: when its process dies, the key goes, and the webhook may be taken again.
            if await self._redis.set(self._name(key), "0", nx=True, ex=int(LEASE)):
                self._complained = False
                sent = await self._redis.get(f"{self._name(key)}:sent")
                return Claim(mine=True, sent=int(sent or 0))
            return Claim(mine=False, done=await self._redis.get(self._name(key)) == "done")
        except self._errors as error:
            self._failed(error)
            return await self._fallback.claim(key)

    async def progress(self, key: str, sent: int) -> None:
        try:
            await self._redis.set(f"{self._name(key)}:sent", str(sent), ex=int(REMEMBERED))
        except self._errors as error:
            self._failed(error)
            await self._fallback.progress(key, sent)

    async def finish(self, key: str) -> None:
        try:
            await self._redis.set(self._name(key), "done", ex=int(REMEMBERED))
        except self._errors as error:
            self._failed(error)
            await self._fallback.finish(key)

    async def release(self, key: str) -> None:
        try:
            await self._redis.delete(self._name(key))
        except self._errors as error:
            self._failed(error)
            await self._fallback.release(key)

    @asynccontextmanager
    async def turn(self, conversation: str) -> AsyncIterator[None]:
        """Hold the conversation's lock, so that two processes do not answer one person at the same time."""
        name, token, held = f"hipwise:turn:{conversation}", secrets.token_hex(8), False
        deadline = time.monotonic() + _LOCK_SECONDS
        try:
            while not held and time.monotonic() < deadline:
                held = bool(await self._redis.set(name, token, nx=True, ex=_LOCK_SECONDS))
                if not held:
                    await asyncio.sleep(0.05)
        except self._errors as error:
            self._failed(error)
        try:
            yield
        finally:
            if held:
                try:
                    await self._redis.eval(_UNLOCK, 1, name, token)
                except self._errors as error:
                    self._failed(error)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.close(close_connection_pool=True)


class Menus:
    """The numbered list that a conversation was last shown."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def keep(self, conversation: str, menu: Sequence[Suggestion]) -> None:
        """Remember ``menu`` as the list that numbers choose from; an empty one forgets."""
        if not menu:
            self._db.execute("DELETE FROM menus WHERE conversation = ?", (conversation,))
            return
        entries = json.dumps([[s.title, s.payload, s.short] for s in menu])
        self._db.execute("INSERT OR REPLACE INTO menus (conversation, entries) VALUES (?, ?)", (conversation, entries))

    def last(self, conversation: str) -> list[Suggestion]:
        """Return the list that was last shown."""
        row = self._db.execute("SELECT entries FROM menus WHERE conversation = ?", (conversation,)).fetchone()
        return [Suggestion(*entry) for entry in json.loads(row[0])] if row else []


class OptOuts:
    """Who said STOP: conversation ids, which are keyed hashes.

    They outlive "forget me" and the retention, since forgetting them would mean writing to someone who forbade it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def add(self, conversation: str) -> None:
        """Record that the person wants no messages."""
        self._db.execute("INSERT OR REPLACE INTO opted_out (conversation, at) VALUES (?, ?)", (conversation, time.time()))

    def remove(self, conversation: str) -> None:
        """Record that the person wants messages again."""
        self._db.execute("DELETE FROM opted_out WHERE conversation = ?", (conversation,))

    def has(self, conversation: str) -> bool:
        """Return whether the person wants no messages."""
        return self._db.execute("SELECT 1 FROM opted_out WHERE conversation = ?", (conversation,)).fetchone() is not None
