"""Calling the staff from a kiosk."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web as aioweb

from hipwise.channels import kiosk
from hipwise.errors import HipwiseError
from hipwise.settings import Settings
from tests.gateway import Chat, running, settings_at

CALL = "/api/v1/kiosk/call-staff"


@asynccontextmanager
async def staff(status: int = 200, delay: float = 0.0) -> AsyncIterator[tuple[str, list[Any]]]:
    """A stand-in of the clinic's system: its address, and what it received."""
    received: list[Any] = []

    async def take(request: aioweb.Request) -> aioweb.Response:
        received.append((request.content_type, json.loads(await request.text())))
        await asyncio.sleep(delay)
        return aioweb.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    app = aioweb.Application()
    app.router.add_post("/pager", take)
    runner = aioweb.AppRunner(app)
    await runner.setup()
    site = aioweb.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield f"http://127.0.0.1:{port}/pager?key=hush", received
    finally:
        await runner.cleanup()


async def call(chat: Chat, **headers: str) -> Any:
    return await chat.gateway.client.post(CALL, headers={**chat.headers, **headers})


@pytest.mark.parametrize("name", ["", "waiting room 2"])
async def test_the_staff_are_called(tmp_path: Path, name: str) -> None:
    async with staff() as (address, received):
        async with running(settings_at(tmp_path, staff_webhook=address, kiosk_name=name)) as gateway:
            answer = await call(await gateway.open("kiosk"))
            assert (answer.status_code, answer.content) == (204, b"")
        expected = {"event": "call_staff", **({"kiosk": name} if name else {})}
        assert received == [("application/json", expected)], "nothing of the conversation travels with it"


async def test_only_a_kiosk_calls(tmp_path: Path) -> None:
    async with staff() as (address, received):
        async with running(settings_at(tmp_path, staff_webhook=address)) as gateway:
            assert (await call(await gateway.open("web"))).status_code == 403
            assert (await gateway.client.post(CALL)).status_code == 401
            chat = await gateway.open("kiosk")
            assert (await call(chat, Authorization="Bearer " + chat.token[:-3])).status_code == 401
            await gateway.client.delete(chat.path, headers=chat.headers)
            assert (await call(chat)).status_code == 404
        assert received == []


async def test_without_an_address_it_is_words_only(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        answer = await call(await gateway.open("kiosk"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_configured")


@pytest.mark.parametrize("how", ["refuses", "redirects", "is slow", "is away"])
async def test_a_call_that_is_not_taken_is_said_so(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kiosk, "_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    caplog.set_level(logging.DEBUG)
    async with staff({"refuses": 500, "redirects": 302}.get(how, 200), 1.0 if how == "is slow" else 0.0) as (address, _):
        if how == "is away":
            address = "http://127.0.0.1:9/pager?key=hush"
        async with running(settings_at(tmp_path, staff_webhook=address)) as gateway:
            answer = await call(await gateway.open("kiosk"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "staff_not_reached")
    record = next(record for record in caplog.records if record.getMessage() == "call_staff_failed")
    assert record.levelname == "ERROR"
    assert "hush" not in str(record.__dict__)
    assert "hush" not in answer.text


async def test_the_staff_are_not_called_without_end(tmp_path: Path) -> None:
    async with staff() as (address, received):
        async with running(settings_at(tmp_path, staff_webhook=address)) as gateway:
            chat = await gateway.open("kiosk")
            answers = [(await call(chat)).status_code for _ in range(8)]
        assert answers == [204] * 6 + [429] * 2
        assert len(received) == 6


def test_an_address_that_is_none_is_said_so() -> None:
    with pytest.raises(HipwiseError, match="HIPWISE_STAFF_WEBHOOK"):
        Settings.from_environment({"HIPWISE_STAFF_WEBHOOK": "pager.example"})
