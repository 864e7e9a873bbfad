"""Facebook Messenger: the Send API and its webhooks."""

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
from hipwise.channels.limits import MESSENGER
from hipwise.channels.text import Page, label, pages, split, within
from hipwise.replies import Reply

#: The payload of the "Get started" button, set once in the page's Messenger profile.
GET_STARTED = "GET_STARTED"

_CONTENTS: dict[str, What] = {
    "audio": "voice", "image": "picture", "video": "picture", "location": "location", "file": "file",
}  # fmt: skip


def translate(body: Mapping[str, Any]) -> list[Incoming]:
    """Return what a webhook says. Receipts, echoes, reactions, deletions and other apps' events (standby) give nothing."""
    if body.get("object") != "page":
        return []
    found = []
    for entry in items(body, "entry"):
        for event in items(entry, "messaging"):
            person = dig(event, str, "sender", "id")
            if person and (incoming := _event(event, person)):
                found.append(incoming)
    return found


def _event(event: Mapping[str, Any], person: str) -> Incoming | None:
    at = seconds(event.get("timestamp"), 0.001)
    if (postback := dig(event, dict, "postback")) is not None:
        payload = dig(postback, str, "payload")
        if not payload:
            return None
        # Postbacks before version 11 have no id of their own.
        identity = dig(postback, str, "mid") or f"postback {person} {event.get('timestamp')}"
        if payload == GET_STARTED:
            return Incoming("messenger", person, identity, "start", at=at)
        return Incoming("messenger", person, identity, "press", payload, at=at)
    if (edit := dig(event, dict, "message_edit")) is not None:
        mid, text = dig(edit, str, "mid"), dig(edit, str, "text")
        if not mid or not text:
            return None
        return Incoming("messenger", person, f"{mid} edit {edit.get('num_edit')}", "text", text, at=at)
    message = dig(event, dict, "message") or {}
    mid = dig(message, str, "mid")
    if not mid or message.get("is_echo") or message.get("is_deleted"):
        return None
    if payload := dig(message, str, "quick_reply", "payload"):
        return Incoming("messenger", person, mid, "press", payload, at=at)
    text = dig(message, str, "text") or ""
    attachments = items(message, "attachments")
    # A link's preview ("fallback") belongs to the words; a thumbs-up is an image with a sticker's number.
    what: What = ""
    for attachment in attachments:
        kind = dig(attachment, str, "type") or ""
        if kind != "fallback":
            what = "sticker" if dig(attachment, int, "payload", "sticker_id") else _CONTENTS.get(kind, "other")
            break
    if text:
        return Incoming("messenger", person, mid, "text", text, what, at)
    return Incoming("messenger", person, mid, "unreadable", what=what or "other", at=at) if attachments or what else None


def render(replies: Sequence[Reply], person: str, site: Site) -> list[Call]:
    """Return the calls that show one turn to the person."""
    calls: list[Call] = []
    for page in pages(replies):
        if page.figure and (picture := site.picture(page.reply)):
            attachment = {"type": "image", "payload": {"url": picture, "is_reusable": True}}
            calls.append(_call(person, {"attachment": attachment}, optional=True))
        parts = split(page.text, page.citation, within(MESSENGER.text))
        for number, part in enumerate(parts):
            message: dict[str, Any] = {"text": part}
            if number == len(parts) - 1 and (quick_replies := _quick_replies(page)):
                message["quick_replies"] = quick_replies
            calls.append(_call(person, message))
    return calls


def _quick_replies(page: Page) -> list[dict[str, str]]:
    return [
        {"content_type": "text", "title": label(suggestion, MESSENGER.title), "payload": suggestion.payload}
        for suggestion in page.suggestions[: MESSENGER.buttons]
        if suggestion.title and 1 <= len(suggestion.payload.encode()) <= MESSENGER.payload
    ]


def _call(person: str, message: Mapping[str, Any], *, optional: bool = False) -> Call:
    return Call("messages", {"recipient": {"id": person}, "messaging_type": "RESPONSE", "message": message}, optional)


class Messenger(Channel):
    """Verified by the app's signature; acknowledged at once, as Meta asks."""

    name = "messenger"
    title = "Messenger"
    api = meta.API
    variables = (
        Variable("HIPWISE_MESSENGER_TOKEN", "the page's access token", r"\S{20,}"),
        Variable("HIPWISE_MESSENGER_APP_SECRET", "the app's secret, from its basic settings", r"\S{16,}"),
        Variable("HIPWISE_MESSENGER_VERIFY_TOKEN", meta.VERIFY_TOKEN, r"\S{16,}"),
    )

    def handshake(self, request: WebhookRequest) -> WebhookResponse:
        return meta.handshake(self.config["HIPWISE_MESSENGER_VERIFY_TOKEN"], request)

    def verify(self, request: WebhookRequest) -> bool:
        return meta.signed(self.config["HIPWISE_MESSENGER_APP_SECRET"], request)

    def translate(self, request: WebhookRequest) -> list[Incoming]:
        return translate(parse_json(request.body))

    def acknowledge(self) -> WebhookResponse:
        return WebhookResponse(200, "EVENT_RECEIVED")

    def render(self, replies: Sequence[Reply], to: Incoming) -> list[Call]:
        return render(replies, to.address, self.site)

    def http(self, call: Call) -> HttpCall:
        token = self.config["HIPWISE_MESSENGER_TOKEN"]
        return HttpCall(f"{self.base}/me/messages", {"Authorization": f"Bearer {token}"}, json=call.body)

    def outcome(self, status: int, headers: Mapping[str, str], body: Any) -> Outcome:
        return meta.outcome(status, headers, body)

    def show(self, call: Call) -> list[str]:
        message = call.body["message"]
        if "attachment" in message:
            return ["[picture]"]
        lines = str(message["text"]).splitlines()
        titles = [entry["title"] for entry in message.get("quick_replies", [])]
        return [*lines, "  ".join(f"( {title} )" for title in titles)] if titles else lines
