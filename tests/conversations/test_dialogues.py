"""Whole conversations with the trained assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hipwise.conversation import Conversations, MessageTooLong, clean
from hipwise.yaml_files import read_yaml

pytestmark = pytest.mark.model

DIALOGUES = read_yaml(Path(__file__).with_name("dialogues.yml"))["dialogues"]


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda d: d["name"])
async def test_dialogue(dialogue: dict[str, Any], conversations: Conversations) -> None:
    for text, expected in dialogue["turns"]:
        replies = await conversations.say(dialogue["name"], text, channel="test")
        said = ["{urgent}" if reply.kind in ("urgent", "crisis") else reply.topic for reply in replies]
        if expected == ["{any}"]:
            assert said, text
        else:
            assert said == expected, text


async def test_simpler_words_are_other_words(conversations: Conversations) -> None:
    first = await conversations.say("simpler", "how long does it last?", channel="test")
    simpler = await conversations.say("simpler", "I don't understand", channel="test")
    assert simpler[0].topic == first[0].topic
    assert simpler[0].text != first[0].text
    assert set(simpler[0].facts) <= set(first[0].facts)


async def test_the_activity_that_was_asked_about_is_named(conversations: Conversations) -> None:
    (reply,) = await conversations.say("named", "can I go cycling?", channel="test")
    assert "cycling" in reply.text
    assert "does not name" in reply.text
    assert reply.kind == "answer"


async def test_the_group_of_bisphosphonates_is_no_medicine_within_the_group(conversations: Conversations) -> None:
    """One of them alone was answered with "It names only the group that bisphosphonates belongs to: bisphosphonates"."""
    for text in ("do bisphosphonates help?", "is a bisphosphonate any use", "would bisfosfonates help me"):
        (reply,) = await conversations.say(f"group {text}", text, channel="test")
        assert reply.topic == "ask_bisphosphonates", text
        assert "does not name" not in reply.text, text
    (named,) = await conversations.say("drug", "is Fosamax any use?", channel="test")
    assert "does not name Fosamax" in named.text


async def test_an_aid_is_named_without_a_second_article(conversations: Conversations) -> None:
    (reply,) = await conversations.say("cane", "Would a cane take some of the load off?", channel="test")
    assert "cane" in reply.text
    assert "a a " not in reply.text


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "😀", "???", "\x00\x01", "\u200b\u200d"])
async def test_nothing_said_is_asked_back(text: str, conversations: Conversations) -> None:
    (reply,) = await conversations.say(f"empty {text!r}", text, channel="test")
    assert reply.kind == "clarify"
    assert reply.suggestions


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1000,
        "how long " * 111,
        "<script>alert(1)</script> **bold** [x](javascript:alert(1))",
        "как долго это длится",
        "多久会好",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 how long \u202e does it last",
        '/inform{"name": "x"}',
        "//// /ask_cause",
        "{0} {topic} %s ${jndi:ldap://x}",
        "'; DROP TABLE events; --",
        "\ud800 lone surrogate",
    ],
)
async def test_odd_input_gets_a_reply_and_the_conversation_goes_on(text: str, conversations: Conversations) -> None:
    replies = await conversations.say(f"odd {text[:20]!r}", text, channel="test")
    assert replies
    assert all(reply.text and "<script" not in reply.text for reply in replies)
    (after,) = await conversations.say(f"odd {text[:20]!r}", "how is it diagnosed?", channel="test")
    assert after.topic == "ask_diagnosis"


async def test_too_long_is_refused_but_a_red_flag_in_it_is_not_missed(conversations: Conversations) -> None:
    with pytest.raises(MessageTooLong) as caught:
        await conversations.say("long", "so it began in spring and " * 60, channel="test")
    assert [reply.topic for reply in caught.value.replies] == ["too_long"]
    text = "so it began in spring and " * 60 + " I just fell off a ladder and I cannot stand up any more"
    with pytest.raises(MessageTooLong) as caught:
        await conversations.say("long", text, channel="test")
    assert [reply.kind for reply in caught.value.replies] == ["urgent", "clarify"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [("/ask_cause", "ask_cause"), (" / /x", "x"), ("a\x00b\u202ec", "a bc"), ("e\u0301", "é"), ("a\nb", "a b")],
)
def test_clean(typed: str, words: str) -> None:
    assert clean(typed) == words
