"""What every HTTP route shares: who may call, what a body must be, errors as JSON, and what headers a response has."""

from __future__ import annotations

import json
import logging
from typing import Any

from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.channels.rates import RateLimits, network
from hipwise.channels.responses import ApiError, Fixed, json_response, not_found, not_ready
from hipwise.logs import describe
from hipwise.settings import Settings

__all__ = ["ApiError", "Fixed", "RateLimits", "address", "install", "json_response", "not_found", "not_ready", "read_json",
           "text_field"]

log = logging.getLogger(__name__)

_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 408: "timeout",
          413: "too_large", 415: "unsupported_media_type", 429: "too_many_requests", 431: "too_large", 503: "not_ready"}
_MESSAGES = {400: "The request is malformed.", 404: "There is nothing here.", 405: "That method is not allowed here.",
             408: "The request took too long to arrive.", 413: "The request is too large.",
             431: "The request's headers are too large.",
             503: "The assistant is busy. Please try again in a moment."}

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
    #: Our own pages load nothing from elsewhere and hold no inline script or style.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}


def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises:
        ApiError: 415 it is not declared as JSON; 400 it is not a JSON object in UTF-8.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "unsupported_media_type", "Send JSON, with the content type application/json.")
    try:
        body = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, "malformed", "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "malformed", "The body must be a JSON object.")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def text_field(body: dict[str, Any], name: str, *, least: int = 0, most: int | None = None) -> str:
    """Return the string in the field ``name``; lone surrogates, which no database takes, become U+FFFD.

    Raises:
        ApiError: 400 it is missing, not a string, or has fewer than ``least`` or more than ``most`` characters.
    """
    value = body.get(name)
    if not isinstance(value, str):
        raise ApiError(400, "malformed", f"The field {name!r} must be a string.")
    if len(value) < least or (most is not None and len(value) > most):
        raise ApiError(400, "malformed", f"The field {name!r} must have {least} to {most} characters.")
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def address(request: Request) -> str:
    """Return the caller's network: the client's own where trusted proxies pass it on, else the peer's."""
    return network(request.remote_addr or request.ip or "unknown")


def install(app: Sanic, settings: Settings) -> None:
    """Add the error handlers, the origin check and the response headers to ``app``."""
    allowed = frozenset(settings.origins)

    @app.middleware("request")
    async def check_origin(request: Request) -> HTTPResponse | None:
        origin = request.headers.get("origin")
        if origin is None or not request.path.startswith("/api/"):
            return None
        if origin not in allowed and not _same_origin(origin, request):
            return ApiError(403, "forbidden", "Pages of that origin may not call this assistant.").response()
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return HTTPResponse(
                status=204,
                headers={
                    "Access-Control-Allow-Methods": "GET, POST, DELETE",
                    "Access-Control-Allow-Headers": "Authorization, Content-Type",
                    "Access-Control-Max-Age": "600",
                },
            )
        return None

    @app.middleware("response")
    async def add_headers(request: Request, response: HTTPResponse) -> None:
        headers = response.headers
        for name, value in _SECURITY.items():
            headers.setdefault(name, value)
        if not request.path.startswith("/api/"):
            return
        headers.setdefault("Vary", "Origin")
        origin = request.headers.get("origin")
        if origin is not None and origin in allowed:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"

    app.error_handler.add(Exception, _answer_error)


def _answer_error(request: Request, error: Exception) -> HTTPResponse:
    if isinstance(error, ApiError):
        return error.response()
    if isinstance(error, SanicException):
        status = error.status_code if isinstance(getattr(error, "status_code", None), int) else 500
        if status < 500 or status == 503:
            headers = {"Allow": error.headers["Allow"]} if status == 405 else {}
            if status == 503:
                headers["Retry-After"] = "2"
            message = _MESSAGES.get(status, "The request cannot be served.")
            return ApiError(status, _CODES.get(status, "malformed"), message, headers=headers).response()
    route = request.route.path if request.route else None
    log.error("request_failed", extra={"route": route, **describe(error)})
    return ApiError(500, "internal", "Something went wrong here. Please try again.").response()


def _same_origin(origin: str, request: Request) -> bool:
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == request.headers.get("host")
