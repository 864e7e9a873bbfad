"""A server that speaks the HTTP contract with canned replies, and fails on demand.

The browser tests use it where the real server would have to be made slow, silent or broken. It answers by keyword, keeps
every call it had, and can be stopped and started again on the same port with what it had stored.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

DIST = Path(__file__).resolve().parents[2] / "web" / "dist"
SECURE_PAGE = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"

ARTICLE = {"id": "ref.article", "citation": "Jonathan Cluett, MD. An overview article.", "url": "https://example.org/a"}
AAOS = {"id": "ref.aaos", "citation": "Jared R. H. Foran. AAOS, July 2013.", "url": None}
JAAOS = {"id": "ref.jaaos", "citation": "Korompilias AV et al. JAAOS, August 2008; 16: 480-489.", "url": None}

Reply = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def reply(text: str, kind: str = "answer", **more: Any) -> Reply:
    """One reply in the contract's shape; an answer has its facts and references."""
    grounded = kind == "answer"
    return {
        "text": text,
        "kind": kind,
        "facts": ["course.resolves"] if grounded else [],
        "references": [ARTICLE, AAOS, JAAOS] if grounded else [],
        "suggestions": [],
        "figure": None,
        "topic": None,
        "lang": "en",
        **more,
    }


def suggest(*titles: str) -> list[dict[str, str]]:
    """Suggestions whose payload is made from their title."""
    return [{"title": title, "payload": "/ask_" + title.lower().strip("?").replace(" ", "_")} for title in titles]


GREETING = reply(
    "Hello. I am a computer program, not a person. I answer questions about transient osteoporosis of the hip.",
    "smalltalk",
    suggestions=suggest("How long does it last?", "What is it?", "May I walk?"),
)
URGENT = reply(
    "This could be a broken hip. Call 911 now, or have someone take you to an emergency department. "
    "Do not put weight on the leg.",
    "urgent",
)


def answers(text: str) -> list[Reply]:
    """What is answered to a message, by keyword."""
    words = text.lower()
    if "fell" in words:
        return [
            URGENT,
            reply("As to your question: it usually goes away by itself.", suggestions=suggest("What is it?")),
        ]
    if "hurt myself" in words:
        return [reply("Please talk to someone now. Call or text 988, or call 911.", "crisis")]
    if "last" in words:
        figure = {"url": "/figures/course.svg", "alt": "The pain grows over some months, then eases within a year."}
        more = suggest("Is it permanent?", "How is it treated?", "What is it?")
        words_ = "It usually goes away by itself within 6 to 12 months. The pain tends to grow first, then slowly eases."
        return [reply(words_, figure=figure, suggestions=more, topic="ask_duration")]
    if "cost" in words:
        return [reply("The article does not say what it costs. Your clinic can tell you.", "not_covered")]
    if "hola" in words:
        return [reply("Por ahora solo hablo inglés.", "service", topic="other_language_es")]
    if "take" in words:
        return [reply("How much to take is for your doctor or pharmacist to say.", "refer")]
    if "long answer" in words:
        return [reply(" ".join(["This sentence makes the answer long."] * 60))]
    more = suggest("How long does it last?", "How is it treated?")
    return [reply(f"An answer to message number {len(words)}.", suggestions=more)]


@dataclass
class Stored:
    """One conversation as the server keeps it."""

    token: str
    messages: list[dict[str, Any]]
    answered: dict[str, list[Reply]] = field(default_factory=dict)


