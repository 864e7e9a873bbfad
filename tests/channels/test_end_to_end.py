"""The trained assistant behind each channel: greeting, answer, choice, emergency, "forget me"."""

from __future__ import annotations

from typing import Any

import pytest

from .support import CHANNELS, PRIVATE, Harness

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def trained() -> Any:
    from hipwise.channels.tools import load_in_memory

    return load_in_memory()


@pytest.mark.parametrize("name", CHANNELS)
async def test_a_conversation(name: str, trained: Any) -> None:
    channel, api, sign, message = CHANNELS[name]
    harness = Harness(channel, api(), sign, trained)
    await harness.start()
    database = trained.store.trackers.connection
    try:
        greeting, answer = await harness.deliver(message("How long does it last?"))
        assert "computer program" in greeting
        assert "6 to 12 months" in answer
        assert "Source: " in answer
        (again,) = await harness.deliver(message("Can I go swimming?"))
        assert "water" in again
        if harness.channel.numbered:
            third = again.splitlines()[-1].removeprefix("3 ")
            (chosen,) = await harness.deliver(message("3"))
            assert "Source: " in chosen
            assert third not in chosen.split("Source: ")[0]
        texts = await harness.deliver(message("I fell down the stairs and can't put any weight on the leg"))
        assert "EMERGENCY" in texts[0]
        (conversation,) = {row[0] for row in database.execute("SELECT id FROM conversations")}
        everything = "\n".join(database.iterdump())
        assert "swimming" in everything
        for private in PRIVATE:
            assert private not in everything
        (done,) = await harness.deliver(message("please forget me"))
        assert "deleted" in done
        everything = "\n".join(database.iterdump())
        assert "swimming" not in everything
        assert "stairs" not in everything
        await trained.store.erase(conversation)
        assert conversation not in "\n".join(database.iterdump())
    finally:
        await harness.stop()
