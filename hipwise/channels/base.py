"""What a messaging channel is: a verified request becomes messages, replies become calls of the platform."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from hipwise.paths import WEB
from hipwise.replies import Reply

#: What came in. ``press``: a button; ``start``: the platform's first button; ``group``: written where others read too;
#: ``stop`` and ``resume``: the carrier's words; ``failed``: the platform could not deliver what it took from us earlier;
#: ``nothing``: an event that needs no answer, at most a confirmation.
Kind = Literal["text", "press", "start", "help", "unreadable", "group", "stop", "resume", "failed", "nothing"]

#: What cannot be read in a message. Each has its own words in :mod:`hipwise.channels.notices`.
What = Literal["", "voice", "picture", "sticker", "location", "file", "other"]


@dataclass(frozen=True)
class WebhookRequest:
    """One HTTP request of a platform. Header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class WebhookResponse:
    """What the platform gets back."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Incoming:
    """One message of a person, or one event.

    Attributes:
        channel: the channel's name for the conversation and the metrics.
        person: who the platform says it is: a number or an account. It is neither stored nor logged.
        id: the platform's own id of the event, the same in each re-delivery.
        kind: what it is.
        text: words, or the payload of a button.
        what: what came with the words, or instead of them, that cannot be read.
        at: when it was written, in Unix seconds; 0 where the platform does not say.
        to: where replies go, if that is not the person.
        via: our own number or account that was written to.
        callback: what confirms a button press, so that it stops spinning.
    """

    channel: str
    person: str
    id: str
    kind: Kind
    text: str = ""
    what: What = ""
    at: float = 0.0
    to: str = ""
    via: str = ""
    callback: str = ""

    @property
    def address(self) -> str:
        """Where replies go."""
        return self.to or self.person


@dataclass(frozen=True)
class Call:
    """One call of the platform's interface.

    ``optional`` marks what the patient can do without (a picture, a spinner that stops): when the platform refuses it, the
    calls after it are made all the same.
    """

    method: str
    body: Mapping[str, Any]
    optional: bool = False


@dataclass(frozen=True)
class HttpCall:
    """A call as HTTP. Exactly one of ``json`` and ``form`` is set."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    form: Sequence[tuple[str, str]] | None = None


@dataclass(frozen=True)
class Outcome:
    """What the platform said to a call: taken, try again (after so many seconds), or refused for good.

    ``reason`` holds numbers and error codes only: a platform's own sentence may quote the patient's number.
    """

    taken: bool
    again: bool = False
    after: float | None = None
    reason: str = ""
    #: The person does not want messages: blocked, or opted out at the carrier.
    unwanted: bool = False


@dataclass(frozen=True)
class Variable:
    """One environment variable that a channel needs."""

    name: str
    about: str
    pattern: str = r"\S+"
    secret: bool = True

    def fits(self, value: str) -> bool:
        """Return whether ``value`` looks right."""
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class Site:
    """What renderers need to know of this server.

    Attributes:
        public_url: address under which people and platforms reach it, without a slash at its end; may be empty.
        pictures: folder with the figures as PNG; none of the platforms takes SVG.
    """

    public_url: str = ""
    pictures: Path = WEB / "figures"

    def picture(self, reply: Reply) -> str | None:
        """Return the address of the reply's figure as PNG, or None where there is none that a platform could fetch."""
        if reply.figure is None or not self.public_url.startswith("https://"):
            return None
        name = Path(reply.figure.url).stem + ".png"
        return f"{self.public_url}/figures/{name}" if (self.pictures / name).is_file() else None


class MalformedUpdate(Exception):
    """A verified request that is not of the form that the platform documents."""


