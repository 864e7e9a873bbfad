"""WhatsApp by Meta's Cloud API. For WhatsApp by Twilio see :mod:`hipwise.channels.twilio`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hipwise.channels import meta
from hipwise.channels.base import (
    Call,
    Channel,
    HttpCall,
    Incoming,
    Outcome,
    Site,
    Variable,
    WebhookRequest,
    WebhookResponse,
    What,
    dig,
    items,
    parse_json,
    seconds,
)
from hipwise.channels.limits import (
    WHATSAPP,
    WHATSAPP_INTERACTIVE_BODY,
    WHATSAPP_LIST,
    WHATSAPP_LIST_BUTTON,
    WHATSAPP_LIST_DESCRIPTION,
)
from hipwise.channels.text import ALARM, Page, label, pages, shorten, split, utf16_length, within
from hipwise.replies import Reply

_CONTENTS: dict[str, What] = {
    "audio": "voice", "voice": "voice", "image": "picture", "video": "picture", "sticker": "sticker",
    "location": "location", "document": "file",
}  # fmt: skip
#: The platform's own messages, and what needs no answer.
_SILENT = frozenset({"reaction", "system", "revoke", "ephemeral", "request_welcome", "errors"})

_MORE = "You can also ask:"
_LIST_BUTTON = "Choose a question"


def translate(body: Mapping[str, Any], number: str) -> list[Incoming]:
    """Return what a webhook says to our phone number id ``number``; other numbers' messages are not ours to answer."""
    if body.get("object") != "whatsapp_business_account":
        return []
    found: list[Incoming] = []
    for entry in items(body, "entry"):
        for change in items(entry, "changes"):
            value = dig(change, dict, "value") or {}
            if change.get("field") != "messages" or dig(value, str, "metadata", "phone_number_id") != number:
                continue
            found.extend(event for message in items(value, "messages") if (event := _message(message)))
            found.extend(event for status in items(value, "statuses") if (event := _status(status)))
    return found


def _message(message: Mapping[str, Any]) -> Incoming | None:
    person, identity, kind = dig(message, str, "from"), dig(message, str, "id"), dig(message, str, "type")
    if not person or not identity or not kind or kind in _SILENT or message.get("group_id"):
        return None
    at = seconds(message.get("timestamp"))
    # The same person writes to the clinic through Meta or Twilio: one conversation, so digits only.
    person = person.removeprefix("+")
    if kind == "text":
        return Incoming("whatsapp", person, identity, "text", dig(message, str, "text", "body") or "", at=at)
    if kind == "interactive":
        for reply in ("button_reply", "list_reply"):
            if payload := dig(message, str, "interactive", reply, "id"):
                return Incoming("whatsapp", person, identity, "press", payload, at=at)
        return Incoming("whatsapp", person, identity, "unreadable", what="other", at=at)
    if kind == "button":
        return Incoming("whatsapp", person, identity, "text", dig(message, str, "button", "text") or "", at=at)
    if kind == "edit":
        text = dig(message, str, "edit", "message", "text", "body") or dig(message, str, "text", "body")
        return Incoming("whatsapp", person, identity, "text", text, at=at) if text else None
    what = _CONTENTS.get(kind, "other")
    caption = dig(message, str, kind, "caption") or ""
    return Incoming("whatsapp", person, identity, "text" if caption else "unreadable", caption, what, at)


def _status(status: Mapping[str, Any]) -> Incoming | None:
    """Return an event for a message of ours that could not be delivered; "sent", "delivered" and "read" are no news."""
    identity = dig(status, str, "id")
    if status.get("status") != "failed" or not identity:
        return None
    code = dig(status, int, "errors", 0, "code")
    return Incoming("whatsapp", "", f"failed {identity}", "failed", str(code or "unknown"))


def render(replies: Sequence[Reply], number: str, site: Site) -> list[Call]:
    """Return the calls that show one turn to the number."""
    calls: list[Call] = []
    for page in pages(replies):
        if page.figure and (picture := site.picture(page.reply)):
            image = {"link": picture, "caption": shorten(page.figure.alt, WHATSAPP.caption)}
            calls.append(_call(number, "image", image, optional=True))
        # WhatsApp sets words between stars in bold.
        text = page.text.replace(ALARM, f"*{ALARM}*", 1) if page.alarm else page.text
        whole = f"{text}\n{page.citation}" if page.citation else text
        if page.suggestions and utf16_length(whole) <= WHATSAPP_INTERACTIVE_BODY:
            calls.append(_call(number, "interactive", _choices(whole, page)))
            continue
        calls.extend(
            _call(number, "text", {"body": part, "preview_url": False})
            for part in split(text, page.citation, within(WHATSAPP.text))
        )
        if page.suggestions:
            calls.append(_call(number, "interactive", _choices(_MORE, page)))
    return calls


