"""A fake of the conversations, a harness that plays the platform, and documented payloads."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp.test_utils import TestServer
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from hipwise.channels.base import Channel, Site, WebhookRequest, WebhookResponse
from hipwise.channels.deliver import Sender
from hipwise.channels.identity import Identity
from hipwise.channels.messenger import Messenger
from hipwise.channels.slack import Slack
from hipwise.channels.state import Handled
from hipwise.channels.telegram import Telegram
from hipwise.channels.twilio import Twilio
from hipwise.channels.webhook import Inbox
from hipwise.channels.whatsapp import WhatsApp
from hipwise.conversation import LONGEST, MessageTooLong, TurnFailed
from hipwise.replies import Reply
from hipwise.safety.regions import Region
from hipwise.settings import Settings
from hipwise.store.conversations import ConversationStore
from hipwise.store.tracker_store import SqliteTrackerStore

from . import platforms
from .platforms import Platform

PUBLIC = "https://clinic.example"
SECRET = "stand-in-secret-0123456789"
VERIFY = "stand-in-verify-token-01"
NUMBER = "+15005550006"
# Long enough that no time stamp or random id holds one by chance: an id of four digits was once found in one.
TELEGRAM_ID = 471_100_555_000
MESSENGER_ID = "24680055500062468"
SLACK_ID = "U2147483697"
MESSAGE_ID = "stand-in-message"
PRIVATE = (NUMBER[1:], str(TELEGRAM_ID), MESSENGER_ID, SLACK_ID, MESSAGE_ID, f"SM{0:020x}")
"""What names a person or a message of theirs at a platform, and must not be found in anything kept or written."""
OURS = "+15005550001"
REGION = Region(emergency_number="911", crisis_line="988", poison_line="1-800-222-1222")

CONFIG = {
    "HIPWISE_TELEGRAM_TOKEN": platforms.TELEGRAM_TOKEN,
    "HIPWISE_TELEGRAM_SECRET": SECRET,
    "HIPWISE_TWILIO_ACCOUNT_SID": platforms.ACCOUNT_SID,
    "HIPWISE_TWILIO_AUTH_TOKEN": platforms.AUTH_TOKEN,
    "HIPWISE_PUBLIC_URL": PUBLIC,
    "HIPWISE_WHATSAPP_TOKEN": platforms.META_TOKEN,
    "HIPWISE_WHATSAPP_PHONE_NUMBER_ID": platforms.PHONE_NUMBER_ID,
    "HIPWISE_WHATSAPP_APP_SECRET": SECRET,
    "HIPWISE_WHATSAPP_VERIFY_TOKEN": VERIFY,
    "HIPWISE_MESSENGER_TOKEN": platforms.META_TOKEN,
    "HIPWISE_MESSENGER_APP_SECRET": SECRET,
    "HIPWISE_MESSENGER_VERIFY_TOKEN": VERIFY,
    "HIPWISE_SLACK_TOKEN": platforms.SLACK_TOKEN,
    "HIPWISE_SLACK_SIGNING_SECRET": SECRET,
}

#: Topic by a word of the message, for the fake.
_WORDS = {"long": "ask_duration", "swim": "ask_water_exercise", "thank": "smalltalk_thanks", "hello": "smalltalk_greet"}


class FakeConversations:
    """Answers from the domain by single words, and keeps its store as the real one does."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.store = ConversationStore(SqliteTrackerStore(db=":memory:"))
        self.heard: list[str] = []
        self.ids: list[tuple[str, str]] = []
        self.delay = 0.0
        self.broken: Exception | None = None

    async def open(self, channel: str, conversation: str) -> tuple[str, list[Reply]]:
        self.store.create(conversation, channel)
        greeting = [self.builder.reply("smalltalk_greet")]
        self.store.keep_answer(conversation, "", greeting)
        return conversation, greeting

    def emergency(self, text: str) -> list[Reply]:
        return [self.builder.reply("red_flag_cannot_stand")] if "fell" in text else []

    async def say(self, conversation: str, text: str, *, channel: str, message_id: str) -> list[Reply]:
        if (answered := self.store.answered(conversation, message_id)) is not None:
            return answered
        await asyncio.sleep(self.delay)
        if self.broken is not None:
            if isinstance(self.broken, TurnFailed):
                raise TurnFailed(self.emergency(text))
            raise self.broken
        if len(text) > LONGEST:
            raise MessageTooLong([*self.emergency(text), self.builder.reply("too_long")])
        self.heard.append(text)
        self.ids.append((conversation, message_id))
        replies = self.emergency(text)
        if text.startswith("/") and self.store.offered(conversation, text):
            replies.append(self.builder.reply(text[1:]))
        elif "forget" in text:
            await self.store.erase(conversation)
            self.store.create(conversation, channel)
            return [self.builder.reply("service_forget_me")]
        elif not text.strip():
            return [self.builder.reply("empty")]
        else:
            replies.extend(self.builder.reply(topic) for word, topic in _WORDS.items() if word in text.lower())
        replies = replies or [self.builder.reply("nlu_fallback")]
        self.store.keep_answer(conversation, message_id, replies)
        return replies

    def everything_stored(self) -> str:
        """The whole database as text."""
        return "\n".join(self.store.trackers.connection.iterdump())