class Channel(ABC):
    """One platform. Instances hold its secrets; the translators are pure."""

    #: Its name for ``hipwise channels`` and in the webhook's path.
    name: ClassVar[str]
    #: Its name for people.
    title: ClassVar[str]
    variables: ClassVar[tuple[Variable, ...]]
    #: Where its interface is, unless the environment names a stand-in.
    api: ClassVar[str]
    #: Seconds that a webhook may be held open until its message is answered. A message whose webhook is still open when the
    #: process dies is delivered again. 0: the platform wants to be acknowledged at once.
    patience: ClassVar[float] = 0.0
    #: Suggestions are a numbered list, and "2" chooses the second.
    numbered: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, config: Mapping[str, str], site: Site) -> None:
        self.config = config
        self.site = site
        self.base = (config.get(self.api_variable()) or self.api).rstrip("/")

    @classmethod
    def path(cls) -> str:
        """Return the path of its webhook."""
        return f"/webhooks/{cls.name}"

    @classmethod
    def api_variable(cls) -> str:
        """Return the variable that names another address of the platform's interface."""
        return f"HIPWISE_{cls.name.upper()}_API"

    def handshake(self, request: WebhookRequest) -> WebhookResponse:
        """Answer a GET request, with which some platforms check the address."""
        return WebhookResponse(405, headers={"Allow": "POST"})

    @abstractmethod
    def verify(self, request: WebhookRequest) -> bool:
        """Return whether the platform itself made this request, in constant time. Whatever it cannot check is False."""

    def challenge(self, request: WebhookRequest) -> WebhookResponse | None:
        """Answer a verified request that only checks the address."""
        return None

    @abstractmethod
    def translate(self, request: WebhookRequest) -> list[Incoming]:
        """Return what a verified request says.

        Raises:
            MalformedUpdate: it is not of the documented form.
        """

    def confirm(self, incoming: Incoming) -> list[Call]:
        """Return the calls that confirm the arrival, before there is an answer."""
        return []

    @abstractmethod
    def render(self, replies: Sequence[Reply], to: Incoming) -> list[Call]:
        """Return the calls that show one turn's replies, within the platform's limits."""

    @abstractmethod
    def http(self, call: Call) -> HttpCall:
        """Return the call as HTTP, with what authenticates it."""

    @abstractmethod
    def outcome(self, status: int, headers: Mapping[str, str], body: Any) -> Outcome:
        """Return what an answer of the platform means. ``body`` is parsed JSON, or None; header names are in lower case."""

    def acknowledge(self) -> WebhookResponse:
        """Return the answer to a request that was taken."""
        return WebhookResponse()

    @abstractmethod
    def show(self, call: Call) -> list[str]:
        """Return the lines in which ``hipwise preview`` draws a call; none for what nobody sees."""


_T = TypeVar("_T")


def dig(tree: Any, kind: type[_T], *path: str | int) -> _T | None:
    """Return what is at ``path`` in parsed JSON if it is of type ``kind``, else None. Booleans are not numbers."""
    for step in path:
        if isinstance(step, str):
            tree = tree.get(step) if isinstance(tree, dict) else None
        else:
            tree = tree[step] if isinstance(tree, list) and -len(tree) <= step < len(tree) else None
    return tree if isinstance(tree, kind) and not (isinstance(tree, bool) and kind is not bool) else None


def seconds(value: object, unit: float = 1.0) -> float:
    """Return a platform's time stamp, a number or digits in units of so many seconds, as Unix seconds; 0 if it is none."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d{1,9})?", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return 0.0
    return float(value) * unit


def items(tree: Any, *path: str | int) -> list[dict[str, Any]]:
    """Return the objects in the list at ``path``; none where there is no list."""
    return [entry for entry in dig(tree, list, *path) or () if isinstance(entry, dict)]


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a webhook.

    Raises:
        MalformedUpdate: there is none.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedUpdate from error
    if not isinstance(parsed, dict):
        raise MalformedUpdate
    return parsed


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in a ``Retry-After`` header, or None. The form with a date is not used by these platforms."""
    value = headers.get("retry-after", "").strip()
    return float(value) if re.fullmatch(r"\d{1,6}(\.\d+)?", value) else None


def by_status(status: int, headers: Mapping[str, str], code: object = None) -> Outcome:
    """Return what an HTTP status alone means: 2xx taken; 408, 429 and 5xx try again; everything else refused."""
    if 200 <= status < 300:
        return Outcome(taken=True)
    reason = f"{status}" if code is None else f"{status}/{code}"
    again = status in (408, 425, 429) or status >= 500
    return Outcome(taken=False, again=again, after=retry_after(headers) if again else None, reason=reason)
