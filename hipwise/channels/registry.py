"""Which messaging channels are on: those whose secrets are in the environment, and no others."""

from __future__ import annotations

import html
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hipwise.channels.base import Channel, Site, Variable, WebhookRequest, WebhookResponse
from hipwise.channels.messenger import Messenger
from hipwise.channels.slack import Slack
from hipwise.channels.telegram import Telegram
from hipwise.channels.twilio import Twilio
from hipwise.channels.whatsapp import WhatsApp
from hipwise.settings import Settings

if TYPE_CHECKING:
    from sanic import Sanic
    from sanic.request import Request
    from sanic.response import HTTPResponse

log = logging.getLogger(__name__)

CHANNELS: tuple[type[Channel], ...] = (Telegram, Twilio, WhatsApp, Messenger, Slack)


@dataclass(frozen=True)
class Status:
    """Whether a channel is on, and what it lacks. ``wrong`` are variables whose value cannot be right."""

    channel: type[Channel]
    config: Mapping[str, str]
    missing: tuple[Variable, ...]
    wrong: tuple[Variable, ...]

    @property
    def on(self) -> bool:
        """Return whether it is served."""
        return not self.missing and not self.wrong

    @property
    def begun(self) -> bool:
        """Return whether someone set a variable that is this channel's alone."""
        own = [variable.name for variable in self.channel.variables if variable.name != "HIPWISE_PUBLIC_URL"]
        return any(name in self.config for name in own)


def status(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Status]:
    """Return the status of every channel."""
    env = os.environ if environment is None else environment
    values = {name: value.strip() for name, value in env.items() if value.strip()}
    if settings.public_url:
        values.setdefault("HIPWISE_PUBLIC_URL", settings.public_url)
    found = []
    for channel in CHANNELS:
        names = [variable.name for variable in channel.variables] + [channel.api_variable()]
        config = {name: values[name] for name in names if name in values}
        missing = tuple(v for v in channel.variables if v.name not in config)
        wrong = tuple(v for v in channel.variables if v.name in config and not v.fits(config[v.name]))
        found.append(Status(channel, config, missing, wrong))
    return found


def site_of(settings: Settings) -> Site:
    """Return what renderers need to know of this server."""
    return Site(public_url=settings.public_url.rstrip("/"))


def active(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Channel]:
    """Return the channels that are on. One that is half set up is named in the log, and not served."""
    channels = []
    for state in status(settings, environment):
        if state.on:
            channels.append(state.channel(state.config, site_of(settings)))
        elif state.begun:
            names = ", ".join(variable.name for variable in (*state.missing, *state.wrong))
            log.warning("channel_not_served", extra={"channel": state.channel.name, "missing_or_wrong": names})
    return channels


def register_channels(app: Sanic, settings: Settings, environment: Mapping[str, str] | None = None) -> list[str]:
    """Add the webhooks of the channels that are on, and ``/sources``, to the application; return the channels' names.

    Messages are answered through ``app.ctx.conversations``; while that is None, webhooks get 503 and come again.
    """
    from hipwise.channels.deliver import Sender
    from hipwise.channels.identity import Identity
    from hipwise.channels.state import Handled, RedisHandled
    from hipwise.channels.webhook import LARGEST_WEBHOOK, Inbox
    from hipwise.safety.regions import load_region
    from hipwise.secret import load_secret

    channels = active(settings, environment)
    if not channels:
        return []

    def shared(own: Handled) -> Handled:
        return RedisHandled(settings.redis_url, own) if settings.redis_url else own

    inbox = Inbox(
        settings,
        Identity(load_secret(settings)),
        load_region(settings.region),
        Sender(),
        lambda: app.ctx.conversations,
        shared,
    )
    app.ctx.inbox = inbox
    app.config.REQUEST_MAX_SIZE = max(app.config.REQUEST_MAX_SIZE, LARGEST_WEBHOOK)
    for channel in channels:
        app.add_route(_handler(inbox, channel), channel.path(), methods=["GET", "POST"], name=f"webhook_{channel.name}")
    app.add_route(_sources, "/sources", methods=["GET"], name="sources")

    async def close(app: Sanic, loop: Any) -> None:
        await inbox.close()

    app.register_listener(close, "before_server_stop")
    return [channel.name for channel in channels]


def _handler(inbox: Any, channel: Channel) -> Any:
    async def webhook(request: Request) -> HTTPResponse:
        return _response(
            await inbox.receive(
                channel,
                WebhookRequest(
                    method=request.method,
                    path=request.path,
                    query=request.query_string,
                    headers={name.lower(): value for name, value in request.headers.items()},
                    body=request.body or b"",
                ),
            )
        )

    return webhook


def _response(response: WebhookResponse) -> HTTPResponse:
    from sanic.response import HTTPResponse

    headers = {"Cache-Control": "no-store", **response.headers}
    return HTTPResponse(response.body, response.status, headers, response.content_type)


def sources_page() -> str:
    """Return the page with the full references, which an SMS has no room for."""
    from hipwise.knowledge import Knowledge

    entries = []
    # The article first, then what it draws on.
    for reference in sorted(Knowledge.load().references.values(), key=lambda reference: not reference.draws_on):
        citation = html.escape(reference.citation)
        link = f'<a href="{html.escape(reference.url)}">{citation}</a>' if reference.url else citation
        entries.append(f"<li>{link}</li>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sources - Hipwise</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main><h1>Sources</h1>'
        "<p>The answers about transient osteoporosis of the hip are based on the first of these. It draws on the others.</p>"
        f"<ul>{''.join(entries)}</ul></main></body></html>"
    )


async def _sources(request: Request) -> HTTPResponse:
    from sanic.response import html as html_response

    return html_response(sources_page(), headers={"Cache-Control": "public, max-age=300"})
