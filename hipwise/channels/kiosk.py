"""What the kiosk needs beside a conversation: all answers in advance, and a way to call the staff."""

from __future__ import annotations

import logging
from typing import Any

import aiohttp
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.channels.http import ApiError, Fixed, RateLimits, address, not_ready
from hipwise.channels.responses import as_json
from hipwise.channels.web import WebInput
from hipwise.kiosk import WARNING_SECONDS, Screen
from hipwise.logs import describe
from hipwise.replies import ReplyBuilder
from hipwise.settings import Settings

log = logging.getLogger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=3)


def topics(builder: ReplyBuilder) -> Fixed:
    """Return every question that has an answer of its own, with that answer, and the emergency and crisis advice.

    ``for_doctor`` are the questions that the source leaves to the patient's doctor, for the sheet to take home.

    They hold nothing of anyone and change only with the content, so a kiosk keeps them for when the server is away.
    """
    listed: list[dict[str, Any]] = [
        {
            "id": topic,
            "title": builder.catalogue.about(topic).get("title") or topic,
            "reply": builder.reply(topic).as_dict(),
        }
        for topic in builder.catalogue.topics
        if topic.startswith("ask_")
    ]
    for_doctor = [
        {"id": topic, "title": title}
        for topic in builder.catalogue.topics
        if topic.startswith(("not_covered_", "refer_"))
        and (title := str(builder.catalogue.about(topic).get("title") or "")).endswith("?")
    ]
    body = {
        "topics": listed,
        "urgent": builder.reply("red_flag_general").as_dict(),
        "crisis": builder.reply("red_flag_self_harm").as_dict(),
        "for_doctor": for_doctor,
    }
    return Fixed(as_json(body), "application/json", {"Cache-Control": "public, max-age=300"})


def config(settings: Settings) -> Fixed:
    """Return what the kiosk's page needs to know before anyone touches it.

    Raises:
        HipwiseError: the screen that is set is not one.
    """
    body = {
        "idle_seconds": settings.idle_seconds,
        "warning_seconds": WARNING_SECONDS,
        "px_per_mm": round(Screen.parse(settings.screen).px_per_mm, 3),
        "call_staff": bool(settings.staff_webhook),
        "public_url": settings.public_url.rstrip("/"),
    }
    return Fixed(as_json(body), "application/json", {"Cache-Control": "no-cache"})


def blueprint(web: WebInput, limits: RateLimits, settings: Settings) -> Blueprint:
    """Return the kiosk's routes. ``app.ctx.topics`` holds what :func:`topics` made, or None while not ready."""
    kiosk = Blueprint("hipwise_kiosk", url_prefix="/api/v1")

    @kiosk.route("/topics", methods=("GET", "HEAD"), strict_slashes=True)
    async def list_topics(request: Request) -> HTTPResponse:
        found: Fixed | None = request.app.ctx.topics
        if found is None:
            raise not_ready()
        return found.response(request)

    configuration = config(settings)

    @kiosk.route("/kiosk/config", methods=("GET", "HEAD"), strict_slashes=True)
    async def read_config(request: Request) -> HTTPResponse:
        return configuration.response(request)

    @kiosk.post("/kiosk/call-staff", strict_slashes=True)
    async def call_staff(request: Request) -> HTTPResponse:
        _, channel, _ = web.enter(request)
        if channel != "kiosk":
            raise ApiError(403, "forbidden", "Only a kiosk can call the staff.")
        if not settings.staff_webhook:
            raise ApiError(404, "not_configured", "This kiosk cannot call the staff.")
        limits.hit(limits.staff, "staff", address(request))
        event = {"event": "call_staff"}
        if settings.kiosk_name:
            event["kiosk"] = settings.kiosk_name
        try:
            # A session each: it happens a few times a day.
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(settings.staff_webhook, json=event, allow_redirects=False) as answer,
            ):
                taken, reason = 200 <= answer.status < 300, str(answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The error's own text would hold the address, and with it whatever key it carries.
            taken, reason = False, str(describe(error)["error"])
        if not taken:
            log.error("call_staff_failed", extra={"reason": reason})
            raise ApiError(502, "staff_not_reached", "The staff could not be called. Please call out.")
        log.info("call_staff")
        return HTTPResponse(status=204)

    return kiosk
