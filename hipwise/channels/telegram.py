"""Telegram: the Bot API, https://core.telegram.org/bots/api."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from hipwise.channels.base import (
    Call,
    Channel,
    HttpCall,
    Incoming,
    MalformedUpdate,
    Outcome,
    Site,
    Variable,
    WebhookRequest,
    What,
    dig,
    parse_json,
    seconds,
)
from hipwise.channels.limits import TELEGRAM
from hipwise.channels.text import ALARM, Page, pages, shorten, split, utf16_length, within
from hipwise.replies import Reply

#: Fields of a message that hold what cannot be read. Messages with none of these and no words are the platform's own
#: ("Anna joined", "message pinned") and need no answer.
_CONTENTS: tuple[tuple[str, What], ...] = (
    ("voice", "voice"), ("video_note", "voice"), ("audio", "voice"), ("photo", "picture"), ("video", "picture"),
    ("animation", "picture"), ("sticker", "sticker"), ("location", "location"), ("venue", "location"), ("document", "file"),
    ("contact", "other"), ("poll", "other"), ("dice", "sticker"), ("story", "other"), ("paid_media", "picture"),
)  # fmt: skip

#: Commands that mean words. /start and /help are kinds of their own.
_COMMANDS = {
    "forget": "forget me", "delete": "forget me", "privacy": "what do you store about me?",
    "sources": "what are your sources?",
    "stop": "goodbye", "again": "start again", "human": "I want to talk to a person",
}  # fmt: skip


def translate(update: Mapping[str, Any]) -> list[Incoming]:
    """Return what an update says. Updates of kinds that need no answer give nothing.

    Raises:
        MalformedUpdate: it has no ``update_id``.
    """
    number = dig(update, int, "update_id")
    if number is None:
        raise MalformedUpdate
    if (query := dig(update, dict, "callback_query")) is not None:
        return _press(str(number), query)
    # Someone who mends a message wants the answer to what it says now.
    message = dig(update, dict, "message") or dig(update, dict, "edited_message")
    if message is None:
        return []
    chat, sender = dig(message, int, "chat", "id"), dig(message, int, "from", "id")
    if chat is None or sender is None or dig(message, bool, "from", "is_bot"):
        return []
    if dig(message, str, "chat", "type") != "private":
        return _in_group(str(number), message, chat)
    text = dig(message, str, "text")
    if text is None:
        text = dig(message, str, "caption") or ""
    what: What = next((what for name, what in _CONTENTS if message.get(name)), "")
    if not text and not what:
        return []
    kind, text = _command(text)
    if kind == "text" and not text:
        kind = "unreadable"
    at = seconds(message.get("edit_date")) or seconds(message.get("date"))
    return [Incoming("telegram", str(sender), str(number), kind, text, what, at, to=str(chat))]  # type: ignore[arg-type]


def _command(text: str) -> tuple[str, str]:
    """Return the kind and the words of a text that may be a command, such as ``/start`` or ``/help@clinic_bot``."""
    if not text.startswith("/"):
        return "text", text
    command = text[1:].split(maxsplit=1)[0].partition("@")[0].casefold() if text[1:].strip() else ""
    if command in ("start", "help"):
        return command, ""
    return "text", _COMMANDS.get(command, text)


def _in_group(update: str, message: Mapping[str, Any], chat: int) -> list[Incoming]:
    """Return something only if the bot is spoken to: by a command, or in answer to one of its messages."""
    spoken_to = (dig(message, str, "text") or "").startswith("/") or dig(message, bool, "reply_to_message", "from", "is_bot")
    return [Incoming("telegram", f"group {chat}", update, "group", to=str(chat))] if spoken_to else []


def _press(update: str, query: Mapping[str, Any]) -> list[Incoming]:
    identity, sender = dig(query, str, "id"), dig(query, int, "from", "id")
    if identity is None or sender is None:
        return []
    data, chat = dig(query, str, "data"), dig(query, int, "message", "chat", "id")
    private = dig(query, str, "message", "chat", "type") in (None, "private")
    kind = "press" if data and private else "nothing"
    to = str(chat if chat is not None and private else sender)
    return [Incoming("telegram", str(sender), update, kind, data or "", to=to, callback=identity)]  # type: ignore[arg-type]


def render(replies: Sequence[Reply], chat: str, site: Site) -> list[Call]:
    """Return the calls that show one turn in the chat."""
    calls: list[Call] = []
    body: dict[str, Any]
    for page in pages(replies):
        if page.figure and (picture := site.picture(page.reply)):
            # Before the words, so that the keyboard stays at the end.
            caption = shorten(page.figure.alt, TELEGRAM.caption)
            body = {"chat_id": int(chat), "photo": picture, "caption": caption}
            calls.append(Call("sendPhoto", body, optional=True))
        parts = split(page.text, page.citation, within(TELEGRAM.text))
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            body = {
                "chat_id": int(chat),
                "text": part,
                "link_preview_options": {"is_disabled": True},
            }
            # Entities say what is bold; with a parse mode, a stray * or < would be refused.
            if entities := _entities(page, part, first=number == 0, last=last):
                body["entities"] = entities
            if last and (keyboard := _keyboard(page)):
                body["reply_markup"] = {"inline_keyboard": keyboard}
            calls.append(Call("sendMessage", body))
    return calls


def _entities(page: Page, part: str, *, first: bool, last: bool) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if page.alarm and first and part.startswith(ALARM):
        entities.append({"type": "bold", "offset": 0, "length": utf16_length(ALARM)})
    if last and page.citation and part.endswith(page.citation):
        length = utf16_length(page.citation)
        entities.append({"type": "italic", "offset": utf16_length(part) - length, "length": length})
    return entities


def _keyboard(page: Page) -> list[list[dict[str, str]]]:
    """Return one button a row: on a telephone, three questions in one row would be cut to a word each."""
    return [
        [{"text": shorten(suggestion.title, TELEGRAM.title), "callback_data": suggestion.payload}]
        for suggestion in page.suggestions[: TELEGRAM.buttons]
        if suggestion.title and 1 <= len(suggestion.payload.encode()) <= TELEGRAM.payload
    ]


class Telegram(Channel):
    """Verified by the secret token that was given to ``setWebhook``."""

    name = "telegram"
    title = "Telegram"
    api = "https://api.telegram.org"
    variables = (
        Variable("HIPWISE_TELEGRAM_TOKEN", "the bot's token, from @BotFather", r"\d+:[\w-]{20,}"),
        Variable(
            "HIPWISE_TELEGRAM_SECRET",
            "16 to 256 letters, digits, _ and -, made up by you, given to setWebhook",
            r"[A-Za-z0-9_-]{16,256}",
        ),
    )
    patience = 20.0

    def verify(self, request: WebhookRequest) -> bool:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.config["HIPWISE_TELEGRAM_SECRET"].encode())

    def translate(self, request: WebhookRequest) -> list[Incoming]:
        return translate(parse_json(request.body))

    def confirm(self, incoming: Incoming) -> list[Call]:
        if not incoming.callback:
            return []
        return [Call("answerCallbackQuery", {"callback_query_id": incoming.callback}, optional=True)]

    def render(self, replies: Sequence[Reply], to: Incoming) -> list[Call]:
        return render(replies, to.address, self.site)

    def http(self, call: Call) -> HttpCall:
        return HttpCall(f"{self.base}/bot{self.config['HIPWISE_TELEGRAM_TOKEN']}/{call.method}", json=call.body)

    def outcome(self, status: int, headers: Mapping[str, str], body: Any) -> Outcome:
        if status == 200 and dig(body, bool, "ok"):
            return Outcome(taken=True)
        # 403: the person blocked the bot, or is gone.
        wait = dig(body, int, "parameters", "retry_after")
        again = status == 429 or status >= 500 or status == 200
        return Outcome(taken=False, again=again, after=wait, reason=str(status), unwanted=status == 403)

    def show(self, call: Call) -> list[str]:
        if call.method == "sendPhoto":
            return [f"[picture] {call.body['caption']}"]
        lines = str(call.body.get("text", "")).splitlines()
        return lines + [f"[ {row[0]['text']} ]" for row in call.body.get("reply_markup", {}).get("inline_keyboard", [])]
