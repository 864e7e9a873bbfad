"""Handled webhooks: in the database, in Redis (a stand-in that speaks its protocol), and when Redis is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

import pytest

from hipwise.channels.identity import Identity
from hipwise.channels.state import LEASE, Menus, OptOuts, RedisHandled, SqliteHandled
from hipwise.replies import Suggestion
from hipwise.store.database import connect

from .conftest import Start
from .support import telegram_message


class RedisStandIn:
    """SET with NX and EX, GET, DEL, and the one script that unlocks, over RESP."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, float]] = {}
        self.connections: set[asyncio.Task[None]] = set()

    def get(self, key: str) -> str | None:
        value, ends = self.values.get(key, ("", 0.0))
        return value if ends > time.time() else None

    def answer(self, command: list[str]) -> bytes:
        name, *rest = command
        match name.upper():
            case "SET":
                key, value, *options = rest
                words = [option.upper() for option in options]
                if "NX" in words and self.get(key) is not None:
                    return b"$-1\r\n"
                self.values[key] = (value, time.time() + float(options[words.index("EX") + 1]))
                return b"+OK\r\n"
            case "GET":
                value_or_none = self.get(rest[0])
                return b"$-1\r\n" if value_or_none is None else f"${len(value_or_none)}\r\n{value_or_none}\r\n".encode()
            case "DEL":
                return f":{int(self.values.pop(rest[0], None) is not None)}\r\n".encode()
            case "EVAL":
                _, _, key, token = rest
                return f":{int(self.get(key) == token and self.values.pop(key, None) is not None)}\r\n".encode()
            case _:
                return b"+OK\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            while line := await reader.readline():
                command = []
                for _ in range(int(line[1:])):
                    length = int((await reader.readline())[1:])
                    command.append((await reader.readexactly(length + 2))[:-2].decode())
                writer.write(self.answer(command))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture
async def redis() -> AsyncIterator[tuple[RedisStandIn, str, asyncio.AbstractServer]]:
    stand_in = RedisStandIn()
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield stand_in, f"redis://127.0.0.1:{port}/0", server
    server.close()
    if stand_in.connections:
        await asyncio.wait(stand_in.connections, timeout=2)


def sqlite() -> SqliteHandled:
    return SqliteHandled(connect(":memory:"))


async def claims_once(one: SqliteHandled | RedisHandled, other: SqliteHandled | RedisHandled) -> None:
    claims = await asyncio.gather(*(handled.claim("k") for handled in (one, other) * 5))
    assert sum(claim.mine for claim in claims) == 1
    assert not any(claim.done for claim in claims)
    await one.progress("k", 2)
    await one.release("k")
    again = await other.claim("k")
    assert (again.mine, again.sent) == (True, 2)
    await other.finish("k")
    last = await one.claim("k")
    assert (last.mine, last.done) == (False, True)


async def test_two_processes_claim_once_in_one_database() -> None:
    connection = connect(":memory:")
    await claims_once(SqliteHandled(connection), SqliteHandled(connection))


async def test_two_processes_claim_once_in_redis(redis: tuple[RedisStandIn, str, asyncio.AbstractServer]) -> None:
    one, other = RedisHandled(redis[1], sqlite()), RedisHandled(redis[1], sqlite())
    await claims_once(one, other)
    await one.close()
    await other.close()


async def test_a_lease_ends_with_its_process() -> None:
    connection = connect(":memory:")
    handled = SqliteHandled(connection)
    assert (await handled.claim("k")).mine
    assert not (await handled.claim("k")).mine
    connection.execute("UPDATE webhooks SET at = at - ?", (LEASE + 1,))
    assert (await handled.claim("k")).mine


async def test_handled_webhooks_are_forgotten_after_the_last_redelivery() -> None:
    connection = connect(":memory:")
    handled = SqliteHandled(connection)
    await handled.claim("old")
    await handled.finish("old")
    connection.execute("UPDATE webhooks SET at = at - ?", (11 * 86_400,))
    handled._purged = 0.0
    await handled.claim("new")
    assert [row[0] for row in connection.execute("SELECT key FROM webhooks")] == ["new"]


async def test_without_redis_the_database_remembers(
    redis: tuple[RedisStandIn, str, asyncio.AbstractServer], caplog: pytest.LogCaptureFixture
) -> None:
    redis[2].close()
    await redis[2].wait_closed()
    handled = RedisHandled(redis[1], sqlite())
    assert (await handled.claim("k")).mine
    async with handled.turn("tg-x"):
        pass
    await handled.finish("k")
    assert (await handled.claim("k")).done
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == ["redis_failed"]
    await handled.close()


async def test_one_turn_at_a_time_across_processes(redis: tuple[RedisStandIn, str, asyncio.AbstractServer]) -> None:
    one, other = RedisHandled(redis[1], sqlite()), RedisHandled(redis[1], sqlite())
    running = most = 0

    async def work(handled: RedisHandled) -> None:
        nonlocal running, most
        async with handled.turn("tg-x"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(work(one), work(other), work(one))
    assert most == 1
    await one.close()
    await other.close()


async def test_a_redelivery_to_another_process_says_nothing_twice(
    start: Start, redis: tuple[RedisStandIn, str, asyncio.AbstractServer]
) -> None:
    one, other = await start("telegram"), await start("telegram")
    for harness in (one, other):
        harness.handled = lambda own: RedisHandled(redis[1], own)
        harness.inbox = harness.make_inbox()
    update = telegram_message("hello")
    assert len(await one.deliver(update)) == 1
    assert await other.deliver(update) == []
    for harness in (one, other):
        await harness.inbox.close()


def test_menus_and_opt_outs() -> None:
    connection = connect(":memory:")
    menus, opt_outs = Menus(connection), OptOuts(connection)
    menu = [Suggestion("How long?", "/a", "Long?"), Suggestion("Why?", "/b")]
    menus.keep("sms-x", menu)
    assert menus.last("sms-x") == menu
    assert menus.last("sms-y") == []
    menus.keep("sms-x", [])
    assert menus.last("sms-x") == []
    opt_outs.add("sms-x")
    opt_outs.add("sms-x")
    assert opt_outs.has("sms-x")
    opt_outs.remove("sms-x")
    assert not opt_outs.has("sms-x")


def test_ids_hide_the_person_and_depend_on_the_key() -> None:
    one, other = Identity(b"a" * 32), Identity(b"b" * 32)
    mine = one.conversation("sms", "15005550006")
    assert mine == one.conversation("sms", "15005550006")
    assert mine.startswith("sms-")
    assert "15005550006" not in mine
    assert mine != other.conversation("sms", "15005550006")
    assert mine != one.conversation("sms", "15005550007")
    assert mine.removeprefix("sms-") != one.conversation("whatsapp", "15005550006").removeprefix("wa-")
    # Parts cannot flow into each other.
    assert one.message("sms", "a") != one.message("smsa", "")
