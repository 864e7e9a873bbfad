"""Slack: Events API, interactive components, Block Kit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

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
    WebhookResponse,
    What,
    by_status,
    dig,
    items,
    parse_json,
    seconds,
)
from hipwise.channels.limits import SLACK, SLACK_BLOCKS, SLACK_FALLBACK_TEXT
from hipwise.channels.text import ALARM, Page, pages, shorten, split, utf16_length, within
from hipwise.replies import Reply

#: Kinds of message events in which a person says something. All others are Slack's own, or another bot's.
_SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})
_AGAIN = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_UNWANTED = frozenset({"account_inactive", "user_disabled", "cannot_dm_bot", "messages_tab_disabled"})


def translate_event(body: Mapping[str, Any]) -> list[Incoming]:
    """Return what an event of the Events API says."""
    event, identity = dig(body, dict, "event"), dig(body, str, "event_id")
    if body.get("type") != "event_callback" or event is None or not identity:
        return []
    team = dig(body, str, "team_id") or ""
    if event.get("type") == "app_mention":
        return _mention(event, identity)
    if event.get("type") != "message" or event.get("channel_type") != "im":
        return []
    if event.get("subtype") == "message_changed":
        # Slack also "changes" a message when it unfolds a link; only other words are a change.
        changed, previous = dig(event, dict, "message") or {}, dig(event, dict, "previous_message") or {}
        if changed.get("text") == previous.get("text") or _hashable(changed.get("subtype")) not in _SPOKEN:
            return []
        said: Mapping[str, Any] = {**changed, "channel": event.get("channel")}
    elif _hashable(event.get("subtype")) in _SPOKEN:
        said = event
    else:
        return []
    user, channel = dig(said, str, "user"), dig(said, str, "channel")
    if not user or not channel or said.get("bot_id"):
        return []
    text = plain(dig(said, str, "text") or "")
    files = items(said, "files")
    what = _file(files[0]) if files else ""
    if not text and not files:
        return []
    kind = "text" if text else "unreadable"
    at = seconds(dig(event, str, "event_ts") or dig(said, str, "ts"))
    return [Incoming("slack", f"{team} {user}", identity, kind, text, what, at, to=channel)]  # type: ignore[arg-type]


def _hashable(value: object) -> object:
    return value if isinstance(value, str | None) else "unknown"


def _mention(event: Mapping[str, Any], identity: str) -> list[Incoming]:
    channel = dig(event, str, "channel")
    if not channel or event.get("bot_id"):
        return []
    # Answered in a thread under the mention, where it disturbs least.
    thread = dig(event, str, "thread_ts") or dig(event, str, "ts") or ""
    return [Incoming("slack", f"group {channel}", identity, "group", to=channel, via=thread)]


def _file(file: Mapping[str, Any]) -> What:
    kind = (dig(file, str, "mimetype") or "").partition("/")[0]
    kinds: dict[str, What] = {"audio": "voice", "image": "picture", "video": "picture"}
    return kinds.get(kind, "file")


def translate_action(body: Mapping[str, Any]) -> list[Incoming]:
    """Return what pressing a button says."""
    if body.get("type") != "block_actions":
        return []
    user, team = dig(body, str, "user", "id"), dig(body, str, "team", "id") or dig(body, str, "user", "team_id") or ""
    channel = dig(body, str, "channel", "id") or dig(body, str, "container", "channel_id")
    action = next(iter(items(body, "actions")), {})
    value, at = dig(action, str, "value"), dig(action, str, "action_ts")
    # One press has one trigger, also when Slack sends it again.
    identity = dig(body, str, "trigger_id") or (f"{user} {at}" if at else None)
    if not user or not channel or not value or not identity:
        return []
    if channel.startswith(("C", "G")):
        thread = dig(body, str, "container", "message_ts") or ""
        return [Incoming("slack", f"group {channel}", identity, "group", to=channel, via=thread)]
    return [Incoming("slack", f"{team} {user}", identity, "press", value, at=seconds(at), to=channel)]


def translate_command(form: Mapping[str, str]) -> list[Incoming]:
    """Return what a slash command says: a question in private, wherever it was typed."""
    user, identity = form.get("user_id"), form.get("trigger_id")
    if not user or not identity:
        return []
    text = form.get("text", "").strip()
    kind = "text" if text else "start"
    return [Incoming("slack", f"{form.get('team_id', '')} {user}", identity, kind, text, to=user)]  # type: ignore[arg-type]


_LINK = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def plain(text: str) -> str:
    """Return a message's words without Slack's mark-up: no mentions, links as words, characters unescaped."""
    text = _LINK.sub(lambda m: "" if m[1] else (m[3] or m[2].removeprefix("mailto:")), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def escape(text: str) -> str:
    """Return ``text`` so that Slack's mark-up shows it as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(replies: Sequence[Reply], channel: str, site: Site, thread: str = "") -> list[Call]:
    """Return the calls that show one turn in the channel: one message a reply, so that nothing of it is torn."""
    calls = []
    for page in pages(replies):
        body: dict[str, Any] = {
            "channel": channel,
            # For notifications and screen readers, beside the blocks.
            "text": escape(shorten(f"{page.text}\n{page.citation}".strip(), SLACK_FALLBACK_TEXT // 2)),
            "blocks": _blocks(page, site),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread:
            body["thread_ts"] = thread
        calls.append(Call("chat.postMessage", body))
    return calls


def _blocks(page: Page, site: Site) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    text = page.text
    if page.alarm:
        blocks.append({"type": "header", "text": _plain(ALARM.rstrip(":"))})
        text = text.removeprefix(ALARM).lstrip()
    # Plain text: nothing in it is taken for mark-up.
    sections = split(text, "", within(SLACK.text))[: SLACK_BLOCKS - 4]
    blocks.extend({"type": "section", "text": _plain(part)} for part in sections)
    if page.citation:
        blocks.append({"type": "context", "elements": [_plain(shorten(page.citation, SLACK.text))]})
    if page.figure and (picture := site.picture(page.reply)):
        blocks.append({"type": "image", "image_url": picture, "alt_text": shorten(page.figure.alt, SLACK.caption)})
    buttons = [
        {"type": "button", "action_id": f"ask_{n}", "text": _plain(shorten(s.title, SLACK.title)), "value": s.payload}
        for n, s in enumerate(page.suggestions[: SLACK.buttons])
        if s.title and 1 <= utf16_length(s.payload) <= SLACK.payload
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


class Slack(Channel):
    """Verified by the signing secret, with its window of five minutes; acknowledged at once, as Slack asks."""

    name = "slack"
    title = "Slack"
    api = "https://slack.com/api"
    variables = (
        Variable("HIPWISE_SLACK_TOKEN", "the bot user's OAuth token", r"xoxb-\S+"),
        Variable("HIPWISE_SLACK_SIGNING_SECRET", "the app's signing secret", r"\S{16,}"),
    )

    def verify(self, request: WebhookRequest) -> bool:
        from slack_sdk.signature import SignatureVerifier

        verifier = SignatureVerifier(self.config["HIPWISE_SLACK_SIGNING_SECRET"])
        return bool(verifier.is_valid_request(request.body, dict(request.headers)))

    def challenge(self, request: WebhookRequest) -> WebhookResponse | None:
        try:
            if _is_form(request):
                return WebhookResponse() if _form(request).get("ssl_check") == "1" else None
            body = parse_json(request.body)
        except MalformedUpdate:
            return None
        if body.get("type") != "url_verification":
            return None
        return WebhookResponse(200, dig(body, str, "challenge") or "")

    def translate(self, request: WebhookRequest) -> list[Incoming]:
        if not _is_form(request):
            return translate_event(parse_json(request.body))
        form = _form(request)
        if "payload" in form:
            return translate_action(parse_json(form["payload"].encode("utf-8", "replace")))
        return translate_command(form)

    def render(self, replies: Sequence[Reply], to: Incoming) -> list[Call]:
        return render(replies, to.address, self.site, to.via)

    def http(self, call: Call) -> HttpCall:
        token = self.config["HIPWISE_SLACK_TOKEN"]
        return HttpCall(f"{self.base}/{call.method}", {"Authorization": f"Bearer {token}"}, json=call.body)

    def outcome(self, status: int, headers: Mapping[str, str], body: Any) -> Outcome:
        if status == 200 and dig(body, bool, "ok"):
            return Outcome(taken=True)
        error = dig(body, str, "error") or ""
        # Slack's errors are words of a fixed list.
        reason = error if re.fullmatch(r"[a-z_]{1,60}", error) else None
        general = by_status(status if status != 200 else 400, headers, reason)
        again = general.again or error in _AGAIN or (status == 200 and not error)
        return Outcome(taken=False, again=again, after=general.after, reason=general.reason, unwanted=error in _UNWANTED)

    def show(self, call: Call) -> list[str]:
        lines: list[str] = []
        for block in call.body["blocks"]:
            if block["type"] == "header":
                lines.append(f"## {block['text']['text']}")
            elif block["type"] == "section":
                lines.extend(block["text"]["text"].splitlines())
            elif block["type"] == "context":
                lines.extend(f"  {line}" for line in block["elements"][0]["text"].splitlines())
            elif block["type"] == "image":
                lines.append(f"[picture] {block['alt_text']}")
            else:
                lines.append("  ".join(f"[ {element['text']['text']} ]" for element in block["elements"]))
        return lines


def _is_form(request: WebhookRequest) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _form(request: WebhookRequest) -> dict[str, str]:
    try:
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100))
    except ValueError as error:
        raise MalformedUpdate from error
