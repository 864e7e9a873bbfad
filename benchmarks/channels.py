"""Rasa's own channels and Hipwise's, with the same replies and the same updates, against the same stand-ins.

Run ``uv run python -m benchmarks.channels``; it prints the table of ``docs/channels.md``. Nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import aiohttp
from sanic import Sanic

from hipwise.channels.base import Incoming, Site, WebhookRequest
from hipwise.channels.registry import register_channels
from hipwise.quiet import quieten
from hipwise.replies import Reply, ReplyBuilder, Suggestion
from hipwise.replies.build import default_builder
from hipwise.replies.render import plain_text
from hipwise.settings import Settings
from tests.channels import platforms, support
from tests.channels.platforms import Platform, Refused


@dataclass
class Row:
    """What was counted for one channel of one program."""

    refused: int = 0
    whole: bool = False
    choices: int = 0
    choices_of_six: int = 0
    forged: str = ""
    twice: int = 0
    broken: int = 0
    events: int = 0


def replies(builder: ReplyBuilder) -> Iterator[Reply]:
    """Every wording of every response."""
    names = dict.fromkeys(("activity", "medicine", "aid", "test", "condition", "group", "topic"), "swimming")
    for topic in builder.catalogue.topics:
        for variation in builder.catalogue.variations(f"utter_{topic}"):
            yield builder.reply(topic, {**names, **variation.conditions})


def six(builder: ReplyBuilder) -> Reply:
    """A reply with six choices whose titles are as long as ours are."""
    topics = ("ask_duration", "ask_pain_course", "ask_treatment", "ask_symptoms", "ask_cause", "ask_regular_osteoporosis")
    suggestions = [
        Suggestion(builder.catalogue.about(t)["title"], f"/{t}", builder.catalogue.about(t)["title20"]) for t in topics
    ]
    return replace(builder.reply("ask_cause"), suggestions=tuple(suggestions))


def long(builder: ReplyBuilder) -> Reply:
    """An answer that is longer than most platforms' messages."""
    text = "This sentence says something about the hip. " * 120
    return replace(builder.reply("ask_cause"), text=text, suggestions=())


