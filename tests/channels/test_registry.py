"""Which channels are served, by the real HTTP application; and the two commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sanic import Sanic

from hipwise.channels.registry import CHANNELS, active, register_channels, status
from hipwise.channels.tools import PREVIEWS, TURNS, preview, print_channels
from hipwise.errors import HipwiseError
from hipwise.replies import ReplyBuilder
from hipwise.settings import Settings

from .platforms import TelegramApi
from .support import CONFIG, PUBLIC, FakeConversations, sign_telegram, telegram_message


def settings(tmp_path: Path, **changes: Any) -> Settings:
    return Settings(**{"database": tmp_path / "db.sqlite", "public_url": PUBLIC, "secret": "s" * 40, **changes})


def test_nothing_is_served_without_secrets(tmp_path: Path) -> None:
    app = Sanic("none", configure_logging=False)
    assert register_channels(app, settings(tmp_path), {}) == []
    assert list(app.router.routes) == []


def test_everything_is_served_with_them(tmp_path: Path) -> None:
    app = Sanic("all", configure_logging=False)
    names = register_channels(app, settings(tmp_path), CONFIG)
    assert names == ["telegram", "twilio", "whatsapp", "messenger", "slack"]
    paths = {"/" + route.path for route in app.router.routes}
    assert paths == {f"/webhooks/{name}" for name in names} | {"/sources"}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_with_a_variable_missing_or_wrong_is_off(channel: Any, tmp_path: Path) -> None:
    for variable in channel.variables:
        for value in ("", " ", "two words"):
            env = {**CONFIG, variable.name: value}
            plain = settings(tmp_path, public_url="")
            assert channel not in [type(c) for c in active(plain, env)], (variable.name, value)
    assert channel in [type(c) for c in active(settings(tmp_path, public_url=""), CONFIG)]


def test_weak_secrets_are_refused(tmp_path: Path) -> None:
    env = {**CONFIG, "HIPWISE_TELEGRAM_SECRET": "short", "HIPWISE_WHATSAPP_APP_SECRET": "short"}
    assert [type(c).name for c in active(settings(tmp_path), env)] == ["twilio", "messenger", "slack"]


def test_one_half_set_up_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert active(settings(tmp_path), {"HIPWISE_TELEGRAM_TOKEN": CONFIG["HIPWISE_TELEGRAM_TOKEN"]}) == []
    (record,) = caplog.records
    assert record.channel == "telegram"  # type: ignore[attr-defined]
    assert "HIPWISE_TELEGRAM_SECRET" in record.missing_or_wrong  # type: ignore[attr-defined]
    assert CONFIG["HIPWISE_TELEGRAM_TOKEN"] not in str(record.__dict__)


def test_the_channels_command_says_what_is_on_and_no_secret(tmp_path: Path) -> None:
    lines: list[str] = []
    env = {**CONFIG, "HIPWISE_SLACK_TOKEN": "not-a-slack-token"}
    assert print_channels(settings(tmp_path), env, lines.append) == 0
    text = "\n".join(lines)
    assert "Telegram: on" in text
    assert "Slack: off" in text
    assert f"{PUBLIC}/webhooks/telegram" in text
    assert "wrong form HIPWISE_SLACK_TOKEN" in text
    for state in status(settings(tmp_path), env):
        assert state.channel.path() in text
        for variable in state.channel.variables:
            if variable.secret:
                assert state.config[variable.name] not in text


@pytest.mark.parametrize("name", PREVIEWS)
def test_preview_shows_every_turn(name: str, builder: ReplyBuilder) -> None:
    lines: list[str] = []
    assert preview(name, lines.append, FakeConversations(builder)) == 0
    text = "\n".join(lines)
    assert sum(line.strip().startswith("+") for line in lines) >= 2 * 2 * len(TURNS)
    for words in ("computer program", "6 to 12 months", "recordings", "EMERGENCY", "deleted"):
        assert words in text
    # The second turn chose, by number or by button.
    assert ("[presses: " in text) == (name not in ("sms", "whatsapp-twilio"))


def test_preview_of_nothing() -> None:
    with pytest.raises(HipwiseError, match="telegram"):
        preview("fax")


@pytest.mark.server
async def test_over_http(tmp_path: Path, builder: ReplyBuilder) -> None:
    from aiohttp.test_utils import TestServer

    api = TelegramApi()
    platform = TestServer(api.app())
    await platform.start_server()
    app = Sanic("webhooks", configure_logging=False)
    app.ctx.conversations = None
    environment = {**CONFIG, "HIPWISE_TELEGRAM_API": str(platform.make_url(""))}
    register_channels(app, settings(tmp_path), environment)
    server: Any = await app.create_server(host="127.0.0.1", port=0, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    base = f"http://127.0.0.1:{server.server.sockets[0].getsockname()[1]}"
    channel = active(settings(tmp_path), environment)[0]
    try:
        async with aiohttp.ClientSession() as session:
            signed = sign_telegram(channel, telegram_message("How long does it last?"))

            async def post(headers: dict[str, str], body: bytes = signed.body) -> int:
                async with session.post(f"{base}/webhooks/telegram", data=body, headers=headers) as response:
                    return response.status

            assert await post(dict(signed.headers)) == 503
            app.ctx.conversations = FakeConversations(builder)
            assert await post({"content-type": "application/json"}) == 401
            assert await post(dict(signed.headers)) == 200
            assert await post(dict(signed.headers)) == 200
            assert await post(dict(signed.headers), b"{}") == 400
            # The longest message that Telegram delivers, with every character escaped.
            long = sign_telegram(channel, telegram_message("ü" * 4096))
            assert len(long.body) > 16 * 1024
            assert await post(dict(long.headers), long.body) == 200
            async with session.get(f"{base}/webhooks/telegram") as response:
                assert response.status == 405
            async with session.get(f"{base}/sources") as response:
                page = await response.text()
                assert response.status == 200
                assert page.index("Cluett") < page.index("Korompilias")
    finally:
        await server.before_stop()
        server.server.close()
        await server.after_stop()
        await platform.close()
    assert len(api.texts()) == 3


@pytest.mark.model
def test_preview_with_the_trained_assistant(capsys: pytest.CaptureFixture[str]) -> None:
    assert preview("sms") == 0
    text = capsys.readouterr().out
    for words in ("computer program", "6 to 12 months", "recordings", "EMERGENCY", "deleted", "GSM-7"):
        assert words in text
    assert "UCS-2" not in text