class Harness:
    """One channel, its platform's stand-in, and the handler between them."""

    def __init__(
        self, channel: type[Channel], api: Platform, sign: Callable[..., WebhookRequest], conversations: Any
    ) -> None:
        self.kind = channel
        self.api = api
        self.sign = sign
        self.conversations = conversations
        self.waits: list[float] = []
        self.server = TestServer(api.app())
        self.settings = Settings(public_url=PUBLIC, rate_messages="1000/minute")
        self.handled: Callable[[Handled], Handled] | None = None

    async def start(self) -> None:
        await self.server.start_server()
        config = {**CONFIG, self.kind.api_variable(): str(self.server.make_url(""))}
        self.channel = self.kind(config, Site(PUBLIC))
        self.inbox = self.make_inbox()

    def make_inbox(self) -> Inbox:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        identity = Identity(b"k" * 32)
        return Inbox(self.settings, identity, REGION, Sender(sleep), lambda: self.conversations, self.handled)

    async def stop(self) -> None:
        await self.inbox.close()
        await self.server.close()

    async def post(self, payload: Any, **how: Any) -> WebhookResponse:
        """Deliver a payload, signed as the platform signs."""
        return await self.inbox.receive(self.channel, self.sign(self.channel, payload, **how))

    async def settle(self) -> None:
        """Wait until everything that came in is handled."""
        while self.inbox._tasks:
            await asyncio.wait(set(self.inbox._tasks))

    async def deliver(self, payload: Any, **how: Any) -> list[str]:
        """Deliver a payload, and return the texts that it brought the person."""
        before = len(self.api.texts())
        response = await self.post(payload, **how)
        assert response.status == 200, response
        await self.settle()
        return self.api.texts()[before:]


# --- Signatures: by the platforms' own libraries where there is one --------------------------------------------------


def _json_request(channel: Channel, payload: Any, headers: dict[str, str]) -> WebhookRequest:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return WebhookRequest("POST", channel.path(), "", {"content-type": "application/json", **headers}, body)


def sign_telegram(channel: Channel, payload: Any) -> WebhookRequest:
    return _json_request(channel, payload, {"x-telegram-bot-api-secret-token": SECRET})


def sign_meta(channel: Channel, payload: Any) -> WebhookRequest:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return _json_request(channel, body, {"x-hub-signature-256": f"sha256={digest}"})


def sign_twilio(channel: Channel, payload: Any, url: str = "") -> WebhookRequest:
    form = {name: str(value) for name, value in payload.items()}
    signature = RequestValidator(platforms.AUTH_TOKEN).compute_signature(url or PUBLIC + channel.path(), form)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    return WebhookRequest("POST", channel.path(), "", headers, urlencode(form).encode())


