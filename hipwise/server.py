"""Wires the server together: settings, store, agent, channels. Nothing is decided here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sanic import Sanic
from sanic.config import Config
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise import logs
from hipwise.channels import http, pages
from hipwise.channels.http import Fixed, RateLimits, json_response, not_ready
from hipwise.channels.registry import register_channels
from hipwise.channels.responses import as_json
from hipwise.channels.tokens import Tokens
from hipwise.channels.wire import LARGEST_BODY, StrictProtocol, StrictRequest
from hipwise.errors import HipwiseError
from hipwise.insights import metrics
from hipwise.memory import give_back
from hipwise.paths import HOME, KNOWLEDGE, WEB
from hipwise.secret import load_secret
from hipwise.settings import Settings
from hipwise.yaml_files import read_yaml

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks for conversations whose retention is over.
_RETENTION_EVERY = 600.0
#: Seconds between two looks for kiosks that nobody touches, at least and at most.
_LEAST_PAUSE, _MOST_PAUSE = 1.0, 30.0
#: Seconds that requests which are being answered get when the server stops. systemd and Docker are content with 5.
_GRACE = 4.0
#: Seconds between two times that freed memory is given back; it takes 10 ms, during which allocations wait.
_TIDY_EVERY = 2.0
_DAY_SECONDS = 86_400


def create_app(settings: Settings) -> Sanic:
    """Return the application, not ready yet: ``app.ctx.conversations`` is None until :func:`load` has run.

    Raises:
        HipwiseError: a setting makes no sense, or the signing key cannot be kept.
    """
    from hipwise.channels import kiosk
    from hipwise.channels.web import WebInput

    # Sanic would read settings from the environment (SANIC_...) and keep a register of applications.
    config = Config(env_prefix="")
    config.update(
        ACCESS_LOG=False,
        AUTO_EXTEND=False,
        KEEP_ALIVE_TIMEOUT=30,
        MOTD=False,
        PROXIES_COUNT=settings.proxies or None,
        REGISTER=False,
        REQUEST_MAX_SIZE=LARGEST_BODY,
        REQUEST_TIMEOUT=15,
        RESPONSE_TIMEOUT=30,
    )
    app = Sanic("hipwise", config=config, configure_logging=False, request_class=StrictRequest)
    app.ctx.settings = settings
    app.ctx.conversations = None
    app.ctx.topics = None
    http.install(app, settings)
    if logging.getLogger("hipwise").isEnabledFor(logging.DEBUG):
        _log_requests(app)
    limits = RateLimits(settings)
    web = WebInput(Tokens(load_secret(settings), settings.token_hours), limits)
    app.blueprint(web.blueprint())
    app.blueprint(kiosk.blueprint(web, limits, settings))
    register_channels(app, settings)
    _add_operations(app)
    app.blueprint(pages.blueprint(WEB))
    return app


def _add_operations(app: Sanic) -> None:
    openapi = Fixed(
        as_json(read_yaml(HOME / "hipwise" / "openapi.yml")), "application/json", {"Cache-Control": "public, max-age=300"}
    )

    @app.route("/api/v1/openapi.json", methods=("GET", "HEAD"))
    async def description(request: Request) -> HTTPResponse:
        return openapi.response(request)

    @app.route("/healthz", methods=("GET", "HEAD"))
    async def healthz(request: Request) -> HTTPResponse:
        return json_response({"status": "alive"})

    @app.route("/readyz", methods=("GET", "HEAD"))
    async def readyz(request: Request) -> HTTPResponse:
        if request.app.ctx.conversations is None:
            raise not_ready()
        return json_response({"status": "ready"})

    @app.get("/metrics")
    async def prometheus(request: Request) -> HTTPResponse:
        return HTTPResponse(
            metrics.as_text(),
            headers={"Cache-Control": "no-store"},
            content_type="text/plain; version=0.0.4; charset=utf-8",
        )


def _log_requests(app: Sanic) -> None:
    @app.middleware("request")
    async def begin(request: Request) -> None:
        request.ctx.begun = time.perf_counter()

    @app.middleware("response")
    async def end(request: Request, response: HTTPResponse) -> None:
        # The route, not the path: a path holds the conversation's id.
        log.debug(
            "request",
            extra={
                "method": request.method,
                "route": request.route.path if request.route else None,
                "status": response.status,
                "ms": round(1000 * (time.perf_counter() - getattr(request.ctx, "begun", time.perf_counter())), 2),
            },
        )


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
    safety = SafetyCheck.shared(KNOWLEDGE / "safety.yml")
    trackers = SqliteTrackerStore(db=settings.database)
    agent = load_agent(tracker_store=trackers)
    return Conversations(agent, builder, safety, ConversationStore(trackers))


def make_ready(app: Sanic, conversations: Any) -> None:
    """Let ``app`` answer with ``conversations``."""
    from hipwise.channels import kiosk

    app.ctx.topics = kiosk.topics(conversations.builder)
    app.ctx.conversations = conversations
    metrics.ready.set(1)


def bind(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say.

    Raises:
        HipwiseError: the port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=256)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HipwiseError(f"Cannot listen on {settings.host}:{settings.port} ({reason}). Set PORT to a free one.") from error


async def start(app: Sanic, listener: socket.socket) -> Any:
    """Serve ``app`` on ``listener`` and return Sanic's server."""
    server: Any = await app.create_server(sock=listener, protocol=StrictProtocol, return_asyncio_server=True)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    return server


