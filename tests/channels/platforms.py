"""Stand-ins of the platforms' interfaces. They keep the documented limits, and refuse what the platforms would refuse.

The limits here were written from the platforms' documentation and on purpose do not use ``hipwise.channels.limits``.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from aiohttp import web
from slack_sdk.models.blocks import Block

TELEGRAM_TOKEN = "123456:stand-in-token-of-telegram"
ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "stand-in-auth-token"
META_TOKEN = "stand-in-token-of-meta-0123456789"
SLACK_TOKEN = "xoxb-stand-in"
PHONE_NUMBER_ID = "106540352242922"


class Refused(Exception):
    """What the platform answers to a call that breaks its rules."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


class Platform:
    """Takes calls, keeps those that follow the rules, and fails as it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.attempts = 0
        #: Answers to give instead, one a call: (status, headers, body), or None for a connection that is dropped.
        self.script: list[tuple[int, dict[str, str], dict[str, Any]] | None] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self.attempts += 1
        if self.script:
            answer = self.script.pop(0)
            if answer is None:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            status, headers, body = answer
            return web.json_response(body, status=status, headers=headers)
        body = await self.read(request)
        try:
            method = self.authorise(request, body)
            self.check(method, body)
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        self.calls.append((method, body))
        return web.json_response(self.taken(method))

    async def read(self, request: web.Request) -> dict[str, Any]:
        assert request.content_type == "application/json"
        body: dict[str, Any] = await request.json()
        return body

    def authorise(self, request: web.Request, body: dict[str, Any]) -> str:
        raise NotImplementedError

    def check(self, method: str, body: dict[str, Any]) -> None:
        raise NotImplementedError

    def taken(self, method: str) -> dict[str, Any]:
        return {"ok": True}

    def texts(self) -> list[str]:
        """What the person reads, message by message."""
        raise NotImplementedError


class TelegramApi(Platform):
    def authorise(self, request: web.Request, body: dict[str, Any]) -> str:
        prefix, _, method = request.path.lstrip("/").rpartition("/")
        if prefix != f"bot{TELEGRAM_TOKEN}":
            raise Refused(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        return method

    def check(self, method: str, body: dict[str, Any]) -> None:
        def refuse(why: str) -> None:
            raise Refused(400, {"ok": False, "error_code": 400, "description": f"Bad Request: {why}"})

        if method == "answerCallbackQuery":
            if not isinstance(body.get("callback_query_id"), str) or units(body.get("text", "")) > 200:
                refuse("query is too old and response timeout expired or query ID is invalid")
            return
        if not isinstance(body.get("chat_id"), int):
            refuse("chat not found")
        if method == "sendPhoto":
            if not re.fullmatch(r"https://\S+\.(png|jpe?g)", body.get("photo", "")):
                refuse("wrong type of the web page content")
            if units(body.get("caption", "")) > 1024:
                refuse("message caption is too long")
            return
        assert method == "sendMessage", method
        text = body.get("text", "")
        if not text.strip():
            refuse("message text is empty")
        if units(text) > 4096:
            refuse("message is too long")
        for entity in body.get("entities", []):
            if not 0 <= entity["offset"] < entity["offset"] + entity["length"] <= units(text):
                refuse("entity is out of bounds")
        for row in body.get("reply_markup", {}).get("inline_keyboard", []):
            if not row:
                refuse("keyboard row is empty")
            for button in row:
                if not button.get("text") or set(button) != {"text", "callback_data"}:
                    refuse("text buttons are not allowed in the inline keyboard")
                if not 1 <= len(button["callback_data"].encode()) <= 64:
                    refuse("BUTTON_DATA_INVALID")

    def texts(self) -> list[str]:
        return [body["text"] for method, body in self.calls if method == "sendMessage"]


class TwilioApi(Platform):
    def __init__(self) -> None:
        super().__init__()
        self.unsubscribed: set[str] = set()

    async def read(self, request: web.Request) -> dict[str, Any]:
        return dict(await request.post())

    def authorise(self, request: web.Request, body: dict[str, Any]) -> str:
        login = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            raise Refused(401, {"code": 20003, "message": "Authenticate", "status": 401})
        if request.path != f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json":
            raise Refused(404, {"code": 20404, "message": "not found", "status": 404})
        return "Messages"

    def check(self, method: str, body: dict[str, Any]) -> None:
        def refuse(code: int) -> None:
            raise Refused(400, {"code": code, "message": f"The 'To' number {body.get('To')} ...", "status": 400})

        to, ours, text = body.get("To", ""), body.get("From", ""), body.get("Body", "")
        if not re.fullmatch(r"(whatsapp:)?\+[1-9]\d{6,14}", to):
            refuse(21211)
        if not re.fullmatch(r"(whatsapp:)?\+[1-9]\d{6,14}", ours) or ours.startswith("whatsapp:") != to.startswith(
            "whatsapp:"
        ):
            refuse(21212)
        if to in self.unsubscribed:
            refuse(21610)
        if not text and "MediaUrl" not in body:
            refuse(21602)
        if units(text) > 1600:
            refuse(21617)
        if "MediaUrl" in body and not re.fullmatch(r"https://\S+\.(png|jpe?g)", body["MediaUrl"]):
            refuse(21620)

    def taken(self, method: str) -> dict[str, Any]:
        return {"sid": "SM" + "1" * 32, "status": "queued", "error_code": None}

    def texts(self) -> list[str]:
        return [body["Body"] for _, body in self.calls if "MediaUrl" not in body]


class _GraphApi(Platform):
    path = ""

    def authorise(self, request: web.Request, body: dict[str, Any]) -> str:
        if request.headers.get("Authorization") != f"Bearer {META_TOKEN}":
            raise Refused(401, {"error": {"code": 190, "type": "OAuthException", "message": "Invalid OAuth access token"}})
        if request.path != self.path:
            raise Refused(404, {"error": {"code": 100, "message": "Unsupported post request"}})
        return "messages"

    @staticmethod
    def require(fine: bool, why: str) -> None:
        if not fine:
            raise Refused(400, {"error": {"code": 100, "type": "OAuthException", "message": f"(#100) {why}"}})


class WhatsAppApi(_GraphApi):
    path = f"/{PHONE_NUMBER_ID}/messages"

    def check(self, method: str, body: dict[str, Any]) -> None:
        require = self.require
        require(body.get("messaging_product") == "whatsapp", "messaging_product")
        require(bool(re.fullmatch(r"\+?\d{7,15}", body.get("to", ""))), "to")
        kind = body.get("type", "")
        content: Any = body.get(kind)
        require(isinstance(content, dict), "type")
        if kind == "text":
            require(units(content["body"].strip()) >= 1 and units(content["body"]) <= 4096, "text.body")
        elif kind == "image":
            require(bool(re.fullmatch(r"https://\S+\.(png|jpe?g)", content["link"])), "image.link")
            require(units(content.get("caption", "")) <= 1024, "image.caption")
        elif kind == "interactive":
            require(1 <= units(content["body"]["text"]) <= 1024, "interactive.body")
            if content["type"] == "button":
                buttons = [button["reply"] for button in content["action"]["buttons"]]
                require(1 <= len(buttons) <= 3, "buttons")
                require(all(1 <= units(b["title"]) <= 20 and 1 <= len(b["id"]) <= 256 for b in buttons), "button")
                require(len({b["title"] for b in buttons}) == len(buttons), "button titles repeat")
                require(len({b["id"] for b in buttons}) == len(buttons), "button ids repeat")
            elif content["type"] == "list":
                action = content["action"]
                require(1 <= units(action["button"]) <= 20, "list.button")
                rows = [row for section in action["sections"] for row in section["rows"]]
                require(1 <= len(rows) <= 10, "rows")
                require(all(1 <= units(section["title"]) <= 24 for section in action["sections"]), "section")
                require(all(1 <= units(row["title"]) <= 24 and 1 <= len(row["id"]) <= 200 for row in rows), "row")
                require(all(units(row.get("description", "")) <= 72 for row in rows), "description")
                require(len({row["id"] for row in rows}) == len(rows), "row ids repeat")
            else:
                require(False, "interactive.type")
        else:
            require(False, "type")

    def texts(self) -> list[str]:
        found = []
        for _, body in self.calls:
            if body["type"] == "text":
                found.append(body["text"]["body"])
            elif body["type"] == "interactive":
                found.append(body["interactive"]["body"]["text"])
        return found


class MessengerApi(_GraphApi):
    path = "/me/messages"

    def check(self, method: str, body: dict[str, Any]) -> None:
        require = self.require
        require(bool(body["recipient"]["id"]), "recipient")
        require(body["messaging_type"] in ("RESPONSE", "UPDATE", "MESSAGE_TAG"), "messaging_type")
        message = body["message"]
        require(("text" in message) != ("attachment" in message), "message")
        if "text" in message:
            require(
                bool(message["text"].strip()) and units(message["text"]) <= 2000,
                "Length of param message[text] must be less than 2000",
            )
        else:
            require(bool(re.fullmatch(r"https://\S+\.(png|jpe?g)", message["attachment"]["payload"]["url"])), "attachment")
        replies = message.get("quick_replies")
        if replies is not None:
            require(1 <= len(replies) <= 13, "quick_replies")
            for reply in replies:
                require(reply["content_type"] == "text", "content_type")
                require(1 <= units(reply["title"]) <= 20, "title")
                require(1 <= units(reply["payload"]) <= 1000, "payload")

    def texts(self) -> list[str]:
        return [body["message"]["text"] for _, body in self.calls if "text" in body["message"]]


class SlackApi(Platform):
    def authorise(self, request: web.Request, body: dict[str, Any]) -> str:
        if request.headers.get("Authorization") != f"Bearer {SLACK_TOKEN}":
            raise Refused(200, {"ok": False, "error": "invalid_auth"})
        return request.path.lstrip("/")

    def check(self, method: str, body: dict[str, Any]) -> None:
        def refuse(error: str) -> None:
            raise Refused(200, {"ok": False, "error": error})

        assert method == "chat.postMessage", method
        if not re.fullmatch(r"[CDGU][A-Z0-9]{2,}", body.get("channel", "")):
            refuse("channel_not_found")
        if not body.get("text"):
            refuse("no_text")
        if units(body["text"]) > 40_000:
            refuse("msg_too_long")
        blocks = body["blocks"]
        if not 1 <= len(blocks) <= 50:
            refuse("invalid_blocks")
        for block in blocks:
            try:
                # Slack's own library knows most of its limits.
                parsed = Block.parse(block)
                assert parsed is not None
                parsed.validate_json()
            except Exception:
                refuse("invalid_blocks")
            text = block.get("text", {}).get("text")
            if text is not None and not 1 <= units(text) <= {"header": 150, "section": 3000}[block["type"]]:
                refuse("invalid_blocks")
            if block["type"] == "image" and not re.fullmatch(r"https://\S+\.(png|jpe?g|gif)", block["image_url"]):
                refuse("invalid_blocks")
            if block["type"] == "actions":
                elements = block["elements"]
                if not 1 <= len(elements) <= 25 or len({e["action_id"] for e in elements}) != len(elements):
                    refuse("invalid_blocks")
                if any(units(e["text"]["text"]) > 75 or units(e["value"]) > 2000 for e in elements):
                    refuse("invalid_blocks")

    def texts(self) -> list[str]:
        found = []
        for _, body in self.calls:
            parts = []
            for block in body["blocks"]:
                if block["type"] in ("section", "header"):
                    parts.append(block["text"]["text"])
                elif block["type"] == "context":
                    parts.append(block["elements"][0]["text"])
            found.append("\n".join(parts))
        return found
