"""Updates that no platform documents: nothing may break, whatever a signed request holds."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hipwise.replies import ReplyBuilder

from .support import (
    CHANNELS,
    FakeConversations,
    Harness,
    messenger_event,
    messenger_message,
    messenger_update,
    slack_event,
    slack_press,
    telegram_message,
    telegram_press,
    twilio_message,
    twilio_whatsapp,
    whatsapp_message,
    whatsapp_update,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just(10**400),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=8,
)
SEEDS: dict[str, list[dict[str, Any]]] = {
    "telegram": [telegram_message("x"), telegram_press(), telegram_message(None, caption="x", photo=[{}])],
    "whatsapp": [
        whatsapp_update(whatsapp_message("x")),
        whatsapp_update(whatsapp_message(kind="interactive", type="button_reply", button_reply={"id": "/x", "title": "x"})),
        whatsapp_update(
            whatsapp_message(kind="image", caption="x"), statuses=[{"id": "w", "status": "failed", "errors": [{"code": 1}]}]
        ),
    ],
    "messenger": [
        messenger_message("x"),
        messenger_update(messenger_event(postback={"payload": "/x"})),
        messenger_message(None, attachments=[{"type": "image", "payload": {}}]),
    ],
    "slack": [
        slack_event("x"),
        slack_press(),
        slack_event(None, subtype="message_changed", message={"text": "a"}, previous_message={}),
    ],
}


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(tree, dict):
        found += [place for key, value in tree.items() for place in places(value, (*path, key))]
    elif isinstance(tree, list):
        found += [place for index, value in enumerate(tree) for place in places(value, (*path, index))]
    return found


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(tree, dict):
        return {k: changed(v, path[1:], value) if k == path[0] else v for k, v in tree.items()}
    return [changed(v, path[1:], value) if i == path[0] else v for i, v in enumerate(tree)]


@st.composite
def updates(draw: st.DrawFn, name: str) -> Any:
    """A documented payload with some of its places replaced by anything."""
    tree: Any = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(0, 3))):
        tree = changed(tree, draw(st.sampled_from(places(tree))), draw(JSON))
    return tree


def run(name: str, builder: ReplyBuilder, payload: Any, caplog: pytest.LogCaptureFixture, **how: Any) -> None:
    async def deliver() -> None:
        channel, api, sign, _ = CHANNELS[name]
        harness = Harness(channel, api(), sign, FakeConversations(builder))
        await harness.start()
        try:
            response = await harness.post(payload, **how)
            # Slack signs text; what is none cannot be signed.
            assert response.status in ((200, 400, 401) if isinstance(payload, bytes) else (200, 400)), response
            await harness.settle()
        finally:
            await harness.stop()

    caplog.clear()
    asyncio.run(deliver())
    # Sends to made-up addresses may be refused; nothing of ours may fail.
    ours = [
        record
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.msg not in ("send_failed", "not_delivered")
    ]
    assert ours == []


FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
@FUZZ
@given(data=st.data())
def test_mutated_updates(name: str, data: st.DataObject, builder: ReplyBuilder, caplog: pytest.LogCaptureFixture) -> None:
    how = {"form": data.draw(st.booleans())} if name == "slack" else {}
    payload = data.draw(updates(name))
    if how.get("form") and not isinstance(payload, dict):
        payload = {"type": payload}
    run(name, builder, payload, caplog, **how)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["telegram", "whatsapp", "messenger", "slack"])
@FUZZ
@given(
    body=st.binary(max_size=200)
    | st.sampled_from([b"", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"null", b"[]", b'"x"', b"NaN"])
)
def test_bodies_that_are_no_updates(name: str, body: bytes, builder: ReplyBuilder, caplog: pytest.LogCaptureFixture) -> None:
    run(name, builder, body, caplog)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [twilio_message, twilio_whatsapp])
@FUZZ
@given(data=st.data())
def test_mutated_forms(seed: Any, data: st.DataObject, builder: ReplyBuilder, caplog: pytest.LogCaptureFixture) -> None:
    form = seed("x")
    changes = data.draw(
        st.dictionaries(
            st.sampled_from([*form, "MessageStatus", "OptOutType", "Latitude", "MessageType"]) | TEXT, TEXT, max_size=4
        )
    )
    form = {**form, **changes}
    for name in data.draw(st.lists(st.sampled_from(sorted(form)), max_size=3)):
        form.pop(name, None)
    run("sms", builder, form, caplog)
