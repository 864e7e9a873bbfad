"""The pages and files that are served as they are: the demonstration page, the widget, the kiosk, the figures."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from hipwise.channels.responses import Fixed, not_found

_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Hipwise</title>"
    "<h1>Hipwise is running</h1><p>The chat page is not built. Run <code>make web</code>, then load this page again."
)
_MEDIA_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
                ".woff2": "font/woff2", ".map": "application/json"}


def blueprint(folder: Path) -> Blueprint:
    """Return routes for the files of the built web part in ``folder``, read once: they are few and small."""
    pages = Blueprint("hipwise_pages")
    files = read_files(folder)

    # HEAD too: that is how load balancers and link checkers ask.
    @pages.route("/", methods=("GET", "HEAD"))
    async def index(request: Request) -> HTTPResponse:
        return files[""].response(request)

    @pages.route("/<name:path>", methods=("GET", "HEAD"))
    async def file(request: Request, name: str) -> HTTPResponse:
        # Names are looked up, never joined to a path, so there is nothing to traverse.
        found = files.get(name)
        if found is None:
            raise not_found()
        return found.response(request)

    return pages


def read_files(folder: Path) -> dict[str, Fixed]:
    """Return what is served of ``folder``, by its name in the address."""
    files: dict[str, Fixed] = {"": _fixed("index.html", _NOT_BUILT.encode())}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder).as_posix()
        # Neither what is hidden nor what a link leads out to.
        if not path.is_file() or path.is_symlink() or any(part.startswith(".") for part in Path(name).parts):
            continue
        files[name] = _fixed(name, path.read_bytes())
        if name.endswith(".html"):
            plain = name.removesuffix(".html")
            files["" if plain == "index" else plain] = files[name]
    return files


def _fixed(name: str, body: bytes) -> Fixed:
    suffix = Path(name).suffix
    media_type = _MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    # Names under assets/ hold a hash of the content.
    hashed = name.startswith("assets/")
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if hashed else "public, max-age=300"}
    if suffix != ".html":
        # The clinic's pages, on another origin, embed the widget with an integrity hash, which needs CORS; the files are the
        # same for everyone and hold nothing of anyone.
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return Fixed(body, media_type, headers)