def sign_slack(channel: Channel, payload: Any, *, form: bool = False, at: float | None = None) -> WebhookRequest:
    if isinstance(payload, bytes):
        body = payload
    elif form:
        body = urlencode(payload if "user_id" in payload else {"payload": json.dumps(payload)}).encode()
    else:
        body = json.dumps(payload).encode()
    stamp = str(int(time.time() if at is None else at))
    try:
        signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body) or ""
    except UnicodeDecodeError:
        signature = "v0=" + hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    headers = {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": signature}
    return WebhookRequest("POST", channel.path(), "", headers, body)


# --- Payloads, in the form that the platforms document ---------------------------------------------------------------

_count = iter(range(1, 1_000_000))


def telegram_message(text: str | None = "How long does it last?", number: Any = None, **fields: Any) -> dict[str, Any]:
    message = {
        "message_id": next(_count),
        "from": {"id": TELEGRAM_ID, "is_bot": False, "first_name": "Test", "language_code": "en"},
        "chat": {"id": TELEGRAM_ID, "first_name": "Test", "type": "private"},
        "date": int(time.time()),
        **fields,
    }
    if text is not None:
        message["text"] = text
    return {"update_id": next(_count) if number is None else number, "message": message}


def telegram_press(data: str = "/ask_treatment") -> dict[str, Any]:
    return {
        "update_id": next(_count),
        "callback_query": {
            "id": "4382bfdwdsb323b2d9",
            "from": {"id": TELEGRAM_ID, "is_bot": False, "first_name": "Test"},
            "message": {"message_id": 5, "chat": {"id": TELEGRAM_ID, "type": "private"}, "date": int(time.time()), "text": "..."},
            "chat_instance": "1",
            "data": data,
        },
    }


def twilio_message(body: str = "How long does it last?", sid: str | None = None, **fields: Any) -> dict[str, Any]:
    sid = sid or f"SM{next(_count):032x}"
    return {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": body,
        "FromCountry": "US",
        "To": OURS,
        "ToZip": "",
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": platforms.ACCOUNT_SID,
        "From": NUMBER,
        "ApiVersion": "2010-04-01",
        **fields,
    }


def twilio_whatsapp(body: str = "How long does it last?", **fields: Any) -> dict[str, Any]:
    fields = {"From": f"whatsapp:{NUMBER}", "To": f"whatsapp:{OURS}", "ProfileName": "Test", "WaId": NUMBER[1:], **fields}
    return twilio_message(body, **fields)


def whatsapp_update(
    *messages: dict[str, Any], statuses: Any = None, number: str = platforms.PHONE_NUMBER_ID
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": OURS[1:], "phone_number_id": number},
    }
    if messages:
        value["contacts"] = [{"profile": {"name": "Test"}, "wa_id": NUMBER[1:]}]
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = statuses
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}]}


def whatsapp_message(text: str | None = "How long does it last?", kind: str = "text", **content: Any) -> dict[str, Any]:
    return {
        "from": NUMBER[1:],
        "id": f"wamid.{MESSAGE_ID}.{next(_count)}",
        "timestamp": str(int(time.time())),
        "type": kind,
        kind: {"body": text} if kind == "text" else content,
    }


def messenger_update(*events: dict[str, Any]) -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": "PAGE", "time": int(time.time() * 1000), "messaging": list(events)}]}


def messenger_event(**content: Any) -> dict[str, Any]:
    return {"sender": {"id": MESSENGER_ID}, "recipient": {"id": "PAGE"}, "timestamp": int(time.time() * 1000), **content}


def messenger_message(text: str | None = "How long does it last?", **fields: Any) -> dict[str, Any]:
    message = {"mid": f"m_{MESSAGE_ID}.{next(_count)}", **fields}
    if text is not None:
        message["text"] = text
    return messenger_update(messenger_event(message=message))


def slack_event(text: str | None = "How long does it last?", **fields: Any) -> dict[str, Any]:
    event = {
        "type": "message",
        "channel": "D024BE91L",
        "user": SLACK_ID,
        "ts": f"{time.time():.6f}",
        "event_ts": f"{time.time():.6f}",
        "channel_type": "im",
        **fields,
    }
    if text is not None:
        event["text"] = text
    return {
        "token": "z",
        "team_id": "T061EG9R6",
        "api_app_id": "A0PNCHHK2",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{next(_count)}",
        "event_time": int(time.time()),
    }


def slack_press(value: str = "/ask_treatment") -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T061EG9R6", "domain": "example"},
        "user": {"id": SLACK_ID, "username": "test", "team_id": "T061EG9R6"},
        "trigger_id": f"{next(_count)}.2.abc",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "D024BE91L"},
        "channel": {"id": "D024BE91L", "name": "directmessage"},
        "actions": [
            {"action_id": "ask_0", "block_id": "b", "type": "button", "value": value, "action_ts": f"{time.time():.6f}"}
        ],
    }


#: Everything a test needs to speak for a platform: channel, stand-in, signature, and a message with these words.
CHANNELS: dict[str, tuple[type[Channel], type[Platform], Callable[..., WebhookRequest], Callable[[str], dict[str, Any]]]] = {
    "telegram": (Telegram, platforms.TelegramApi, sign_telegram, telegram_message),
    "sms": (Twilio, platforms.TwilioApi, sign_twilio, twilio_message),
    "whatsapp-twilio": (Twilio, platforms.TwilioApi, sign_twilio, twilio_whatsapp),
    "whatsapp": (WhatsApp, platforms.WhatsAppApi, sign_meta, lambda text: whatsapp_update(whatsapp_message(text))),
    "messenger": (Messenger, platforms.MessengerApi, sign_meta, messenger_message),
    "slack": (Slack, platforms.SlackApi, sign_slack, slack_event),
}
