"""What every HTTP route shares: errors as JSON, who may call, how often, and what headers a response has."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterable
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.errors import HipwiseError
from hipwise.insights import metrics
from hipwise.replies import Reply
from hipwise.settings import Settings

log = logging.getLogger(__name__)

#: Bytes of a request body. 1,000 characters take 4,000 bytes at most in UTF-8 and 12,000 when JSON escapes each one.
LARGEST_BODY = 16 * 1024

_CODES = {400: "malformed", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
          408: "timeout", 413: "too_large", 414: "malformed", 415: "unsupported_media_type", 417: "malformed",
          429: "too_many_requests", 431: "malformed", 503: "not_ready"}
_MESSAGES = {400: "The request is malformed.", 404: "There is nothing here.", 405: "That method is not allowed here.",
             408: "The request took too long to arrive.", 413: "The request is too large.",
             503: "The assistant is not ready yet. Please try again in a moment."}

_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}
#: Our own pages load nothing from elsewhere and hold no inline script or style.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ApiError(Exception):
    """A request that is refused, with the status and the words that the client gets."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        replies: Iterable[Reply] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.replies = list(replies)
        self.headers = headers or {}

    def response(self) -> HTTPResponse:
        """Return the error as JSON."""
        body: dict[str, Any] = {"error": {"code": self.code, "message": self.message}}
        if self.replies:
            # A red flag in a message that is turned down is answered all the same.
            body["replies"] = [reply.as_dict() for reply in self.replies]
        metrics.refused.labels(code=self.code).inc()
        return json_response(body, self.status, self.headers)


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Return ``body`` as JSON that no cache keeps: it is someone's conversation."""
    return HTTPResponse(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        content_type="application/json",
    )


def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises:
        ApiError: 415 it is not declared as JSON; 400 it is not a JSON object in UTF-8.
    """
    media_type = (request.content_type or "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "unsupported_media_type", "Send JSON, with the content type application/json.")
    try:
        body = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "malformed", "The body is not valid JSON.") from error
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
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class RateLimits:
    """Counts requests per key in a moving window, in this process."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self.messages = _limit("HIPWISE_RATE_MESSAGES", settings.rate_messages)
        self.address = _limit("HIPWISE_RATE_ADDRESS", settings.rate_address)
        self.open = _limit("HIPWISE_RATE_OPEN", settings.rate_open)

    def hit(self, limit: RateLimitItem, *key: str) -> None:
        """Count one request.

        Raises:
            ApiError: 429 with ``Retry-After`` in whole seconds.
        """
        if not self._limiter.hit(limit, *key):
            reset = self._limiter.get_window_stats(limit, *key).reset_time
            wait = max(1, math.ceil(reset - time.time()))
            raise ApiError(
                429, "too_many_requests", f"Too many requests. Please wait {wait} seconds.", headers={"Retry-After": str(wait)}
            )


def _limit(variable: str, text: str) -> RateLimitItem:
    try:
        return parse(text)
    except ValueError as error:
        raise HipwiseError(f"{variable}={text!r}: a limit looks like 30/minute.") from error


def address(request: Request) -> str:
    """Return the caller's network address: the client's own where trusted proxies pass it on, else the peer's."""
    return request.remote_addr or request.ip or "unknown"


def install(app: Sanic, settings: Settings) -> None:
    """Add the error handlers, the origin check and the response headers to ``app``."""
    allowed = frozenset(settings.origins)

    @app.middleware("request")
    async def check_origin(request: Request) -> HTTPResponse | None:
        origin = request.headers.get("origin")
        if not origin or not request.path.startswith("/api/"):
            return None
        if origin not in allowed and not _same_origin(origin, request):
            return ApiError(403, "forbidden", "Pages of that origin may not call this assistant.").response()
        if request.method == "OPTIONS":
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
        for name, value in _SECURITY.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", CSP)
        if request is None:
            return
        origin = request.headers.get("origin")
        if origin and origin in allowed and request.path.startswith("/api/"):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
            response.headers["Vary"] = "Origin"

    async def on_error(request: Request, error: Exception) -> HTTPResponse:
        if isinstance(error, ApiError):
            return error.response()
        if isinstance(error, SanicException):
            status = error.status_code or 500
            if status < 500 or status == 503:
                return ApiError(status, _CODES.get(status, "malformed"), _MESSAGES.get(status, "The request cannot be served.")).response()
        log.error("request failed: %s", type(error).__name__)
        return ApiError(500, "internal", "Something went wrong here. Please try again.").response()

    app.error_handler.add(Exception, on_error)


def _same_origin(origin: str, request: Request) -> bool:
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host == request.headers.get("host")