def count(row: Row, api: Platform, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Hand the calls to the stand-in, and count what it refuses."""
    for method, body in calls:
        try:
            api.check(method, body)
            api.calls.append((method, body))
        except (Refused, KeyError, TypeError):
            row.refused += 1


def measure_replies(
    row: Row, make: Callable[[], Platform], render: Callable[[Reply], list[tuple[str, dict[str, Any]]]]
) -> None:
    """Send every reply, one with six choices and a long one."""
    builder = default_builder()
    for reply in replies(builder):
        api = make()
        count(row, api, render(reply))
        shown = str(api.calls)
        if reply.suggestions and reply.kind not in ("urgent", "crisis"):
            row.choices += sum(s.payload in shown or f"\\n{n} {s.title}" in shown for n, s in enumerate(reply.suggestions, 1))
    api = make()
    count(row, api, render(six(builder)))
    shown = str(api.calls)
    chosen = six(builder).suggestions
    row.choices_of_six = sum(f"'{s.payload}'" in shown or f"\\n{n} {s.title}" in shown for n, s in enumerate(chosen, 1))
    api = make()
    count(Row(), api, render(long(builder)))
    texts = api.texts()
    whole = "".join(texts).count("about the hip.") == 120
    row.whole = whole and any("about the hip." in text and "Source:" in text for text in texts)


# --- The updates -----------------------------------------------------------------------------------------------------


def updates() -> dict[str, list[Any]]:
    """What people and platforms also send, in the documented form: none of it is an attack."""
    telegram, twilio = support.telegram_message, support.twilio_message
    return {
        "telegram": [
            telegram(None, sticker={"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1, "is_animated": False}),
            telegram(None, voice={"file_id": "a", "file_unique_id": "b", "duration": 3}),
            support.telegram_press(),
            {"update_id": 9_000_001, "edited_message": telegram("how long")["message"]},
            {"update_id": 9_000_002, "edited_message": telegram(None, caption="x", photo=[])["message"]},
            {"update_id": 9_000_003, "channel_post": telegram("x")["message"]},
            {"update_id": 9_000_004, "my_chat_member": {"chat": {"id": 1, "type": "private"}, "date": 1}},
            {"update_id": 9_000_005, "message_reaction": {"chat": {"id": 1, "type": "private"}, "message_id": 2}},
        ],
        "sms": [
            twilio("", NumMedia="1", MediaContentType0="image/jpeg"),
            {k: v for k, v in twilio("", NumMedia="1", MediaContentType0="audio/ogg").items() if k != "Body"},
            twilio("", Latitude="1", Longitude="2"),
            {"MessageSid": "SM" + "2" * 32, "MessageStatus": "undelivered", "To": support.NUMBER, "From": support.OURS},
        ],
        "messenger": [
            support.messenger_message(None, attachments=[{"type": "image", "payload": {"url": "u"}}]),
            support.messenger_message(None, attachments=[{"type": "location", "payload": {}}]),
            support.messenger_update(support.messenger_event(read={"watermark": 1})),
            support.messenger_update(support.messenger_event(reaction={"mid": "m", "action": "react"})),
            support.messenger_update(support.messenger_event(message={"mid": "m", "is_deleted": True})),
            support.messenger_update(support.messenger_event(postback={"payload": "GET_STARTED"})),
        ],
        "slack": [
            support.slack_event(None, subtype="message_deleted", deleted_ts="1.2"),
            support.slack_event(
                None, subtype="message_changed", message={"text": "a", "user": "U1"}, previous_message={"text": "b"}
            ),
            support.slack_event("", subtype="file_share", files=[{"mimetype": "image/png"}]),
            support.slack_event(None, type="reaction_added", reaction="heart"),
        ],
    }


def first(name: str) -> Any:
    """An ordinary question."""
    return support.CHANNELS[name][3]("How long does it last?")


def forge(name: str, request: WebhookRequest) -> WebhookRequest:
    """The same request by someone without the secret."""
    headers = {k: v for k, v in request.headers.items() if "signature" not in k and "secret" not in k}
    return replace(request, headers=headers)


async def measure_webhook(
    row: Row, name: str, url: str, handled: Callable[[], int], sign: Callable[[Any], WebhookRequest]
) -> None:
    """Post updates to a running channel, and count what it does."""

    async def post(request: WebhookRequest) -> int:
        async with session.post(url, data=request.body, headers=dict(request.headers)) as response:
            await response.read()
            status = response.status
        await asyncio.sleep(0.05)
        return status

    async with aiohttp.ClientSession() as session:
        status = await post(forge(name, sign(first(name))))
        row.forged = "answered" if handled() else f"refused ({status})"
        question, before = sign(first(name)), handled()
        await post(question)
        for number, reason in enumerate(("http_timeout", "connection_failed"), start=1):
            # Only Slack says that it is a retry.
            retry = {"x-slack-retry-num": str(number), "x-slack-retry-reason": reason} if name == "slack" else {}
            await post(replace(question, headers={**question.headers, **retry}))
        row.twice = handled() - before
        for update in updates()[name]:
            row.events += 1
            row.broken += (await post(sign(update))) >= 500


# --- Rasa's ----------------------------------------------------------------------------------------------------------


def rasa_output(name: str, calls: list[tuple[str, dict[str, Any]]]) -> Any:
    """Rasa's output channel, its client replaced by one that keeps the calls."""
    if name == "telegram":
        from rasa.core.channels.telegram import TelegramOutput

        class Telegram(TelegramOutput):
            async def send_message(self, chat_id: str, text: str, reply_markup: Any = None, **kwargs: Any) -> None:
                body: dict[str, Any] = {"chat_id": int(chat_id), "text": text}
                if reply_markup is not None:
                    body["reply_markup"] = reply_markup.to_python()
                calls.append(("sendMessage", body))

            async def get_me(self) -> Any:
                return type("Me", (), {"username": "clinic_bot"})()

        return Telegram(platforms.TELEGRAM_TOKEN)
    if name == "sms":
        from rasa.core.channels.twilio import TwilioOutput

        class Twilio(TwilioOutput):
            async def _send_message(self, message_data: dict[str, Any]) -> Any:
                calls.append(
                    ("Messages", {"To": message_data["to"], "From": message_data["from_"], "Body": message_data["body"]})
                )

        return Twilio(platforms.ACCOUNT_SID, platforms.AUTH_TOKEN, support.OURS)
    if name == "messenger":
        from rasa.core.channels.facebook import MessengerBot

        class Client:
            def send(self, payload: dict[str, Any], recipient: str, kind: str) -> None:
                calls.append(("messages", {"recipient": {"id": recipient}, "messaging_type": kind, "message": payload}))

        return MessengerBot(Client())
    from rasa.core.channels.slack import SlackBot

    class Slack(SlackBot):
        async def _post_message(self, channel: str, **kwargs: Any) -> None:
            calls.append(("chat.postMessage", {"channel": channel, **kwargs}))

    return Slack(platforms.SLACK_TOKEN)


class RasaMessenger(platforms.MessengerApi):
    """Also takes the button template, which Rasa sends: 640 characters, three buttons of 20."""

    def check(self, method: str, body: dict[str, Any]) -> None:
        template = body["message"].get("attachment", {})
        if template.get("type") != "template":
            return super().check(method, body)
        payload = template["payload"]
        self.require(platforms.units(payload["text"]) <= 640, "text")
        self.require(1 <= len(payload["buttons"]) <= 3, "buttons")
        return self.require(all(platforms.units(b["title"]) <= 20 for b in payload["buttons"]), "title")

    def texts(self) -> list[str]:
        return [body["message"].get("text", "") for _, body in self.calls]


class RasaSlack(platforms.SlackApi):
    """Also takes messages without blocks."""

    def check(self, method: str, body: dict[str, Any]) -> None:
        if "blocks" in body:
            for block in body["blocks"]:
                for element in block.get("elements", []):
                    element.setdefault("action_id", str(id(element)))
            super().check(method, body)
        elif platforms.units(body["text"]) > 40_000:
            raise Refused(200, {"ok": False, "error": "msg_too_long"})

    def texts(self) -> list[str]:
        return [body["text"] for _, body in self.calls]


_RECIPIENTS = {"telegram": "4711", "sms": support.NUMBER, "messenger": "2468", "slack": "D024BE91L"}


async def rasa(name: str) -> Row:
    """Measure Rasa's channel."""
    row, calls = Row(), list[tuple[str, dict[str, Any]]]()
    output = rasa_output(name, calls)

    def render(reply: Reply) -> list[tuple[str, dict[str, Any]]]:
        calls.clear()
        message: dict[str, Any] = {"text": plain_text(reply)}
        if reply.suggestions:
            message["buttons"] = [{"title": s.title, "payload": s.payload} for s in reply.suggestions]
        # Rasa awaits nothing here that is not ours, so one step runs it through.
        coroutine = output.send_response(_RECIPIENTS[name], message)
        with contextlib.suppress(StopIteration):
            coroutine.send(None)
        return list(calls)

    apis: dict[str, Callable[[], Platform]] = {
        "telegram": platforms.TelegramApi, "sms": platforms.TwilioApi, "messenger": RasaMessenger, "slack": RasaSlack,
    }  # fmt: skip
    measure_replies(row, apis[name], render)
    if name == "sms":
        # The list is there ("1: title (/payload)"), but nothing understands "1".
        row.choices = row.choices_of_six = 0

    heard: list[Any] = []

    async def on_new_message(message: Any) -> None:
        if not isinstance(message.text, str):
            raise TypeError("Rasa's processor needs text")
        heard.append(message)

    app = Sanic(f"rasa_{name}", configure_logging=False)
    app.blueprint(rasa_input(name, output).blueprint(on_new_message), url_prefix="/webhooks/x")
    async with serving(app) as base:
        sign = support.CHANNELS[name][2]
        channel = support.CHANNELS[name][0](support.CONFIG, Site(support.PUBLIC))

        def signed(payload: Any) -> WebhookRequest:
            request = sign(channel, payload)
            if name == "messenger":
                digest = hmac.new(support.SECRET.encode(), request.body, hashlib.sha256).hexdigest()
                return replace(request, headers={**request.headers, "x-hub-signature": f"sha256={digest}"})
            return request

        await measure_webhook(row, name, f"{base}/webhooks/x/webhook", lambda: len(heard), signed)
    return row


def rasa_input(name: str, output: Any) -> Any:
    """Rasa's input channel with our secrets."""
    if name == "telegram":
        from rasa.core.channels.telegram import TelegramInput

        class Telegram(TelegramInput):
            def get_output_channel(self) -> Any:
                return output

        return Telegram(platforms.TELEGRAM_TOKEN, "clinic_bot", "https://clinic.example")
    if name == "sms":
        from rasa.core.channels.twilio import TwilioInput

        return TwilioInput(platforms.ACCOUNT_SID, platforms.AUTH_TOKEN, support.OURS)
    if name == "messenger":
        from rasa.core.channels import facebook

        async def send_action(self: Any, recipient_id: str, sender_action: str) -> None:
            """No typing indicator: it would go out to the network."""

        facebook.MessengerBot.send_action = send_action
        return facebook.FacebookInput(support.VERIFY, support.SECRET, platforms.META_TOKEN)
    from rasa.core.channels.slack import SlackInput

    return SlackInput.from_credentials({"slack_token": platforms.SLACK_TOKEN, "slack_signing_secret": support.SECRET})


# --- Hipwise's -------------------------------------------------------------------------------------------------------


async def ours(name: str) -> Row:
    """Measure Hipwise's channel."""
    row = Row()
    kind, api, sign, _ = support.CHANNELS[name]
    channel = kind(support.CONFIG, Site(support.PUBLIC))
    to = Incoming(
        name.removesuffix("-twilio"), "p", "1", "text", to=_RECIPIENTS[name], via=support.OURS if name == "sms" else ""
    )
    measure_replies(row, api, lambda reply: [(call.method, dict(call.body)) for call in channel.render([reply], to)])
    conversations = support.FakeConversations(default_builder())
    stand_in = api()
    runner = aiohttp.web.AppRunner(stand_in.app())
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    app = Sanic(f"ours_{name}", configure_logging=False)
    app.ctx.conversations = conversations
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database=Path(folder) / "db.sqlite", public_url=support.PUBLIC, secret="s" * 40)
        register_channels(app, settings, {**support.CONFIG, kind.api_variable(): f"http://127.0.0.1:{port}"})
        async with serving(app) as base:
            url = f"{base}{kind.path()}"
            await measure_webhook(row, name, url, lambda: len(conversations.heard), lambda payload: sign(channel, payload))
    await runner.cleanup()
    return row