async def stop(server: Any, grace: float = _GRACE) -> None:
    """Take no more connections, finish what is being answered within ``grace`` seconds, and close the rest."""
    server.server.close()
    await server.before_stop()
    ends = time.monotonic() + grace
    while server.connections and time.monotonic() < ends:
        for connection in list(server.connections):
            connection.close_if_idle()
        await asyncio.sleep(0.02)
    for connection in list(server.connections):
        connection.abort()
    # Cancelled turns end here; they have written nothing.
    await asyncio.sleep(0.05)
    await server.after_stop()


async def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, telling through ``say`` what is going on.

    The port is opened first, so that a health check gets an answer while the model loads.

    Raises:
        HipwiseError: the port is in use, or what :func:`load` raises.
    """
    logs.configure(settings.log_level)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.on_loop_error)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = create_app(settings)
    listener = bind(settings)
    server = await start(app, listener)
    job: asyncio.Task[None] | None = None
    tidy: asyncio.Task[None] | None = None
    try:
        say("Loading the model ...")
        began = time.monotonic()
        conversations = await _first(_in_thread(partial(load, settings)), stopped)
        if conversations is None:
            return
        # Rasa's import may have brought handlers and warnings of its own.
        logs.configure(settings.log_level)
        try:
            await conversations.warm()
        except Exception as error:
            log.error("model_does_not_answer", extra=logs.describe(error))
            raise HipwiseError("The model does not fit this version; run `uv run hipwise train --force`.") from error
        make_ready(app, conversations)
        host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::", "::1") else settings.host
        log.info("ready", extra={"seconds": round(time.monotonic() - began, 2)})
        say(f"Hipwise answers on http://{host}:{listener.getsockname()[1]}/")
        job = asyncio.create_task(erase_forever(app))
        tidy = asyncio.create_task(_tidy())
        await stopped.wait()
    finally:
        metrics.ready.set(0)
        log.info("stopping")
        for task in (job, tidy):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await stop(server)
        if app.ctx.conversations is not None:
            app.ctx.conversations.store.trackers.close()
        log.info("stopped")


async def _tidy() -> None:
    """Give freed memory back now and then: between the turns of a busy hour 20 MB lie idle."""
    while True:
        await asyncio.sleep(_TIDY_EVERY)
        await _in_thread(give_back)


async def _first(waited: asyncio.Future[T], stopped: asyncio.Event) -> T | None:
    """Return what ``waited`` brings, or None if the server is stopped before."""
    stop = asyncio.ensure_future(stopped.wait())
    try:
        both: set[asyncio.Future[Any]] = {waited, stop}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return waited.result() if waited.done() else None
    finally:
        stop.cancel()


def _in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Do ``work`` in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(method: Callable[[Any], None], value: Any) -> None:
        if not future.done():
            method(value)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # handed on to whoever waits
            outcome: tuple[Any, Any] = (future.set_exception, error)
        else:
            outcome = (future.set_result, result)
        # The loop may be closed by then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True, name="load").start()
    return future


async def erase_forever(app: Sanic) -> None:
    """Erase conversations whose time is over, now and then, until cancelled.

    A kiosk erases each conversation itself; one whose page crashed is erased here once it was silent for three times the
    kiosk's own limit. All others are erased when their retention is over.
    """
    settings: Settings = app.ctx.settings
    conversations = app.ctx.conversations
    pause = max(_LEAST_PAUSE, min(_MOST_PAUSE, settings.idle_seconds / 2))
    next_retention = 0.0
    while True:
        try:
            erased = await conversations.erase_silent("kiosk", settings.idle_seconds * 3)
            if time.monotonic() >= next_retention:
                erased += await conversations.erase_silent(None, settings.retention_days * _DAY_SECONDS)
                next_retention = time.monotonic() + _RETENTION_EVERY
            if erased:
                log.info("erased", extra={"conversations": erased})
        except Exception as error:  # the next round may succeed; serving goes on
            log.error("erasing_failed", extra=logs.describe(error))
        await asyncio.sleep(pause)
