"""What the clinic decides, read from the environment. Every setting has a safe default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from hipwise.errors import HipwiseError
from hipwise.paths import VAR


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Attributes:
        host: address to listen on (``HOST``).
        port: TCP port (``PORT``); 0 lets the system choose.
        region: whose emergency numbers are given (``REGION``): US, UK, EU, or anything else for the neutral wording.
        database: SQLite file that keeps the conversations (``HIPWISE_DATABASE``).
        retention_days: days after its last message until a conversation is erased (``HIPWISE_RETENTION_DAYS``).
        token_hours: hours that a conversation's token is valid (``HIPWISE_TOKEN_HOURS``).
        secret: key that signs tokens (``HIPWISE_SECRET``); empty means: make one, and keep it beside the database.
        origins: web origins whose pages may call the HTTP interface (``HIPWISE_ORIGINS``, separated by commas).
        proxies: number of reverse proxies in front, whose X-Forwarded-For is believed (``HIPWISE_PROXIES``).
        clinic_phone: number that patients may call (``HIPWISE_CLINIC_PHONE``); empty where there is none.
        public_url: address under which patients reach the server (``HIPWISE_PUBLIC_URL``), for links and webhooks.
        staff_webhook: address that the kiosk's call for staff is posted to (``HIPWISE_STAFF_WEBHOOK``); empty: words only.
        kiosk_name: which kiosk calls the staff (``HIPWISE_KIOSK_NAME``): "waiting room 2", say.
        idle_seconds: seconds without touch until the kiosk asks whether someone is there (``HIPWISE_KIOSK_IDLE_SECONDS``).
        screen: the kiosk's screen, diagonal and pixels (``HIPWISE_KIOSK_SCREEN``).
        redis_url: where several processes share what they have handled (``HIPWISE_REDIS_URL``); empty: one process.
        rate_messages: messages of one conversation allowed (``HIPWISE_RATE_MESSAGES``), in the notation of ``limits``.
        rate_address: requests of one network address allowed (``HIPWISE_RATE_ADDRESS``).
        rate_open: conversations that one network address may open (``HIPWISE_RATE_OPEN``).
        log_level: DEBUG, INFO, WARNING or ERROR (``HIPWISE_LOG_LEVEL``). No level prints what patients write.
    """

    host: str = "127.0.0.1"
    port: int = 5005
    region: str = "US"
    database: Path = VAR / "hipwise.sqlite"
    retention_days: int = 30
    token_hours: int = 24 * 30
    secret: str = ""
    origins: tuple[str, ...] = ()
    proxies: int = 0
    clinic_phone: str = ""
    public_url: str = ""
    staff_webhook: str = ""
    kiosk_name: str = ""
    idle_seconds: int = 60
    screen: str = "21.5in 1920x1080"
    redis_url: str = ""
    rate_messages: str = "30/minute"
    rate_address: str = "300/minute"
    rate_open: str = "30/minute"
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that the environment variables say.

        Raises:
            HipwiseError: a number is not one, or is below what makes sense.
        """
        env = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for field in fields(cls):
            text = env.get(_VARIABLES.get(field.name, f"HIPWISE_{field.name.upper()}"))
            if text is None or text == "":
                continue
            values[field.name] = _convert(field.name, text.strip())
        return cls(**values)  # type: ignore[arg-type]


_VARIABLES = {"host": "HOST", "port": "PORT", "region": "REGION", "idle_seconds": "HIPWISE_KIOSK_IDLE_SECONDS",
              "screen": "HIPWISE_KIOSK_SCREEN"}
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:]+\](?::[0-9]{1,5})?")
#: A century in hours; dates beyond cannot be told.
_MOST = 876_000
_LEAST = {"port": 0, "retention_days": 1, "token_hours": 1, "proxies": 0, "idle_seconds": 5}


def _convert(name: str, text: str) -> object:
    if name in _LEAST:
        variable = _VARIABLES.get(name, f"HIPWISE_{name.upper()}")
        try:
            number = int(text)
        except ValueError as error:
            raise HipwiseError(f"{variable}={text!r}: a whole number is needed.") from error
        if not _LEAST[name] <= number <= (65_535 if name == "port" else _MOST):
            raise HipwiseError(f"{variable}={text!r}: out of range.")
        return number
    if name == "database":
        return Path(text)
    if name == "origins":
        origins = tuple(origin.strip().rstrip("/").lower() for origin in text.split(",") if origin.strip())
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise HipwiseError(f"HIPWISE_ORIGINS: {origin!r} is not an origin like https://www.example.org.")
        return origins
    if name == "staff_webhook" and not text.startswith(("http://", "https://")):
        raise HipwiseError("HIPWISE_STAFF_WEBHOOK: an address that begins with https:// is needed.")
    if name == "log_level":
        if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise HipwiseError(f"HIPWISE_LOG_LEVEL={text!r}: DEBUG, INFO, WARNING or ERROR is needed.")
        return text.upper()
    return text
