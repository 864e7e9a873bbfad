"""Makes the platforms' calls: again where that helps, and never with words or numbers in the log."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp

from hipwise.channels.base import Call, Channel, Outcome
from hipwise.insights import metrics

log = logging.getLogger(__name__)

ATTEMPTS = 5
#: Seconds before the second attempt; each further wait is twice as long, give or take a quarter.
FIRST_WAIT = 0.5
#: Seconds to wait at most for one attempt. A platform that asks for more gets none: by then the answer is no use.
LONGEST_WAIT = 60.0
_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_LARGEST_ANSWER = 256 * 1024

Progress = Callable[[int], Awaitable[None]]


class Sender:
    """Sends calls one after the other.

    A call whose answer is lost is made again: a patient who reads an answer twice is better off than one who reads none.

    Args:
        sleep: waits for so many seconds.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, channel: Channel, name: str, calls: Sequence[Call], sent: int = 0, progress: Progress | None = None
    ) -> bool:
        """Make the calls after the first ``sent``, and return whether the person may still want messages.

        Args:
            channel: the platform.
            name: the channel's name in the metrics (Twilio serves two).
            calls: what to send.
            sent: calls that were made before.
            progress: told the number of calls made, after each.
        """
        for number, call in enumerate(calls):
            if number < sent:
                continue
            outcome = await self._insist(channel, call)
            if not outcome.taken and not call.optional:
                metrics.sends_failed.labels(channel=name).inc()
                log.error("send_failed", extra={"channel": name, "call": call.method, "reason": outcome.reason})
                # The rest of an answer without its beginning would mislead.
                return not outcome.unwanted
            if not outcome.taken:
                log.warning("extra_not_sent", extra={"channel": name, "call": call.method, "reason": outcome.reason})
            if progress is not None:
                await progress(number + 1)
        return True

    async def _insist(self, channel: Channel, call: Call) -> Outcome:
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            outcome = await self._try(channel, call)
            if outcome.taken or not outcome.again or attempt == ATTEMPTS:
                return outcome
            # A platform's own word on when to come back counts, and a little more, since clocks differ.
            pause = outcome.after + 0.1 if outcome.after is not None else wait * random.uniform(0.75, 1.25)  # noqa: S311
            if pause > LONGEST_WAIT:
                return outcome
            await self._sleep(pause)
            wait *= 2
        raise AssertionError("unreachable")

    async def _try(self, channel: Channel, call: Call) -> Outcome:
        http = channel.http(call)
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True)
        kwargs: dict[str, Any] = {"headers": dict(http.headers), "allow_redirects": False}
        if http.form is not None:
            kwargs["data"] = aiohttp.FormData(list(http.form))
        else:
            kwargs["json"] = http.json
        try:
            async with self._session.post(http.url, **kwargs) as response:
                raw = await response.content.read(_LARGEST_ANSWER)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return channel.outcome(response.status, headers, _json(raw))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The exception's text may hold the address, and Telegram's holds the token.
            return Outcome(taken=False, again=True, reason=type(error).__name__)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