def _choices(body: str, page: Page) -> dict[str, Any]:
    """Return reply buttons where there are at most three whose short titles differ, else a list."""
    usable = [s for s in page.suggestions if s.title and 1 <= len(s.payload.encode()) <= WHATSAPP_LIST.payload]
    short = [label(suggestion, WHATSAPP.title) for suggestion in usable]
    if len(usable) <= WHATSAPP.buttons and len(set(short)) == len(short):
        buttons = [
            {"type": "reply", "reply": {"id": suggestion.payload, "title": title}}
            for suggestion, title in zip(usable, short, strict=True)
        ]
        return {"type": "button", "body": {"text": body}, "action": {"buttons": buttons}}
    rows = [
        {
            "id": suggestion.payload,
            "title": label(suggestion, WHATSAPP_LIST.title),
            "description": shorten(suggestion.title, WHATSAPP_LIST_DESCRIPTION),
        }
        for suggestion in usable[: WHATSAPP_LIST.buttons]
    ]
    action = {"button": _LIST_BUTTON[:WHATSAPP_LIST_BUTTON], "sections": [{"title": "Questions", "rows": rows}]}
    return {"type": "list", "body": {"text": body}, "action": action}


def _call(number: str, kind: str, content: Mapping[str, Any], *, optional: bool = False) -> Call:
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": number,
        "type": kind,
        kind: content,
    }
    return Call("messages", body, optional)


class WhatsApp(Channel):
    """Verified by the app's signature; acknowledged at once, as Meta asks."""

    name = "whatsapp"
    title = "WhatsApp (Meta's Cloud API)"
    api = meta.API
    variables = (
        Variable("HIPWISE_WHATSAPP_TOKEN", "a system user's permanent token, with whatsapp_business_messaging", r"\S{20,}"),
        Variable("HIPWISE_WHATSAPP_PHONE_NUMBER_ID", "the phone number's id (not the number)", r"\d{5,}", secret=False),
        Variable("HIPWISE_WHATSAPP_APP_SECRET", "the app's secret, from its basic settings", r"\S{16,}"),
        Variable("HIPWISE_WHATSAPP_VERIFY_TOKEN", meta.VERIFY_TOKEN, r"\S{16,}"),
    )

    def handshake(self, request: WebhookRequest) -> WebhookResponse:
        return meta.handshake(self.config["HIPWISE_WHATSAPP_VERIFY_TOKEN"], request)

    def verify(self, request: WebhookRequest) -> bool:
        return meta.signed(self.config["HIPWISE_WHATSAPP_APP_SECRET"], request)

    def translate(self, request: WebhookRequest) -> list[Incoming]:
        return translate(parse_json(request.body), self.config["HIPWISE_WHATSAPP_PHONE_NUMBER_ID"])

    def render(self, replies: Sequence[Reply], to: Incoming) -> list[Call]:
        return render(replies, to.address, self.site)

    def http(self, call: Call) -> HttpCall:
        return HttpCall(
            f"{self.base}/{self.config['HIPWISE_WHATSAPP_PHONE_NUMBER_ID']}/messages",
            {"Authorization": f"Bearer {self.config['HIPWISE_WHATSAPP_TOKEN']}"},
            json=call.body,
        )

    def outcome(self, status: int, headers: Mapping[str, str], body: Any) -> Outcome:
        return meta.outcome(status, headers, body)

    def show(self, call: Call) -> list[str]:
        content = call.body[call.body["type"]]
        if call.body["type"] == "image":
            return [f"[picture] {content['caption']}"]
        if call.body["type"] == "text":
            return str(content["body"]).splitlines()
        lines = str(content["body"]["text"]).splitlines()
        action = content["action"]
        if content["type"] == "button":
            return lines + [f"( {button['reply']['title']} )" for button in action["buttons"]]
        rows = [row for section in action["sections"] for row in section["rows"]]
        return [*lines, f"( {action['button']} )", *(f"   o {row['title']} - {row['description']}" for row in rows)]
