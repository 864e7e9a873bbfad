"""SMS and WhatsApp by Twilio: its Messaging API and webhooks."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlparse

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
)
from hipwise.channels.limits import SMS, SMS_SEGMENTS, TWILIO_WHATSAPP
from hipwise.channels.text import ALARM, Page, pages, segments, split, to_gsm7, utf16_length
from hipwise.replies import Reply

#: The carriers' words, as Twilio takes them, each a message by itself. "YES" counts only after a STOP, see
#: :meth:`hipwise.channels.webhook.Inbox.answer`.
_STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
_RESUME = frozenset({"start", "unstop"})
_HELP = frozenset({"help", "info"})
#: Replies under which an SMS says how to stop, as carriers ask of every programme.
_LEGAL_TOPICS = frozenset({"smalltalk_greet", "service_help"})
_LEGAL = "Reply HELP for help or STOP to end. Message and data rates may apply."
#: Twilio's error for a number that said STOP.
_UNSUBSCRIBED = 21610


def translate(form: Mapping[str, str]) -> list[Incoming]:
    """Return what a webhook says: a message, or what became of one of ours.

    Raises:
        MalformedUpdate: it names no message.
    """
    identity = form.get("MessageSid") or form.get("SmsSid")
    if not identity:
        raise MalformedUpdate
    if "MessageStatus" in form and "Body" not in form:
        # What we sent: an error code, never a number.
        channel = "whatsapp" if form.get("To", "").startswith("whatsapp:") else "sms"
        if form["MessageStatus"] not in ("failed", "undelivered"):
            return []
        code = form.get("ErrorCode", "")
        return [Incoming(channel, "", f"failed {identity}", "failed", code if code.isdigit() else "unknown")]
    sender, ours = form.get("From", ""), form.get("To", "")
    channel = "whatsapp" if sender.startswith("whatsapp:") else "sms"
    person = sender.removeprefix("whatsapp:").removeprefix("+")
    if not person or form.get("MessageType") == "reaction":
        return []
    body = form.get("Body", "")

    def said(kind: str, text: str = "", what: What = "") -> list[Incoming]:
        return [Incoming(channel, person, identity, kind, text, what, to=sender, via=ours)]  # type: ignore[arg-type]

    if channel == "sms":
        word = re.sub(r"[\W_]", "", body).casefold()
        spoken = {"STOP": "stop", "START": "resume", "HELP": "help"}.get(form.get("OptOutType", ""))
        if spoken or word in _STOP or word in _RESUME or word in _HELP:
            return said(spoken or ("stop" if word in _STOP else "resume" if word in _RESUME else "help"))
    what = _attached(form)
    if body.strip() or not what:
        return said("text", body, what)
    return said("unreadable", what=what)


def _attached(form: Mapping[str, str]) -> What:
    if form.get("Latitude"):
        return "location"
    if form.get("NumMedia", "0") in ("", "0"):
        return ""
    kind = form.get("MediaContentType0", "")
    if form.get("MessageType") == "sticker" or kind == "image/webp":
        return "sticker"
    kinds: dict[str, What] = {"audio": "voice", "image": "picture", "video": "picture", "application": "file"}
    return kinds.get(kind.partition("/")[0], "other")


def render_sms(replies: Sequence[Reply], to: str, ours: str, site: Site) -> list[Call]:
    """Return one turn as SMS: GSM-7 where it can be, short references, a numbered list. Pictures cost money and stay out."""
    calls = []
    for page in pages(replies):
        citation = _short_references(page, site)
        text = page.text
        if page.reply.topic in _LEGAL_TOPICS:
            text = f"{text}\n{_LEGAL}"
        calls.extend(_numbered(page, to_gsm7(text), to_gsm7(citation), _fits_sms, to, ours))
    return calls


def render_whatsapp(replies: Sequence[Reply], to: str, ours: str, site: Site) -> list[Call]:
    """Return one turn as WhatsApp messages. Twilio's buttons need templates made beforehand, so there are numbers instead."""
    calls: list[Call] = []
    for page in pages(replies):
        if page.figure and (picture := site.picture(page.reply)):
            body = {"To": to, "From": ours, "Body": page.figure.alt, "MediaUrl": picture}
            calls.append(Call("Messages", body, optional=True))
        text = page.text.replace(ALARM, f"*{ALARM}*", 1) if page.alarm else page.text
        calls.extend(_numbered(page, text, page.citation, lambda t: utf16_length(t) <= TWILIO_WHATSAPP.text, to, ours))
    return calls


def _numbered(page: Page, text: str, citation: str, fits: Callable[[str], bool], to: str, ours: str) -> list[Call]:
    parts = split(text, citation, fits)
    if page.suggestions:
        menu = to_gsm7(_menu(page))
        # An empty line, so that the eye finds the list; in a message of its own only if it must be.
        joined = f"{parts[-1]}\n\n{menu}" if parts else menu
        if parts and fits(joined):
            parts[-1] = joined
        else:
            parts.extend(split(menu, "", fits))
    return [Call("Messages", {"To": to, "From": ours, "Body": part}) for part in parts]


