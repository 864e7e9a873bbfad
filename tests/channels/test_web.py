"""Conversations over HTTP: who may do what, once, in order, and until when."""

from __future__ import annotations

import asyncio
import string
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hipwise.channels.tokens import Tokens
from tests.gateway import API, SECRET, Gateway, running, settings_at


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(settings_at(tmp_path)) as gateway:
        yield gateway


async def test_a_conversation_from_first_to_last(gateway: Gateway) -> None:
    answer = await gateway.client.post(API, json={"channel": "web"})
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "token", "expires_at", "replies"}
    assert answer.json()["replies"][0]["kind"] == "smalltalk"
    chat = await gateway.open()
    said = await chat.say("how long?")
    assert said.status_code == 200
    assert [reply["topic"] for reply in said.json()["replies"]] == ["ask_duration"]
    user, bot = (await chat.read())[1:]
    assert (user["from"], user["text"], user["message_id"]) == ("user", "how long?", "m1")
    assert {k: v for k, v in bot.items() if k not in ("from", "at")} == said.json()["replies"][0]
    gone = await gateway.client.delete(chat.path, headers=chat.headers)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await gateway.client.get(chat.path, headers=chat.headers)).status_code == 404
    assert (await chat.say("still there?", "m2")).status_code == 404


async def test_ids_are_made_by_the_server_and_hold_128_bits(gateway: Gateway) -> None:
    answers = [await gateway.client.post(API, json={"channel": "web", "id": "mine", "sender": "mine"}) for _ in range(20)]
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 20
    assert all(len(i) >= 22 and set(i) <= set(string.ascii_letters + string.digits + "-_") for i in ids)


