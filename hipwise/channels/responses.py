"""What goes back: JSON that no cache keeps, errors as JSON, and fixed content that caches may keep."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.insights import metrics
from hipwise.replies import Reply

#: Below this, compressing saves nothing.
_LEAST_GZIP = 1_000
_COMPRESSIBLE = ("text/", "application/json", "application/javascript", "image/svg", "application/manifest")


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


def not_found() -> ApiError:
    """Return the error for a thing that is not there."""
    return ApiError(404, "not_found", "There is nothing here.")


def not_ready() -> ApiError:
    """Return the error for a request that comes before the model is loaded."""
    return ApiError(
        503, "not_ready", "The assistant is not ready yet. Please try again in a moment.", headers={"Retry-After": "2"}
    )


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Return ``body`` as JSON that no cache keeps: it is someone's conversation."""
    return HTTPResponse(
        as_json(body),
        status=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        content_type="application/json",
    )


def as_json(body: Any) -> bytes:
    """Return ``body`` as JSON in UTF-8. A lone surrogate, which no UTF-8 holds, becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class Fixed:
    """Content that stays the same while the server runs: compressed once, and revalidated by its hash.

    Args:
        body: the content.
        content_type: its media type.
        headers: what else is sent with it; ``Cache-Control`` says for how long it is kept.
    """

    def __init__(self, body: bytes, content_type: str, headers: dict[str, str]) -> None:
        self.body = body
        self._content_type = content_type
        self._etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        self._headers = {**headers, "ETag": self._etag, "Vary": "Accept-Encoding, Origin"}
        self._gzip: bytes | None = None
        if len(body) >= _LEAST_GZIP and content_type.startswith(_COMPRESSIBLE):
            packed = gzip.compress(body, 9, mtime=0)
            self._gzip = packed if len(packed) < len(body) else None

    def response(self, request: Request) -> HTTPResponse:
        """Return the content, packed where the client takes it, or 304 where it has it already."""
        if _has(request.headers.get("if-none-match"), self._etag):
            return HTTPResponse(status=304, headers=dict(self._headers))
        body, headers = self.body, dict(self._headers)
        if self._gzip is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
            body = self._gzip
            headers["Content-Encoding"] = "gzip"
        return HTTPResponse(body=body, headers=headers, content_type=self._content_type)


def _has(header: str | None, etag: str) -> bool:
    # A proxy that packs what we send may have marked it as weak.
    return header is not None and any(
        tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(",", 20)
    )


def _takes_gzip(header: str) -> bool:
    for entry in header.lower().split(",", 20):
        name, _, quality = entry.partition(";")
        if name.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
