"""Wires the server together: settings, store, agent, channels. Nothing is decided here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.channels import http, pages
from hipwise.channels.http import ApiError, RateLimits, json_response
from hipwise.channels.tokens import Tokens
from hipwise.errors import HipwiseError
from hipwise.insights import metrics
from hipwise.paths import HOME, KNOWLEDGE, WEB
from hipwise.secret import load_secret
from hipwise.settings import Settings
from hipwise.yaml_files import read_yaml

log = logging.getLogger(__name__)

#: Seconds between two looks for conversations whose time is over.
_ERASE_EVERY = 600


def create_app(settings: Settings) -> Sanic:
    """Return the application, not ready yet: ``app.ctx.conversations`` is None until :func:`load` has run."""
    from hipwise.channels.web import WebInput

    app = Sanic("hipwise", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = http.LARGEST_BODY
    app.config.REQUEST_TIMEOUT = 15
    app.config.RESPONSE_TIMEOUT = 30
    app.config.KEEP_ALIVE_TIMEOUT = 30
    app.config.MOTD = False
    app.config.PROXIES_COUNT = settings.proxies or None
    app.ctx.settings = settings
    app.ctx.conversations = None
    http.install(app, settings)
    app.blueprint(WebInput(Tokens(load_secret(settings), settings.token_hours), RateLimits(settings)).blueprint())
    _add_operations(app)
    app.blueprint(pages.blueprint(WEB))
    return app


def _add_operations(app: Sanic) -> None:
    openapi = read_yaml(HOME / "hipwise" / "openapi.yml")

    @app.get("/api/v1/openapi.json")
    async def description(request: Request) -> HTTPResponse:
        return json_response(openapi)

    @app.get("/healthz")
    async def healthz(request: Request) -> HTTPResponse:
        return json_response({"status": "alive"})

    @app.get("/readyz")
    async def readyz(request: Request) -> HTTPResponse:
        if request.app.ctx.conversations is None:
            raise ApiError(503, "not_ready", "The assistant is not ready yet.", headers={"Retry-After": "2"})
        return json_response({"status": "ready"})

    @app.get("/metrics")
    async def prometheus(request: Request) -> HTTPResponse:
        return HTTPResponse(metrics.as_text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def load(settings: Settings) -> Any:
    """Load the model and return the conversations, ready to answer.

    Raises:
        HipwiseError: no model, or a broken file.
    """
    from hipwise.agent import load_agent
    from hipwise.conversation import Conversations
    from hipwise.replies.build import default_builder
    from hipwise.safety import SafetyCheck
    from hipwise.store.conversations import ConversationStore
    from hipwise.store.tracker_store import SqliteTrackerStore

    builder = default_builder()
    safety = SafetyCheck(KNOWLEDGE / "safety.yml")
    trackers = SqliteTrackerStore(db=settings.database)
    agent = load_agent(tracker_store=trackers)
    return Conversations(agent, builder, safety, ConversationStore(trackers))


async def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until cancelled, telling through ``say`` what is going on.

    The port is opened first, so that a health check gets an answer while the model loads.

    Raises:
        HipwiseError: the port is in use, or what :func:`load` raises.
    """
    app = create_app(settings)
    try:
        server: Any = await app.create_server(
            host=settings.host, port=settings.port, return_asyncio_server=True, access_log=False
        )
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        raise HipwiseError(f"Cannot listen on {place} ({error.strerror}); set PORT to a free one.") from error
    await server.startup()
    await server.before_start()
    await server.start_serving()
    port = server.server.sockets[0].getsockname()[1]
    say("Loading the model ...")
    app.ctx.conversations = await asyncio.get_running_loop().run_in_executor(None, partial(load, settings))
    metrics.ready.set(1)
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else settings.host
    say(f"Hipwise answers on http://{host}:{port}/")
    try:
        await erase_expired_forever(app)
    finally:
        metrics.ready.set(0)
        await server.before_stop()
        server.server.close()
        app.ctx.conversations.store.trackers.close()


async def erase_expired_forever(app: Sanic) -> None:
    """Erase conversations whose retention is over, now and then, until cancelled."""
    store = app.ctx.conversations.store
    while True:
        try:
            erased = await store.erase_expired(app.ctx.settings.retention_days)
            if erased:
                log.info("erased %d conversations whose retention was over", erased)
        except Exception as error:  # the next round may succeed; serving goes on
            log.error("erasing failed: %s", type(error).__name__)
        await asyncio.sleep(_ERASE_EVERY)