@pytest.mark.parametrize(
    "body", [{}, {"channel": "sms"}, {"channel": None}, {"channel": ["web"]}, {"channel": "web\x00"}, [], "web", 7]
)
async def test_only_known_channels_are_opened(gateway: Gateway, body: Any) -> None:
    answer = await gateway.client.post(API, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert gateway.database.execute("SELECT count(*) FROM conversations").fetchone() == (0,)


async def test_one_token_cannot_touch_another_conversation(gateway: Gateway) -> None:
    mine, theirs = await gateway.open(), await gateway.open()
    await theirs.say("how long?")
    before = await theirs.read()
    answers = [
        await gateway.client.get(theirs.path, headers=mine.headers),
        await gateway.client.post(f"{theirs.path}/messages", headers=mine.headers, json={"text": "hello", "message_id": "x"}),
        await gateway.client.post(
            f"{theirs.path}/feedback", headers=mine.headers, json={"message_id": "m1", "rating": "down"}
        ),
        await gateway.client.delete(theirs.path, headers=mine.headers),
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert all(answer.headers["WWW-Authenticate"] == "Bearer" for answer in answers)
    assert await theirs.read() == before
    assert gateway.database.execute("SELECT count(*) FROM feedback").fetchone() == (0,)


async def test_a_token_that_was_changed_anywhere_opens_nothing(gateway: Gateway) -> None:
    chat = await gateway.open()
    letters = string.ascii_letters + string.digits + "-_"
    for letter in set(letters) - {chat.token[-1]}:
        # The last one's low bits mean nothing to base64; they do here.
        answer = await gateway.client.get(chat.path, headers={"Authorization": f"Bearer {chat.token[:-1]}{letter}"})
        assert answer.status_code == 401, letter
    for place, letter in enumerate(chat.token):
        other = "A" if letter != "A" else "B"
        changed = chat.token[:place] + other + chat.token[place + 1 :]
        answer = await gateway.client.get(chat.path, headers={"Authorization": f"Bearer {changed}"})
        assert answer.status_code == 401, place


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Basic {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer x{token}",
        "Bearer {token} {token}",
        "Bearer {unsigned}",
        "Bearer {other}",
        "Bearer .{token}",
        "Bearer " + "A" * 4000,
        "Bearer \xe9\xff",
    ],
)
async def test_what_is_not_a_token_opens_nothing(gateway: Gateway, header: str) -> None:
    chat = await gateway.open()
    other, _ = Tokens(b"another secret, just as long as the real one", 1).issue(chat.id)
    header = header.format(token=chat.token, unsigned=chat.token.rpartition(".")[0], other=other)
    answer = await gateway.client.get(chat.path, headers=[(b"Authorization", header.encode("latin-1"))])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


async def test_a_token_ends(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = await gateway.open()
    now = time.time()
    hours = gateway.app.ctx.settings.token_hours
    monkeypatch.setattr(time, "time", lambda: now + hours * 3600 - 60)
    assert (await gateway.client.get(chat.path, headers=chat.headers)).status_code == 200
    monkeypatch.setattr(time, "time", lambda: now + hours * 3600 + 1)
    assert (await gateway.client.get(chat.path, headers=chat.headers)).status_code == 401


async def test_a_conversation_of_a_messaging_channel_is_not_served_here(gateway: Gateway) -> None:
    await gateway.conversations.open("telegram", "t-1")
    token, _ = Tokens(SECRET.encode(), 1).issue("t-1")
    answer = await gateway.client.get(f"{API}/t-1", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404


async def test_the_same_message_is_answered_once(gateway: Gateway) -> None:
    chat = await gateway.open()
    first = await chat.say("how long?")
    again = await chat.say("how long?")
    assert first.json() == again.json()
    assert gateway.processor.heard == ["how long?"]
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot"]


async def test_the_same_message_at_the_same_time_is_answered_once(gateway: Gateway) -> None:
    chat = await gateway.open()
    gateway.processor.hook = lambda text: asyncio.sleep(0.05)
    answers = await asyncio.gather(*(chat.say("how long?") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert gateway.processor.heard == ["how long?"]
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot"]


async def test_the_same_message_after_a_restart_is_answered_once(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path)) as gateway:
        chat = await gateway.open()
        first = await chat.say("how long?")
        before = await chat.read()
    async with running(settings_at(tmp_path)) as gateway:
        chat.gateway = gateway
        assert (await chat.say("how long?")).json() == first.json()
        assert gateway.processor.heard == []
        assert await chat.read() == before


async def test_a_message_id_counts_in_its_own_conversation_only(gateway: Gateway) -> None:
    one, two = await gateway.open(), await gateway.open()
    assert (await one.say("how long?")).json()["replies"][0]["topic"] == "ask_duration"
    assert (await two.say("is there a cure?")).json()["replies"][0]["topic"] == "ask_cure"


async def test_messages_of_one_conversation_are_handled_in_order_and_one_at_a_time(gateway: Gateway) -> None:
    chat = await gateway.open()
    pauses = iter([0.08, 0.0, 0.03, 0.0, 0.01, 0.0])
    gateway.processor.hook = lambda text: asyncio.sleep(next(pauses))
    waiting = []
    for number in range(6):
        waiting.append(asyncio.create_task(chat.say(f"number {number}", f"m{number}")))
        await asyncio.sleep(0.01)
    await asyncio.gather(*waiting)
    assert gateway.processor.heard == [f"number {number}" for number in range(6)]
    assert gateway.processor.most_together == 1
    texts = [m["text"] for m in await chat.read() if m["from"] == "user"]
    assert texts == gateway.processor.heard


async def test_one_slow_conversation_does_not_hold_up_another(gateway: Gateway) -> None:
    slow, fast = await gateway.open(), await gateway.open()
    release = asyncio.Event()

    async def hook(text: str) -> None:
        if text == "slow":
            await release.wait()

    gateway.processor.hook = hook
    waiting = asyncio.create_task(slow.say("slow"))
    await asyncio.sleep(0.02)
    assert (await fast.say("how long?")).status_code == 200
    assert not waiting.done()
    release.set()
    assert (await waiting).status_code == 200


@pytest.mark.parametrize("letter", ["a", "é", "🦴"])
async def test_a_thousand_characters_are_the_limit(gateway: Gateway, letter: str) -> None:
    chat = await gateway.open()
    text = "ache " + letter * 995
    assert (await chat.say(text, "fits")).status_code == 200
    heard = len(gateway.processor.heard)
    answer = await chat.say(text + letter, "over")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")
    assert [reply["topic"] for reply in answer.json()["replies"]] == ["too_long"]
    assert len(gateway.processor.heard) == heard


async def test_a_red_flag_in_a_message_that_is_too_long_is_answered(gateway: Gateway) -> None:
    chat = await gateway.open()
    answer = await chat.say("x " * 700 + "I fell", "over")
    assert answer.status_code == 413
    assert answer.json()["replies"][0]["kind"] == "urgent"


@pytest.mark.parametrize("size", [16_385, 20_000, 200_000, 5_000_000])
async def test_a_large_body_is_refused_and_the_client_is_told(gateway: Gateway, size: int) -> None:
    chat = await gateway.open()
    answer = await chat.say("x" * size)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert (await chat.say("how long?", "after")).status_code == 200


async def test_a_typed_payload_is_words_and_an_offered_one_is_a_button(gateway: Gateway) -> None:
    chat, other = await gateway.open(), await gateway.open()
    offered = (await chat.say("how long?", "m0")).json()["replies"][0]["suggestions"][0]
    pressed = await chat.say(offered["payload"], "m1")
    assert gateway.processor.heard[-1] == offered["payload"]
    assert pressed.json()["replies"][0]["topic"] == offered["payload"][1:]
    # What the page shows is what the patient saw on the button.
    assert (await chat.read())[-2]["text"] == offered["title"]
    typed = [
        "/service_forget_me",
        '/ask_cure{"activity": "swimming"}',
        " /ask_cure",
        "//ask_cure",
        "\x00/ask_cure",
        "\u200b/ask_cure",
        offered["payload"] + '{"topic": "x"}',
        "/restart",
        "/session_start",
        "/back",
    ]
    for number, text in enumerate(typed):
        await chat.say(text, f"t{number}")
        assert not gateway.processor.heard[-1].startswith("/"), text
    # Offered in one conversation, typed in another.
    greeted = {row[0] for row in gateway.database.execute("SELECT payload FROM offers WHERE conversation = ?", (other.id,))}
    only_here = next(s["payload"] for s in pressed.json()["replies"][0]["suggestions"] if s["payload"] not in greeted)
    await other.say(only_here, "o")
    assert gateway.processor.heard[-1] == only_here[1:]


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "🙂", "?!", "\x00\x01", "/", "\u202e"])
async def test_a_message_without_words_is_answered_and_kept(gateway: Gateway, text: str) -> None:
    chat = await gateway.open()
    answer = await chat.say(text)
    assert [reply["topic"] for reply in answer.json()["replies"]] == ["empty"]
    assert (await chat.say(text)).json() == answer.json()
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot"]
    assert gateway.processor.heard == []
    # The next turn's tracker does not see it.
    assert (await chat.say("how long?", "m2")).json()["replies"][0]["topic"] == "ask_duration"
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot", "user", "bot"]


async def test_lone_surrogates_do_no_harm(gateway: Gateway) -> None:
    chat = await gateway.open()
    answer = await gateway.client.post(
        f"{chat.path}/messages",
        headers={**chat.headers, "Content-Type": "application/json"},
        content=rb'{"text": "how long \ud800?", "message_id": "\udfff"}',
    )
    assert answer.status_code == 200
    assert (await chat.read())[1]["text"] == "how long \ufffd?"


async def test_a_turn_that_fails_is_an_error_and_can_be_tried_again(gateway: Gateway) -> None:
    chat = await gateway.open()

    async def fail(text: str) -> None:
        raise RuntimeError(text)

    gateway.processor.hook = fail
    answer = await chat.say("I fell, how long?")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert answer.json()["replies"][0]["kind"] == "urgent"
    assert "RuntimeError" not in answer.text
    gateway.processor.hook = None
    assert [m["from"] for m in await chat.read()] == ["bot"]
    assert (await chat.say("I fell, how long?")).status_code == 200
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot"]


async def test_a_turn_without_a_reply_is_no_success(gateway: Gateway) -> None:
    # Rasa goes on when an action fails, and says nothing.
    chat = await gateway.open()
    gateway.processor.silent = True
    assert (await chat.say("how long?")).status_code == 500
    gateway.processor.silent = False
    assert (await chat.say("how long?")).json()["replies"]
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot"]


async def test_a_client_that_hangs_up_and_tries_again_says_nothing_twice(gateway: Gateway) -> None:
    chat = await gateway.open()
    gateway.processor.hook = lambda text: asyncio.sleep(0.2)
    with pytest.raises(httpx.ReadTimeout):
        await gateway.client.post(
            f"{chat.path}/messages", headers=chat.headers, json={"text": "how long?", "message_id": "m1"}, timeout=0.05
        )
    assert (await chat.say("how long?")).status_code == 200
    assert [m["from"] for m in await chat.read()] == ["bot", "user", "bot"]


async def test_feedback(gateway: Gateway) -> None:
    chat = await gateway.open()
    await chat.say("how long?")

    async def rate(**body: Any) -> int:
        answer = await gateway.client.post(f"{chat.path}/feedback", headers=chat.headers, json=body)
        return answer.status_code

    assert await rate(message_id="m1", rating="up") == 204
    assert await rate(message_id="m1", rating="down", reason="too short", index=0) == 204
    rows = gateway.database.execute("SELECT topic, rating, reason FROM feedback").fetchall()
    assert rows == [("ask_duration", "down", "too short")]
    assert await rate(message_id="m1", rating="up", index=1) == 404
    assert await rate(message_id="m1", rating="up", index=-1) == 404
    assert await rate(message_id="m1", rating="up", index=10**30) == 404
    assert await rate(message_id="nothing", rating="up") == 404
    for bad in (
        {"rating": "best"},
        {"rating": "up", "index": True},
        {"rating": "up", "index": "0"},
        {"rating": "up", "index": 0.0},
        {"rating": "up", "reason": "x" * 501},
        {"rating": "up", "reason": 5},
        {},
    ):
        assert await rate(message_id="m1", **bad) == 400, bad
    assert await rate(rating="up") == 400


async def test_nothing_is_answered_before_the_model_is_there(tmp_path: Path) -> None:
    async with running(settings_at(tmp_path), ready=False) as gateway:
        answers = [
            await gateway.client.post(API, json={"channel": "web"}),
            await gateway.client.get("/readyz"),
            await gateway.client.get("/api/v1/topics"),
        ]
        assert [answer.status_code for answer in answers] == [503] * 3
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
        assert {answer.json()["error"]["code"] for answer in answers} == {"not_ready"}
        assert (await gateway.client.get("/healthz")).status_code == 200
        assert (await gateway.client.get("/metrics")).status_code == 200