class StandIn:
    """The server, in a thread of its own. ``plan`` says what happens to the next calls that bring a message.

    Each entry of ``plan`` is one of: ``ok``; ``drop`` (answers, and cuts the line before the answer is out);
    ``refuse`` (cuts the line at once); ``slow:SECONDS``; ``STATUS`` or ``STATUS:RETRY_AFTER``.
    """

    def __init__(self) -> None:
        self.stored: dict[str, Stored] = {}
        #: (conversation id, message id, text) of every message that arrived, also those not answered.
        self.heard: list[tuple[str, str, str]] = []
        #: (method, path) of every call.
        self.calls: list[tuple[str, str]] = []
        self.rated: list[dict[str, Any]] = []
        self.plan: list[str] = []
        #: Pages of other people, by name: (markup, headers). Opened as localhost, they are of another origin.
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-in", daemon=True)

    @property
    def elsewhere(self) -> str:
        """The same server under a name that makes it another origin, for the pages that embed the widget."""
        return f"http://localhost:{self.port}"

    @property
    def url(self) -> str:
        """The address that the browser opens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> StandIn:
        """Serve, on the port it had before if it had one."""
        if not self._thread.is_alive():
            self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return self

    def stop(self) -> None:
        """Stop listening; what is stored stays."""
        if self._runner:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
            self._runner = None

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def reset(self) -> None:
        """Forget everything, and go on as planned by nobody."""
        self.stored.clear()
        self.heard.clear()
        self.calls.clear()
        self.rated.clear()
        self.plan.clear()
        self.pages.clear()

    async def _serve(self) -> None:
        app = web.Application(middlewares=[self._around], client_max_size=16384)
        api = "/api/v1/conversations"
        app.router.add_post(api, self._create)
        app.router.add_post(api + "/{id}/messages", self._message)
        app.router.add_post(api + "/{id}/feedback", self._feedback)
        app.router.add_get(api + "/{id}", self._history)
        app.router.add_delete(api + "/{id}", self._delete)
        app.router.add_get("/", self._page)
        app.router.add_get("/host/{name}", self._host)
        app.router.add_get("/{path:(?:widget.js|figures/.+|assets/.+)}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {
            "Access-Control-Allow-Origin": request.headers.get("Origin", "*"),
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Expose-Headers": "Retry-After",
            "Vary": "Origin",
        }
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=headers)
        self.calls.append((request.method, request.path))
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = self._error(error.status, "error")
        response.headers.update(headers)
        return response

    @staticmethod
    def _error(status: int, code: str, **more: Any) -> web.Response:
        return web.json_response({"error": {"code": code, "message": code}, **more}, status=status)

    def _mine(self, request: web.Request) -> Stored | web.Response:
        stored = self.stored.get(request.match_info["id"])
        if stored is None:
            return self._error(404, "not_found")
        if request.headers.get("Authorization") != f"Bearer {stored.token}":
            return self._error(401, "unauthorized")
        return stored

    @staticmethod
    def _now() -> str:
        return datetime.now(UTC).isoformat()

    async def _create(self, request: web.Request) -> web.Response:
        if (await request.json()).get("channel") not in ("web", "kiosk"):
            return self._error(400, "bad_channel")
        name, token = secrets.token_hex(8), secrets.token_hex(16)
        self.stored[name] = Stored(token, [{"from": "bot", "at": self._now(), **GREETING}])
        expires = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        body = {"id": name, "token": token, "expires_at": expires, "replies": [GREETING]}
        return web.json_response(body, status=201)

    async def _message(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text, message_id = body["text"], body["message_id"]
        self.heard.append((request.match_info["id"], message_id, text))
        todo, _, number = (self.plan.pop(0) if self.plan else "ok").partition(":")
        if todo == "refuse":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if todo == "slow":
            await asyncio.sleep(float(number))
        elif todo.isdigit():
            response = self._error(int(todo), "planned")
            if number:
                response.headers["Retry-After"] = number
            return response
        stored = self._mine(request)
        if isinstance(stored, web.Response):
            return stored
        if len(text) > 1000:
            urgent = [URGENT] if "fell" in text else []
            return self._error(413, "too_long", replies=urgent)
        if message_id not in stored.answered:
            offered = {s["payload"]: s["title"] for m in stored.messages for s in m.get("suggestions", [])}
            if text.startswith("/") and text not in offered:
                return self._error(400, "not_offered")
            shown = offered.get(text, text)
            stored.answered[message_id] = answers(shown)
            stored.messages.append({"from": "user", "text": shown, "message_id": message_id, "at": self._now()})
            stored.messages += [{"from": "bot", "at": self._now(), **one} for one in stored.answered[message_id]]
        if todo == "drop":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"replies": stored.answered[message_id]})

    async def _feedback(self, request: web.Request) -> web.Response:
        stored = self._mine(request)
        if isinstance(stored, web.Response):
            return stored
        self.rated.append(await request.json())
        return web.Response(status=204)

    async def _history(self, request: web.Request) -> web.Response:
        stored = self._mine(request)
        if isinstance(stored, web.Response):
            return stored
        expires = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        return web.json_response({"messages": stored.messages, "expires_at": expires})

    async def _delete(self, request: web.Request) -> web.Response:
        stored = self._mine(request)
        if isinstance(stored, web.Response):
            return stored
        del self.stored[request.match_info["id"]]
        return web.Response(status=204)

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(DIST / "index.html", headers={"Content-Security-Policy": SECURE_PAGE})

    async def _host(self, request: web.Request) -> web.Response:
        text, headers = self.pages[request.match_info["name"]]
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = (DIST / request.match_info["path"]).resolve()
        if not path.is_relative_to(DIST) or not path.is_file():
            return self._error(404, "not_found")
        return web.FileResponse(path)


if __name__ == "__main__":
    server = StandIn()
    server.port = 8099
    print(server.start().url)
    threading.Event().wait()
