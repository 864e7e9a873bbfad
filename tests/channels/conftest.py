from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from hipwise.replies import ReplyBuilder
from hipwise.replies.build import default_builder

from .support import CHANNELS, FakeConversations, Harness

Start = Callable[[str], Coroutine[Any, Any, Harness]]


@pytest.fixture(scope="session")
def builder() -> ReplyBuilder:
    return default_builder()


@pytest.fixture
async def start(builder: ReplyBuilder) -> AsyncIterator[Start]:
    """Start the stand-in of a platform and the channel that talks to it, by the channel's name."""
    started = []

    async def begin(name: str) -> Harness:
        channel, api, sign, _ = CHANNELS[name]
        harness = Harness(channel, api(), sign, FakeConversations(builder))
        started.append(harness)
        await harness.start()
        return harness

    yield begin
    for harness in started:
        await harness.stop()
