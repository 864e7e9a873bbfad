"""What each platform sends beside words, and what only one of them has."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from hipwise.channels.base import WebhookRequest
from hipwise.channels.messenger import translate as from_messenger
from hipwise.channels.slack import plain, translate_event
from hipwise.channels.telegram import translate as from_telegram
from hipwise.insights import metrics

from .conftest import Start
from .support import (
    NUMBER,
    OURS,
    PUBLIC,
    REGION,
    SECRET,
    SLACK_ID,
    VERIFY,
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

PHOTO: dict[str, Any] = {"photo": [{"file_id": "a", "file_unique_id": "b", "width": 90, "height": 51, "file_size": 1101}]}


# --- Telegram --------------------------------------------------------------------------------------------------------


async def test_telegram_start_only_greets_each_time(start: Start) -> None:
    harness = await start("telegram")
    for text in ("/start", "/start", "/start campaign7", "/start@clinic_bot"):
        texts = await harness.deliver(telegram_message(text))
        assert len(texts) == 1
        assert "computer program" in texts[0]
    # The greeting was said: no second one before the first answer.
    assert len(await harness.deliver(telegram_message("How long does it last?"))) == 1


async def test_telegram_help_and_other_commands(start: Start) -> None:
    harness = await start("telegram")
    texts = await harness.deliver(telegram_message("/help"))
    assert "forget me" in texts[-1]
    await harness.deliver(telegram_message("/forget"))
    assert harness.conversations.heard == ["forget me"]


async def test_telegram_press_is_confirmed_before_it_is_answered(start: Start) -> None:
    harness = await start("telegram")
    await harness.deliver(telegram_message("How long does it last?"))
    keyboard = harness.api.calls[-1][1]["reply_markup"]["inline_keyboard"]
    assert all(len(row) == 1 for row in keyboard)
    harness.api.calls.clear()
    await harness.deliver(telegram_press(keyboard[2][0]["callback_data"]))
    assert [method for method, _ in harness.api.calls] == ["answerCallbackQuery", "sendMessage"]
    assert harness.conversations.heard[-1] == keyboard[2][0]["callback_data"]


async def test_a_press_that_was_not_offered_reaches_no_understanding(start: Start) -> None:
    harness = await start("telegram")
    await harness.deliver(telegram_message("hello"))
    for data in ("/crisis", '/ask_duration{"topic": "x"}', "/restart", "ask_duration"):
        texts = await harness.deliver(telegram_press(data))
        assert "button" in texts[0]
    assert harness.conversations.heard == ["hello"]


async def test_an_old_button_after_forget_me(start: Start) -> None:
    harness = await start("telegram")
    await harness.deliver(telegram_message("How long does it last?"))
    await harness.deliver(telegram_message("forget me"))
    # Gone with the conversation; the greeting's own buttons are offered anew.
    texts = await harness.deliver(telegram_press("/ask_pain_course"))
    assert "button" in texts[-1]
    texts = await harness.deliver(telegram_press("/ask_treatment"))
    assert "treatment" in texts[-1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"voice": {"file_id": "a", "duration": 3}}, "recordings"),
        ({"video_note": {"file_id": "a"}}, "recordings"),
        (PHOTO, "pictures"),
        ({"sticker": {"file_id": "a", "emoji": "👍"}}, "only read words"),
        ({"location": {"latitude": 1.5, "longitude": 2.5}}, "911"),
        ({"document": {"file_id": "a", "file_name": "mri.pdf"}}, "files"),
        ({"contact": {"phone_number": "1", "first_name": "x"}}, "words"),
        ({"poll": {"id": "1"}}, "words"),
    ],
)
async def test_telegram_what_cannot_be_read(start: Start, content: dict[str, Any], words: str) -> None:
    harness = await start("telegram")
    texts = await harness.deliver(telegram_message(None, **content))
    assert words in texts[-1]
    assert harness.conversations.heard == []


async def test_telegram_a_caption_is_answered_and_an_emergency_in_it_first(start: Start) -> None:
    harness = await start("telegram")
    await harness.deliver(telegram_message("hello"))
    texts = await harness.deliver(telegram_message(None, caption="How long does it last?", **PHOTO))
    assert "pictures" in texts[0]
    assert "months" in texts[1]
    texts = await harness.deliver(telegram_message(None, caption="I fell", **PHOTO))
    assert "EMERGENCY" in texts[0]
    assert "pictures" in texts[1]


async def test_telegram_an_edited_message_is_answered_anew(start: Start) -> None:
    harness = await start("telegram")
    await harness.deliver(telegram_message("hello"))
    edited = telegram_message("How long does it last?")
    edited["edited_message"] = {**edited.pop("message"), "edit_date": int(time.time())}
    assert "months" in (await harness.deliver(edited))[0]
    assert await harness.deliver(edited) == []


GROUP: dict[str, Any] = {"chat": {"id": -100123, "title": "Hips", "type": "supergroup"}}


async def test_telegram_groups_hear_nothing_about_anyone(start: Start) -> None:
    harness = await start("telegram")
    assert await harness.deliver(telegram_message("How long does it last?", **GROUP)) == []
    texts = await harness.deliver(telegram_message("/ask how long?", **GROUP))
    assert "private" in texts[0]
    assert harness.api.calls[-1][1]["chat_id"] == -100123
    assert await harness.deliver(telegram_message("/ask again", **GROUP)) == []
    assert harness.conversations.heard == []


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1, "channel_post": telegram_message("x")["message"]},
        {"update_id": 1, "edited_channel_post": telegram_message("x")["message"]},
        {"update_id": 1, "my_chat_member": {"chat": {"id": 1}, "from": {"id": 1}, "new_chat_member": {"status": "kicked"}}},
        {"update_id": 1, "message_reaction": {"chat": {"id": 1}, "message_id": 2, "new_reaction": []}},
        {"update_id": 1, "inline_query": {"id": "1", "from": {"id": 1}, "query": "hip", "offset": ""}},
        {"update_id": 1, "poll": {"id": "1"}},
        {"update_id": 1},
        telegram_message(None, new_chat_members=[{"id": 1, "is_bot": True}]),
        telegram_message(None, pinned_message={"message_id": 1}),
        telegram_message("hi", None, **{"from": {"id": 5, "is_bot": True, "first_name": "Other"}}),
        {"update_id": 1, "callback_query": {"id": "1", "from": {"id": 1}, "game_short_name": "g", "chat_instance": "1"}},
    ],
)
def test_telegram_events_without_an_answer(update: dict[str, Any]) -> None:
    assert [event for event in from_telegram(update) if event.kind != "nothing"] == []


async def test_telegram_a_person_who_blocked_the_bot_is_left_alone(start: Start) -> None:
    harness = await start("telegram")
    blocked: tuple[int, dict[str, str], dict[str, Any]] = (
        403,
        {},
        {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"},
    )
    harness.api.script = [blocked]
    assert await harness.deliver(telegram_message("How long does it last?")) == []
    assert harness.api.attempts == 1, "neither tried again, nor followed by the second message"


async def test_a_picture_that_is_refused_does_not_keep_the_answer_back(start: Start, tmp_path: Any) -> None:
    harness = await start("telegram")
    (tmp_path / "course.png").write_bytes(b"png")
    harness.channel.site = replace(harness.channel.site, pictures=tmp_path)
    await harness.deliver(telegram_message("hello"))
    harness.api.script = [
        (400, {}, {"ok": False, "error_code": 400, "description": "wrong file identifier/HTTP URL specified"})
    ]
    assert "months" in (await harness.deliver(telegram_message("How long does it last?")))[0]


# --- SMS -------------------------------------------------------------------------------------------------------------


async def test_sms_numbers_choose_from_the_last_list(start: Start) -> None:
    harness = await start("sms")
    texts = await harness.deliver(twilio_message("How long does it last?"))
    assert "Reply 1, 2 or 3:\n1 " in texts[-1]
    assert "/sources" in texts[-1]
    assert texts[0].endswith("Message and data rates may apply.")
    lines = texts[-1].splitlines()
    await harness.deliver(twilio_message("2."))
    topic = harness.conversations.heard[-1]
    assert topic.startswith("/ask_")
    assert lines[-2] == f"2 {harness.conversations.builder.catalogue.about(topic[1:])['title']}"
    # The list is the new one now.
    await harness.deliver(twilio_message("one"))
    assert harness.conversations.heard[-1].startswith("/ask_")
    assert harness.conversations.heard[-1] != topic


async def test_sms_the_words_of_a_choice_choose_too(start: Start) -> None:
    harness = await start("sms")
    texts = await harness.deliver(twilio_message("How long does it last?"))
    title = texts[-1].splitlines()[-1].removeprefix("3 ")
    await harness.deliver(twilio_message(title.upper().rstrip("?")))
    assert harness.conversations.heard[-1].startswith("/ask_")


async def test_sms_a_number_after_an_emergency_chooses_nothing(start: Start) -> None:
    harness = await start("sms")
    await harness.deliver(twilio_message("How long does it last?"))
    await harness.deliver(twilio_message("I fell"))
    await harness.deliver(twilio_message("1"))
    assert harness.conversations.heard[-1] == "1"


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop. ", "StopAll", "UNSUBSCRIBE", "cancel", "END", "quit", "REVOKE", "OPTOUT", "opt out"]
)
async def test_sms_stop_is_obeyed_in_silence(start: Start, word: str) -> None:
    harness = await start("sms")
    await harness.deliver(twilio_message("hello"))
    assert await harness.deliver(twilio_message(word)) == []
    assert await harness.deliver(twilio_message("How long does it last?")) == []
    assert NUMBER[1:] not in harness.conversations.everything_stored()
    await harness.deliver(twilio_message("forget me"))
    assert await harness.deliver(twilio_message("hello")) == [], "the ban outlives everything"
    texts = await harness.deliver(twilio_message("START"))
    assert "computer program" in texts[0]
    assert await harness.deliver(twilio_message("How long does it last?"))


async def test_sms_yes_resumes_only_after_stop(start: Start) -> None:
    harness = await start("sms")
    await harness.deliver(twilio_message("hello"))
    await harness.deliver(twilio_message("yes"))
    assert harness.conversations.heard[-1] == "yes"
    await harness.deliver(twilio_message("STOP"))
    assert "computer program" in (await harness.deliver(twilio_message("YES")))[0]


async def test_sms_advanced_opt_out_words_in_other_languages(start: Start) -> None:
    harness = await start("sms")
    assert await harness.deliver(twilio_message("ALTO", OptOutType="STOP")) == []
    assert await harness.deliver(twilio_message("hello")) == []


async def test_sms_help_names_the_programme_and_the_way_out(start: Start) -> None:
    harness = await start("sms")
    texts = await harness.deliver(twilio_message("HELP"))
    assert "STOP" in texts[-1]
    assert "hip" in texts[-1]


async def test_sms_a_stop_that_only_the_carrier_knows(start: Start) -> None:
    harness = await start("sms")
    harness.api.unsubscribed.add(NUMBER)  # type: ignore[attr-defined]
    await harness.deliver(twilio_message("hello"))
    harness.api.unsubscribed.clear()  # type: ignore[attr-defined]
    attempts = harness.api.attempts
    assert await harness.deliver(twilio_message("hello")) == []
    assert harness.api.attempts == attempts


async def test_stop_on_whatsapp_is_a_word_like_others(start: Start) -> None:
    harness = await start("whatsapp-twilio")
    await harness.deliver(twilio_whatsapp("stop"))
    assert harness.conversations.heard == ["stop"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"NumMedia": "1", "MediaContentType0": "image/jpeg", "MediaUrl0": "https://api.twilio.com/x"}, "pictures"),
        ({"NumMedia": "1", "MediaContentType0": "audio/ogg"}, "recordings"),
        ({"NumMedia": "1", "MediaContentType0": "application/pdf"}, "files"),
        ({"NumMedia": "1", "MediaContentType0": "text/x-vcard"}, "words"),
        ({"Latitude": "1.5", "Longitude": "2.5"}, "911"),
        ({}, "words"),
    ],
)
async def test_sms_what_cannot_be_read(start: Start, fields: dict[str, str], words: str) -> None:
    harness = await start("sms")
    assert words in (await harness.deliver(twilio_message("", **fields)))[-1]


async def test_twilio_answers_from_the_number_that_was_written_to(start: Start) -> None:
    harness = await start("sms")
    await harness.deliver(twilio_message("hello"))
    body = harness.api.calls[-1][1]
    assert (body["From"], body["To"]) == (OURS, NUMBER)
    assert body["StatusCallback"] == f"{PUBLIC}/webhooks/twilio"


async def test_twilio_undelivered_messages_are_counted(start: Start) -> None:
    harness = await start("sms")
    counter = metrics.sends_failed.labels(channel="sms")
    before = counter._value.get()
    status = {"MessageSid": "SM" + "2" * 32, "From": OURS, "To": NUMBER, "AccountSid": "AC"}
    await harness.post({**status, "MessageStatus": "delivered"})
    await harness.post({**status, "MessageStatus": "undelivered", "ErrorCode": "30003"})
    assert counter._value.get() == before + 1
    assert harness.conversations.heard == []


async def test_twilio_signs_the_port_or_not(start: Start) -> None:
    harness = await start("sms")
    assert (await harness.post(twilio_message("hello"), url=f"{PUBLIC}:443/webhooks/twilio")).status == 200
    assert (await harness.post(twilio_message("hello"), url=f"{PUBLIC}/webhooks/other")).status == 401
    await harness.settle()


async def test_whatsapp_is_one_conversation_by_twilio_and_by_meta(start: Start) -> None:
    by_twilio, by_meta = await start("whatsapp-twilio"), await start("whatsapp")
    await by_twilio.deliver(twilio_whatsapp("hello"))
    await by_meta.deliver(whatsapp_update(whatsapp_message("hello")))
    assert by_twilio.conversations.ids[0][0] == by_meta.conversations.ids[0][0]


# --- WhatsApp --------------------------------------------------------------------------------------------------------


async def test_whatsapp_buttons(start: Start) -> None:
    harness = await start("whatsapp")
    await harness.deliver(whatsapp_update(whatsapp_message("How long does it last?")))
    buttons = harness.api.calls[-1][1]["interactive"]["action"]["buttons"]
    assert len(buttons) == 3
    reply = {"type": "button_reply", "button_reply": buttons[0]["reply"]}
    await harness.deliver(whatsapp_update(whatsapp_message(kind="interactive", **reply)))
    assert harness.conversations.heard[-1] == buttons[0]["reply"]["id"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("audio", "recordings"), ("image", "pictures"), ("video", "pictures"), ("sticker", "only read words"),
        ("location", "911"), ("contacts", "words"), ("document", "files"), ("order", "words"), ("unsupported", "words"),
    ],
)  # fmt: skip
async def test_whatsapp_what_cannot_be_read(start: Start, kind: str, words: str) -> None:
    harness = await start("whatsapp")
    assert words in (await harness.deliver(whatsapp_update(whatsapp_message(kind=kind, id="1"))))[-1]


async def test_whatsapp_a_caption_is_answered(start: Start) -> None:
    harness = await start("whatsapp")
    texts = await harness.deliver(whatsapp_update(whatsapp_message(kind="image", id="1", caption="How long does it last?")))
    assert "months" in texts[-1]


@pytest.mark.parametrize("kind", ["reaction", "system", "revoke", "request_welcome"])
async def test_whatsapp_events_without_an_answer(start: Start, kind: str) -> None:
    harness = await start("whatsapp")
    assert await harness.deliver(whatsapp_update(whatsapp_message(kind=kind, message_id="wamid.1", emoji="👍"))) == []


async def test_whatsapp_a_bundle_is_answered_in_the_order_of_writing(start: Start) -> None:
    harness = await start("whatsapp")
    first, second = whatsapp_message("hello there"), whatsapp_message("thanks")
    first["timestamp"] = str(int(time.time()) - 5)
    await harness.deliver(whatsapp_update(second, first))
    assert harness.conversations.heard == ["hello there", "thanks"]


async def test_whatsapp_other_numbers_and_replays_are_not_answered(start: Start) -> None:
    harness = await start("whatsapp")
    assert await harness.deliver(whatsapp_update(whatsapp_message("hello"), number="999")) == []
    old = whatsapp_message("hello")
    old["timestamp"] = str(int(time.time()) - 9 * 86400)
    assert await harness.deliver(whatsapp_update(old)) == []


async def test_whatsapp_failed_statuses_are_counted_once(start: Start) -> None:
    harness = await start("whatsapp")
    counter = metrics.sends_failed.labels(channel="whatsapp")
    before = counter._value.get()
    status = {"id": "wamid.X", "status": "failed", "timestamp": "1", "recipient_id": NUMBER[1:], "errors": [{"code": 131047}]}
    for _ in range(2):
        await harness.deliver(whatsapp_update(statuses=[status, {"id": "wamid.Y", "status": "read"}]))
    assert counter._value.get() == before + 1


@pytest.mark.parametrize("name", ["whatsapp", "messenger"])
async def test_meta_handshake(name: str, start: Start) -> None:
    harness = await start(name)

    async def get(query: str) -> tuple[int, str]:
        response = await harness.inbox.receive(harness.channel, WebhookRequest("GET", "/", query))
        return response.status, response.body

    assert await get(f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY}") == (200, "1158201444")
    for query in (
        "", "hub.mode=subscribe&hub.challenge=1", f"hub.challenge=1&hub.verify_token={VERIFY}",
        f"hub.mode=subscribe&hub.challenge=1&hub.verify_token={VERIFY}x",
        "hub.mode=subscribe&hub.verify_token=%ff&hub.challenge=1",
    ):  # fmt: skip
        assert (await get(query))[0] == 403
    assert (await get(f"hub.mode=subscribe&hub.challenge=<script>&hub.verify_token={VERIFY}"))[0] == 400


# --- Messenger -------------------------------------------------------------------------------------------------------


async def test_messenger_quick_replies_and_get_started(start: Start) -> None:
    harness = await start("messenger")
    texts = await harness.deliver(
        messenger_update(messenger_event(postback={"title": "Get started", "payload": "GET_STARTED"}))
    )
    assert "computer program" in texts[0]
    reply = harness.api.calls[-1][1]["message"]["quick_replies"][1]
    texts = await harness.deliver(messenger_message(reply["title"], quick_reply={"payload": reply["payload"]}))
    assert harness.conversations.heard == [reply["payload"]]


@pytest.mark.parametrize(
    "event",
    [
        messenger_event(message={"mid": "m", "text": "x", "is_echo": True, "app_id": 1}),
        messenger_event(message={"mid": "m", "is_deleted": True}),
        messenger_event(reaction={"reaction": "love", "emoji": "❤", "action": "react", "mid": "m"}),
        messenger_event(read={"watermark": 1}),
        messenger_event(delivery={"mids": ["m"], "watermark": 1}),
        messenger_event(optin={"ref": "x"}),
        messenger_event(referral={"ref": "x"}),
        messenger_event(message={"mid": "m"}),
    ],
)
def test_messenger_events_without_an_answer(event: dict[str, Any]) -> None:
    assert from_messenger(messenger_update(event)) == []
    standby = messenger_update()
    standby["entry"][0]["standby"] = [messenger_event(message={"mid": "m", "text": "x"})]
    assert from_messenger(standby) == []


@pytest.mark.parametrize(
    ("attachment", "words"),
    [
        ({"type": "image", "payload": {"url": "u"}}, "pictures"),
        ({"type": "image", "payload": {"url": "u", "sticker_id": 369239263222822}}, "only read words"),
        ({"type": "audio", "payload": {"url": "u"}}, "recordings"),
        ({"type": "location", "payload": {"coordinates": {"lat": 1, "long": 2}}}, "911"),
        ({"type": "file", "payload": {"url": "u"}}, "files"),
        ({"type": "fallback", "payload": None}, "words"),
    ],
)
async def test_messenger_what_cannot_be_read(start: Start, attachment: dict[str, Any], words: str) -> None:
    harness = await start("messenger")
    assert words in (await harness.deliver(messenger_message(None, attachments=[attachment])))[-1]


async def test_messenger_an_edited_message(start: Start) -> None:
    harness = await start("messenger")
    await harness.deliver(messenger_message("hello"))
    edit = messenger_event(message_edit={"mid": "m_9", "text": "How long does it last?", "num_edit": 1})
    assert "months" in (await harness.deliver(messenger_update(edit)))[0]


# --- Slack -----------------------------------------------------------------------------------------------------------


async def test_slack_url_verification_is_answered_only_when_signed(start: Start) -> None:
    harness = await start("slack")
    payload = {"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"}
    response = await harness.post(payload)
    assert (response.status, response.body) == (200, payload["challenge"])
    unsigned = WebhookRequest("POST", "/webhooks/slack", "", {}, b'{"type": "url_verification", "challenge": "x"}')
    assert (await harness.inbox.receive(harness.channel, unsigned)).status == 401


@pytest.mark.parametrize("age", [-400, 400])
async def test_slack_requests_outside_the_window_are_refused(start: Start, age: int) -> None:
    harness = await start("slack")
    assert (await harness.post(slack_event("hello"), at=time.time() - age)).status == 401


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "٣", "9" * 400])
async def test_slack_nonsense_in_the_time_stamp_is_refused(start: Start, stamp: str) -> None:
    harness = await start("slack")
    good = harness.sign(harness.channel, slack_event("hello"))
    bad = replace(good, headers={**good.headers, "x-slack-request-timestamp": stamp})
    assert (await harness.inbox.receive(harness.channel, bad)).status == 401


async def test_slack_buttons_in_one_message_with_the_answer(start: Start) -> None:
    harness = await start("slack")
    await harness.deliver(slack_event("How long does it last?"))
    kinds = [block["type"] for block in harness.api.calls[-1][1]["blocks"]]
    # The picture stands between them where the web part is built, which is where it comes from.
    assert [kind for kind in kinds if kind != "image"] == ["section", "context", "actions"]
    value = harness.api.calls[-1][1]["blocks"][-1]["elements"][0]["value"]
    await harness.deliver(slack_press(value), form=True)
    assert harness.conversations.heard[-1] == value


async def test_slack_channels_get_one_word_in_a_thread(start: Start) -> None:
    harness = await start("slack")
    mention = slack_event("<@U0> how long?", type="app_mention", channel="C0LAN2Q65", channel_type="channel", ts="12.5")
    assert "private" in (await harness.deliver(mention))[0]
    assert harness.api.calls[-1][1]["thread_ts"] == "12.5"
    assert await harness.deliver(slack_event("how long?", channel="C0LAN2Q65", channel_type="channel")) == []


async def test_slack_a_slash_command_is_answered_in_private(start: Start) -> None:
    harness = await start("slack")
    form = {"command": "/hip", "text": "How long does it last?", "user_id": SLACK_ID, "team_id": "T061EG9R6",
            "channel_id": "C0LAN2Q65", "trigger_id": "13345224609.738474920"}  # fmt: skip
    assert "months" in (await harness.deliver(form, form=True))[-1]
    assert harness.api.calls[-1][1]["channel"] == SLACK_ID


@pytest.mark.parametrize(
    "event",
    [
        slack_event("x", bot_id="B1"),
        slack_event("x", subtype="bot_message"),
        slack_event(None, subtype="message_deleted", deleted_ts="1.2"),
        slack_event("x", subtype="channel_join"),
        slack_event(None, type="reaction_added", reaction="heart"),
        slack_event(None, type="app_home_opened"),
        slack_event(
            None, subtype="message_changed", message={"text": "a", "user": "U1", "ts": "1"}, previous_message={"text": "a"}
        ),
        slack_event("x", subtype=["list"]),
    ],
)
def test_slack_events_without_an_answer(event: dict[str, Any]) -> None:
    assert translate_event(event) == []


async def test_slack_an_edited_message_and_files(start: Start) -> None:
    harness = await start("slack")
    await harness.deliver(slack_event("hello"))
    changed = {"type": "message", "user": SLACK_ID, "text": "How long does it last?", "ts": "1.2"}
    edit = slack_event(None, subtype="message_changed", message=changed, previous_message={**changed, "text": "How lng"})
    assert "months" in (await harness.deliver(edit))[0]
    file = slack_event("", subtype="file_share", files=[{"id": "F1", "mimetype": "audio/mp4"}])
    assert "recordings" in (await harness.deliver(file))[0]


def test_slack_markup_becomes_words() -> None:
    assert plain("<@U012AB3CD> can I &lt;swim&gt; &amp; walk? <https://a.example|see this> <https://b.example>") == (
        "can I <swim> & walk? see this https://b.example"
    )


async def test_slack_errors(start: Start) -> None:
    harness = await start("slack")
    await harness.deliver(slack_event("hello"))
    harness.api.script = [
        (200, {}, {"ok": False, "error": "ratelimited"}),
        (200, {}, {"ok": False, "error": "channel_not_found"}),
    ]
    before = harness.api.attempts
    assert await harness.deliver(slack_event("How long does it last?")) == []
    assert harness.api.attempts == before + 2


def test_constants() -> None:
    # The stand-ins and the tests must not share a secret with what they guard against.
    assert SECRET != VERIFY
    assert REGION.emergency_number == "911"
