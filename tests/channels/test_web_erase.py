"""Deleting and forgetting leave nothing; time does the same."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hipwise import server
from hipwise.store.database import OWNED
from tests.gateway import Chat, Gateway, running, settings_at

MARKER = "zanzibar marmalade"


def holding(database: Any, words: str) -> list[str]:
    """Return the tables in which some column of some row holds ``words``."""
    found = []
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name from the schema
            if any(words in str(value) for value in row):
                found.append(table)
                break
    return found


def files_holding(folder: Path, words: str) -> list[str]:
    """Return the files of ``folder`` that hold ``words``, in one of the encodings in which they may be written."""
    sought = {words.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")}
    return [path.name for path in folder.iterdir() if any(s in path.read_bytes() for s in sought)]


async def fill(gateway: Gateway) -> Chat:
    """Open a conversation that leaves something of itself in every table that belongs to conversations."""
    chat = await gateway.open()
    assert (await chat.say(f"how long {MARKER}?", f"1 {MARKER}")).status_code == 200
    assert (await chat.say("🙂", f"2 {MARKER}")).status_code == 200
    answer = await gateway.client.post(
        f"{chat.path}/feedback",
        headers=chat.headers,
        json={"message_id": f"1 {MARKER}", "rating": "down", "reason": MARKER},
    )
    assert answer.status_code == 204
    return chat


async def test_delete_erases_every_table_and_the_files(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        chat, other = await fill(gateway), await fill(gateway)
        assert set(holding(gateway.database, chat.id)) >= set(OWNED) - {"menus"}
        assert files_holding(tmp_path, MARKER)
        assert (await gateway.client.delete(other.path, headers=other.headers)).status_code == 204
        assert len(await chat.read()) == 5, "the other conversation stays"
        assert (await gateway.client.delete(chat.path, headers=chat.headers)).status_code == 204
        assert holding(gateway.database, chat.id) == holding(gateway.database, MARKER) == []
        # Also not in the write-ahead log or in freed pages, while the server still runs.
        assert files_holding(tmp_path, MARKER) == files_holding(tmp_path, chat.id) == []


async def test_every_table_with_something_of_a_conversation_is_erased(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        tables = [row[0] for row in gateway.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        named = {
            t for t in tables if any(c[1] == "conversation" for c in gateway.database.execute(f"PRAGMA table_info({t})"))
        }
        # Who forbade messages has to stay known, as a keyed hash, for that to hold.
        assert named - {"opted_out"} == set(OWNED) - {"conversations"}


async def test_forget_me_erases_what_was_said_and_lets_the_patient_go_on(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        chat = await fill(gateway)
        answer = await chat.say(f"forget me and my {MARKER}", f"3 {MARKER}")
        assert answer.json()["replies"][0]["topic"] == "service_forget_me"
        assert holding(gateway.database, MARKER) == []
        assert holding(gateway.database, chat.id) == ["conversations"]
        assert files_holding(tmp_path, MARKER) == []
        assert await chat.read() == []
        assert (await chat.say("how long?", "4")).status_code == 200
        assert [m["from"] for m in await chat.read()] == ["user", "bot"]


async def test_deleting_while_a_message_is_answered_leaves_nothing(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        chat = await gateway.open()
        begun, release = asyncio.Event(), asyncio.Event()

        async def hook(text: str) -> None:
            begun.set()
            await release.wait()

        gateway.processor.hook = hook
        first = asyncio.create_task(chat.say("how long?", "1"))
        await begun.wait()
        erasing = asyncio.create_task(gateway.client.delete(chat.path, headers=chat.headers))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(chat.say("how long?", "2"))
        await asyncio.sleep(0.05)
        release.set()
        assert (await first).status_code == 200
        assert (await erasing).status_code == 204
        # It waited behind the erasure, and must not bring the conversation back to life.
        assert (await second).status_code == 404
        assert holding(gateway.database, chat.id) == []


async def test_a_conversation_is_erased_when_its_retention_is_over(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, retention_days=3)
    async with running(settings) as gateway:
        old, young = await fill(gateway), await gateway.open()
        day = 86_400
        gateway.database.execute("UPDATE conversations SET seen = ? WHERE id = ?", (time.time() - 3 * day - 5, old.id))
        gateway.database.execute("UPDATE conversations SET seen = ? WHERE id = ?", (time.time() - 3 * day + 60, young.id))
        await one_round(gateway)
        assert holding(gateway.database, old.id) == []
        assert files_holding(tmp_path, MARKER) == []
        assert len(await young.read()) == 1


async def test_a_silent_kiosk_is_erased_and_a_silent_web_page_is_not(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, idle_seconds=20)
    async with running(settings) as gateway:
        kiosk, reading, web = await gateway.open("kiosk"), await gateway.open("kiosk"), await gateway.open("web")
        gateway.database.execute("UPDATE conversations SET seen = ?", (time.time() - 61,))
        # Someone reads on: the page asks for what was said.
        assert len(await reading.read()) == 1
        await one_round(gateway)
        assert holding(gateway.database, kiosk.id) == []
        assert len(await reading.read()) == 1
        assert len(await web.read()) == 1


async def test_words_that_another_reader_kept_in_the_log_go_with_the_next_round(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        chat = await gateway.open()
        await chat.say("how long for Archibald Xylander")
        path = gateway.app.ctx.settings.database
        log = path.with_name(path.name + "-wal")
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()
            assert (await gateway.client.delete(chat.path, headers=chat.headers)).status_code == 204
        assert b"Xylander" in log.read_bytes()
        await one_round(gateway)
        assert b"Xylander" not in log.read_bytes()
        assert b"Xylander" not in path.read_bytes()


async def test_a_conversation_that_speaks_while_it_is_to_be_erased_stays(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        chat = await gateway.open()
        gateway.database.execute("UPDATE conversations SET seen = 0")
        gateway.processor.hook = lambda text: asyncio.sleep(0.1)
        speaking = asyncio.create_task(chat.say("how long?"))
        await asyncio.sleep(0.03)
        assert await gateway.conversations.erase_silent(None, 60) == 0
        assert (await speaking).status_code == 200
        assert len(await chat.read()) == 3


async def test_the_job_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        calls: list[str | None] = []

        async def erase_silent(channel: str | None, seconds: float) -> int:
            calls.append(channel)
            if len(calls) == 1:
                raise OSError("disk full")
            return 0

        monkeypatch.setattr(gateway.conversations, "erase_silent", erase_silent)
        monkeypatch.setattr(server, "_LEAST_PAUSE", 0.01)
        monkeypatch.setattr(server, "_MOST_PAUSE", 0.01)
        job = asyncio.create_task(server.erase_forever(gateway.app))
        await asyncio.sleep(0.1)
        job.cancel()
        assert calls[:3] == ["kiosk", "kiosk", None]


async def one_round(gateway: Gateway) -> None:
    """Let the job that erases run once."""
    job = asyncio.create_task(server.erase_forever(gateway.app))
    await asyncio.sleep(0.1)
    job.cancel()
