"""The pages and files that are served as they are: the demonstration page, the widget, the kiosk, the figures."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, html

from hipwise.channels.http import ApiError

_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Hipwise</title>"
    "<h1>Hipwise is running</h1><p>The chat page is not built. Run <code>make web</code>, then load this page again."
)


def blueprint(folder: Path) -> Blueprint:
    """Return routes for the files of the built web part in ``folder``, read once: they are few and small."""
    pages = Blueprint("hipwise_pages")
    files: dict[str, tuple[bytes, str]] = {}
    if folder.is_dir():
        for path in folder.rglob("*"):
            if path.is_file():
                media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                if media_type.startswith("text/") or media_type == "application/javascript":
                    media_type += "; charset=utf-8"
                files[path.relative_to(folder).as_posix()] = (path.read_bytes(), media_type)

    def serve(name: str) -> HTTPResponse:
        # Names are looked up, never joined to a path, so there is nothing to traverse.
        if name not in files:
            raise ApiError(404, "not_found", "There is nothing here.")
        body, media_type = files[name]
        hashed = name.startswith("assets/")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if hashed else "public, max-age=300",
            # The clinic's pages, on another origin, embed the widget with an integrity hash, which needs CORS; the files
            # are the same for everyone and hold nothing of anyone.
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return HTTPResponse(body=body, headers=headers, content_type=media_type)

    @pages.get("/")
    async def index(request: Request) -> HTTPResponse:
        return serve("index.html") if "index.html" in files else html(_NOT_BUILT)

    @pages.get("/kiosk")
    async def kiosk(request: Request) -> HTTPResponse:
        return serve("kiosk.html")

    @pages.get("/<name:path>")
    async def file(request: Request, name: str) -> HTTPResponse:
        return serve(name)

    return pages