def _menu(page: Page) -> str:
    numbers = [str(number) for number in range(1, len(page.suggestions) + 1)]
    choice = numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} or {numbers[-1]}"
    lines = [f"{number} {suggestion.title}" for number, suggestion in zip(numbers, page.suggestions, strict=True)]
    return "\n".join([f"Reply {choice}:", *lines])


def _short_references(page: Page, site: Site) -> str:
    """Return the sources in few characters: the article, what it draws on, and where the full references are."""
    if not page.citation or not page.reply.references:
        return page.citation
    first, *others = (reference.short or reference.citation for reference in page.reply.references)
    line = f"Source: {first} (from {'; '.join(others)})." if others else f"Source: {first}."
    return f"{line} {site.public_url}/sources" if site.public_url else line


def _fits_sms(text: str) -> bool:
    return utf16_length(text) <= SMS.text and segments(text) <= SMS_SEGMENTS


class _Form(dict[str, str]):
    """A webhook's form; ``lists`` keeps values of names that are there twice, which the signature covers too."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__(reversed(pairs))
        self.lists: dict[str, list[str]] = {}
        for name, value in pairs:
            self.lists.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        """Return all values of ``name``: what Twilio's validator asks for."""
        return self.lists[name]


class Twilio(Channel):
    """Verified by Twilio's own validator, over the address that Twilio was given."""

    name = "twilio"
    title = "SMS and WhatsApp (Twilio)"
    api = "https://api.twilio.com"
    variables = (
        Variable("HIPWISE_TWILIO_ACCOUNT_SID", "the account's SID", r"AC[0-9a-fA-F]{32}", secret=False),
        Variable("HIPWISE_TWILIO_AUTH_TOKEN", "the account's primary auth token, which signs the webhooks", r"\S{16,}"),
        Variable(
            "HIPWISE_PUBLIC_URL", "this server's public address, which the signature covers", r"https?://\S+", secret=False
        ),
    )
    # Twilio waits 15 s.
    patience = 10.0
    numbered = frozenset({"sms", "whatsapp"})

    def verify(self, request: WebhookRequest) -> bool:
        from twilio.request_validator import RequestValidator, add_port, remove_port

        given = request.headers.get("x-twilio-signature", "")
        if not given or not self.site.public_url:
            return False
        address = f"{self.site.public_url}{request.path}" + (f"?{request.query}" if request.query else "")
        validator, form = RequestValidator(self.config["HIPWISE_TWILIO_AUTH_TOKEN"]), _form(request)
        # Some of Twilio's parts sign the port, some do not; its library tries both. Its own comparison, though, leaks time.
        expected = [validator.compute_signature(form_of(urlparse(address)), form) for form_of in (remove_port, add_port)]
        matches = [hmac.compare_digest(given.encode("utf-8", "replace"), signature.encode()) for signature in expected]
        return any(matches)

    def translate(self, request: WebhookRequest) -> list[Incoming]:
        return translate(_form(request))

    def acknowledge(self) -> WebhookResponse:
        return WebhookResponse(200, '<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml; charset=utf-8")

    def render(self, replies: Sequence[Reply], to: Incoming) -> list[Call]:
        render = render_sms if to.channel == "sms" else render_whatsapp
        return render(replies, to.address, to.via, self.site)

    def http(self, call: Call) -> HttpCall:
        account = self.config["HIPWISE_TWILIO_ACCOUNT_SID"]
        login = base64.b64encode(f"{account}:{self.config['HIPWISE_TWILIO_AUTH_TOKEN']}".encode()).decode()
        form = [(name, str(value)) for name, value in call.body.items()]
        form.append(("StatusCallback", f"{self.site.public_url}{self.path()}"))
        return HttpCall(
            f"{self.base}/2010-04-01/Accounts/{account}/Messages.json",
            {"Authorization": f"Basic {login}"},
            form=form,
        )

    def outcome(self, status: int, headers: Mapping[str, str], body: Any) -> Outcome:
        code = dig(body, int, "code")
        general = by_status(status, headers, code)
        if general.taken:
            return general
        return Outcome(False, general.again, general.after, general.reason, unwanted=code == _UNSUBSCRIBED)

    def show(self, call: Call) -> list[str]:
        if "MediaUrl" in call.body:
            return [f"[picture] {call.body['Body']}"]
        body = str(call.body["Body"])
        lines = body.splitlines()
        if not str(call.body["To"]).startswith("whatsapp:"):
            code = "GSM-7" if body == to_gsm7(body) and segments(body) == segments(to_gsm7(body)) else "UCS-2"
            lines.append(f"({len(body)} characters, {segments(body)} segments, {code})")
        return lines


def _form(request: WebhookRequest) -> _Form:
    try:
        return _Form(parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=300))
    except ValueError as error:
        raise MalformedUpdate from error