class serving:  # noqa: N801 - reads as a word
    """Serve an application while the block runs."""

    def __init__(self, app: Sanic) -> None:
        self._app = app

    async def __aenter__(self) -> str:
        self._server: Any = await self._app.create_server(
            host="127.0.0.1", port=0, return_asyncio_server=True, access_log=False
        )
        await self._server.startup()
        await self._server.before_start()
        await self._server.start_serving()
        return f"http://127.0.0.1:{self._server.server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *error: object) -> None:
        await self._server.before_stop()
        self._server.server.close()
        await self._server.after_stop()


def measure(program: str, name: str) -> Row:
    """Measure one channel of one program, in a process of its own: Sanic rewrites its methods and starts once in each."""
    quieten()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    return asyncio.run({"Rasa": rasa, "Hipwise": ours}[program](name))


def main() -> int:
    """Print the table."""
    every = [reply for reply in replies(default_builder()) if reply.suggestions and reply.kind not in ("urgent", "crisis")]
    choices = sum(len(reply.suggestions) for reply in every)
    print(
        "| channel | calls refused by the platform | a long answer arrives, with its source | choices that work "
        "| of six choices | forged request | one update three times | ordinary events that end in a server error |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for name in _RECIPIENTS:
            for program in ("Rasa", "Hipwise"):
                row = pool.submit(measure, program, name).result()
                print(
                    f"| {name}, {program} | {row.refused} | {'yes' if row.whole else 'no'} | {row.choices} of {choices} "
                    f"| {row.choices_of_six} | {row.forged} | handled {row.twice} x | {row.broken} of {row.events} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
