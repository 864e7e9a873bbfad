"""What holds on every channel, shown against the platforms' stand-ins."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import Any

import pytest

from hipwise.channels.rates import RateLimits
from hipwise.channels.state import SqliteHandled
from hipwise.conversation import TurnFailed
from hipwise.insights import metrics
from hipwise.settings import Settings

from .conftest import Start
from .support import CHANNELS, NUMBER, PRIVATE

ALL = pytest.mark.parametrize("name", CHANNELS)


def message(name: str, text: str) -> dict[str, Any]:
    return CHANNELS[name][3](text)


@ALL
async def test_first_message_greets_and_answers(name: str, start: Start) -> None:
    harness = await start(name)
    texts = await harness.deliver(message(name, "How long does it last?"))
    assert len(texts) == 2
    assert "computer program" in texts[0]
    assert "6 to 12 months" in texts[1]
    assert "Source: " in texts[1]
    assert len(await harness.deliver(message(name, "How long does it last?"))) == 1


@ALL
async def test_an_emergency_comes_before_the_greeting(name: str, start: Start) -> None:
    harness = await start(name)
    texts = await harness.deliver(message(name, "I fell and can't stand. How long does it last?"))
    assert "EMERGENCY" in texts[0]
    assert "911" in texts[0]
    assert "months" in texts[1]
    assert "computer program" in texts[2]


@ALL
async def test_a_greeting_is_greeted_once(name: str, start: Start) -> None:
    harness = await start(name)
    assert len(await harness.deliver(message(name, "hello"))) == 1


@ALL
async def test_a_redelivery_says_nothing_twice(name: str, start: Start) -> None:
    harness = await start(name)
    update = message(name, "How long does it last?")
    assert await harness.deliver(update)
    for _ in range(3):
        assert await harness.deliver(update) == []
    assert len(harness.conversations.heard) == 1


@ALL
async def test_a_redelivery_while_the_first_is_under_way(name: str, start: Start) -> None:
    harness = await start(name)
    harness.conversations.delay = 0.05
    update = message(name, "hello")
    responses = await asyncio.gather(*(harness.post(update) for _ in range(4)))
    assert {response.status for response in responses} == {200}
    await harness.settle()
    assert harness.conversations.heard == ["hello"]
    assert len(harness.api.texts()) == 1


@ALL
async def test_a_redelivery_after_a_restart_is_recognised(name: str, start: Start) -> None:
    harness = await start(name)
    update = message(name, "hello")
    await harness.deliver(update)
    await harness.inbox.close()
    harness.inbox = harness.make_inbox()
    assert await harness.deliver(update) == []


@ALL
async def test_a_message_that_died_with_its_process_is_answered_by_the_next(
    name: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await start(name)
    harness.conversations.delay = 30
    update = message(name, "hello")
    waiting = asyncio.create_task(harness.post(update))
    await asyncio.sleep(0.05)
    # The process is killed: nothing is released, nothing finished.
    claims = harness.conversations.store.trackers.connection.execute("SELECT key, done FROM webhooks").fetchall()
    assert [done for _, done in claims] == [0]
    old, harness.inbox = harness.inbox, harness.make_inbox()
    harness.conversations.delay = 0
    assert (await harness.post(update)).status == 503, "in other hands, as far as anyone can tell: come again"
    harness.conversations.store.trackers.connection.execute("UPDATE webhooks SET at = at - 1000")
    assert await harness.deliver(update)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await old.close(0)


@ALL
async def test_messages_of_one_person_are_answered_in_order(name: str, start: Start) -> None:
    harness = await start(name)
    await harness.deliver(message(name, "hello"))
    # The first turn is the slowest.
    delays = iter([0.06, 0.0, 0.03, 0.0])
    real = harness.conversations.say

    async def slow(conversation: str, text: str, **kwargs: Any) -> Any:
        await asyncio.sleep(next(delays))
        return await real(conversation, text, **kwargs)

    harness.conversations.say = slow
    posts = []
    for number in range(4):
        posts.append(asyncio.create_task(harness.post(message(name, f"message {number}"))))
        await asyncio.sleep(0)
    await asyncio.gather(*posts)
    await harness.settle()
    assert harness.conversations.heard[1:] == [f"message {n}" for n in range(4)]


@ALL
async def test_busy_and_down_platforms_are_tried_again(name: str, start: Start) -> None:
    harness = await start(name)
    await harness.deliver(message(name, "hello"))
    harness.waits.clear()
    harness.api.script = [
        (429, {"Retry-After": "7"}, {"ok": False, "error": {"code": 4}, "parameters": {"retry_after": 7}}),
        (500, {}, {}),
        None,
    ]
    texts = await harness.deliver(message(name, "How long does it last?"))
    assert len(texts) == 1
    assert harness.waits[0] == pytest.approx(7.1)
    assert 0.5 < harness.waits[1] < harness.waits[2] < 3


@ALL
async def test_a_send_that_finally_fails_is_counted_and_logged_without_words(
    name: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    harness = await start(name)
    caplog.set_level(logging.DEBUG, "hipwise")
    channel = name.removesuffix("-twilio")
    before = metrics.sends_failed.labels(channel=channel)._value.get()
    harness.api.script = [(503, {}, {"error": {"message": f"to {NUMBER}"}, "message": NUMBER})] * 20
    assert await harness.deliver(message(name, "How long does it last?")) == []
    assert metrics.sends_failed.labels(channel=channel)._value.get() == before + 1
    assert harness.api.attempts == 5
    logged = caplog.text
    assert "send_failed" in logged
    for private in ("months", "How long", *PRIVATE, "stand-in-token", "stand-in-auth"):
        assert private not in logged


@ALL
async def test_what_was_sent_before_a_failure_is_not_sent_again(
    name: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await start(name)
    update = message(name, "How long does it last?")
    real = harness.inbox._sender.send

    async def dies(channel: Any, label: str, calls: Any, sent: int = 0, progress: Any = None) -> bool:
        if len(calls) < 2:
            return await real(channel, label, calls, sent, progress)
        await real(channel, label, calls[:1], sent, progress)
        raise RuntimeError("killed")

    monkeypatch.setattr(harness.inbox._sender, "send", dies)
    await harness.post(update)
    await harness.settle()
    assert len(harness.api.texts()) == 1
    monkeypatch.undo()
    await harness.deliver(update)
    texts = harness.api.texts()
    assert len(texts) == 2
    assert "computer program" in texts[0]
    assert "months" in texts[1]


@ALL
async def test_forget_me_erases_everything_and_begins_anew(name: str, start: Start) -> None:
    harness = await start(name)
    await harness.deliver(message(name, "How long does it last?"))
    conversation = harness.conversations.ids[0][0]
    assert conversation in harness.conversations.everything_stored()
    texts = await harness.deliver(message(name, "forget me"))
    assert "deleted" in texts[-1]
    stored = harness.conversations.everything_stored()
    assert "months" not in stored
    assert "How long" not in stored
    assert harness.conversations.store.answered(conversation, "") is None
    texts = await harness.deliver(message(name, "How long does it last?"))
    assert "computer program" in texts[0]


@ALL
async def test_nothing_stored_or_measured_names_the_person(name: str, start: Start) -> None:
    harness = await start(name)
    await harness.deliver(message(name, "How long does it last?"))
    everything = harness.conversations.everything_stored() + metrics.as_text().decode()
    for private in PRIVATE:
        assert private not in everything, private
    conversation, message_id = harness.conversations.ids[0]
    prefix = {"telegram": "tg", "messenger": "fb", "whatsapp-twilio": "wa", "whatsapp": "wa"}.get(name, name)
    assert conversation.startswith(f"{prefix}-")
    assert len(message_id) == 22


@ALL
async def test_while_the_model_loads_the_platform_is_asked_to_come_again(name: str, start: Start) -> None:
    harness = await start(name)
    conversations, harness.conversations = harness.conversations, None
    update = message(name, "hello")
    response = await harness.post(update)
    assert response.status == 503
    assert "Retry-After" in response.headers
    harness.conversations = conversations
    assert await harness.deliver(update)


@ALL
async def test_a_broken_turn_is_confessed_and_its_emergency_still_answered(name: str, start: Start) -> None:
    harness = await start(name)
    await harness.deliver(message(name, "hello"))
    for broken in (TurnFailed([]), RuntimeError("boom")):
        harness.conversations.broken = broken
        texts = await harness.deliver(message(name, "I fell"))
        assert "EMERGENCY" in texts[0]
        assert "something went wrong" in texts[1]


@ALL
async def test_a_message_that_is_too_long(name: str, start: Start) -> None:
    harness = await start(name)
    texts = await harness.deliver(message(name, "I fell. " + "x" * 3000))
    assert "EMERGENCY" in texts[0]
    assert any("too long" in text for text in texts)


@ALL
async def test_haste_gets_one_notice_and_emergencies_their_answer(name: str, start: Start) -> None:
    harness = await start(name)
    harness.inbox._limits = RateLimits(Settings(rate_messages="3/minute"))
    for _ in range(3):
        assert await harness.deliver(message(name, "hello"))
    texts = await harness.deliver(message(name, "hello"))
    assert "faster" in texts[0]
    assert await harness.deliver(message(name, "hello")) == []
    texts = await harness.deliver(message(name, "I fell"))
    assert len(texts) == 1
    assert "EMERGENCY" in texts[0]


@ALL
async def test_unverified_requests_do_nothing(name: str, start: Start) -> None:
    from dataclasses import replace

    harness = await start(name)
    good = harness.sign(harness.channel, message(name, "hello"))
    signatures = [key for key in good.headers if "signature" in key or "secret" in key]
    assert signatures
    forged = [replace(good, headers={k: v for k, v in good.headers.items() if k not in signatures})]
    for key in signatures:
        forged += [
            replace(good, headers={**good.headers, key: value}) for value in ("", "x", "é", good.headers[key][:-1] + "_")
        ]
    if name != "telegram":
        forged.append(replace(good, body=good.body.replace(b"hello", b"hullo")))
    for request in forged:
        assert (await harness.inbox.receive(harness.channel, request)).status == 401
    await harness.settle()
    assert harness.conversations.heard == []
    assert harness.api.attempts == 0
    assert (await harness.inbox.receive(harness.channel, good)).status == 200


@ALL
async def test_a_huge_body_is_refused_before_it_is_looked_at(name: str, start: Start) -> None:
    harness = await start(name)
    request = harness.sign(harness.channel, message(name, "x" * 2_000_000))
    assert (await harness.inbox.receive(harness.channel, request)).status == 413


@ALL
async def test_a_database_that_is_busy_makes_the_platform_come_again(
    name: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await start(name)

    async def locked(self: SqliteHandled, key: str) -> None:
        raise sqlite3.OperationalError("database is locked")

    update = message(name, "hello")
    monkeypatch.setattr(SqliteHandled, "claim", locked)
    assert (await harness.post(update)).status == 503
    monkeypatch.undo()
    assert await harness.deliver(update)
