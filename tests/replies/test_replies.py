"""Choosing a wording, building a reply, rendering it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hipwise.errors import HipwiseError
from hipwise.knowledge import Fact, Knowledge, Reference
from hipwise.replies import Catalogue, Reply, ReplyBuilder
from hipwise.replies.render import plain_text, terminal
from hipwise.safety.regions import load_region
from hipwise.settings import Settings

RESPONSES: dict[str, list[dict[str, Any]]] = {
    "utter_ask_run": [
        {
            "text": "In general.",
            "metadata": {
                "kind": "answer",
                "title": "May I run?",
                "title20": "Run?",
                "facts": ["f.a"],
                "suggestions": ["ask_x"],
            },
        },
        {
            "text": "Easy.",
            "condition": [{"type": "slot", "name": "wording", "value": "simple"}],
            "metadata": {"simple": True},
        },
        {
            "text": "{activity} is not named.",
            "condition": [{"type": "slot", "name": "load", "value": "high"}],
            "metadata": {"facts": ["f.b"], "figure": "bone"},
        },
    ],
    "utter_ask_x": [
        {"text": "X. Call {emergency_number}.", "metadata": {"kind": "answer", "title": "What is X?", "facts": ["f.a"]}}
    ],
    "utter_citation": [{"text": "Source: S."}],
    "utter_figure_bone": [{"text": "A bone."}],
}


@pytest.fixture
def builder() -> ReplyBuilder:
    knowledge = Knowledge([Fact("f.a", "s", "A.", "r"), Fact("f.b", "s", "B.", "r")], [Reference("r", "R 2013", "R", None)])
    return ReplyBuilder(Catalogue(RESPONSES), knowledge, Settings(), load_region("US"))


def test_the_default_is_said_where_no_condition_holds(builder: ReplyBuilder) -> None:
    reply = builder.reply("ask_run", {"load": "low"})
    assert reply.text == "In general."
    assert reply.facts == ("f.a",)
    assert reply.suggestions[0].payload == "/ask_x"
    assert reply.suggestions[0].short == "What is X?"
    assert reply.citation == "Source: S."
    assert reply.figure is None


def test_a_variation_replaces_what_it_says_and_keeps_the_rest(builder: ReplyBuilder) -> None:
    reply = builder.reply("ask_run", {"load": "high", "activity": "running"})
    assert reply.text == "Running is not named."
    assert reply.facts == ("f.b",)
    assert reply.kind == "answer"
    assert reply.figure is not None
    assert reply.figure.url == "/figures/bone.svg"
    assert reply.figure.alt == "A bone."


def test_the_simpler_wording_comes_before_the_others(builder: ReplyBuilder) -> None:
    assert builder.reply("ask_run", {"load": "high", "activity": "running"}, simple=True).text == "Easy."


def test_the_region_s_number_is_said(builder: ReplyBuilder) -> None:
    assert builder.reply("ask_x").text == "X. Call 911."


@pytest.mark.parametrize(
    ("region", "number"), [("UK", "999"), ("uk", "999"), ("EU", "112"), ("NZ", "your local emergency number")]
)
def test_regions(region: str, number: str) -> None:
    assert load_region(region).emergency_number == number


@pytest.mark.parametrize("text", ["A {nothing}.", "A {activity}."])
def test_a_placeholder_without_a_value_is_an_error(text: str, builder: ReplyBuilder) -> None:
    builder.catalogue = Catalogue(
        {**RESPONSES, "utter_ask_y": [{"text": text, "metadata": {"kind": "answer", "facts": ["f.a"]}}]}
    )
    with pytest.raises(HipwiseError, match="placeholder"):
        builder.reply("ask_y")


def test_an_unknown_kind_is_an_error(builder: ReplyBuilder) -> None:
    builder.catalogue = Catalogue({"utter_ask_y": [{"text": "Y.", "metadata": {"kind": "guess"}}]})
    with pytest.raises(HipwiseError, match="'guess'"):
        builder.reply("ask_y")


def test_a_reply_survives_rasa_s_events(builder: ReplyBuilder) -> None:
    reply = builder.reply("ask_run", {"load": "high", "activity": "running"})
    again = Reply.from_state(json.loads(json.dumps(reply.to_state())))
    assert again == reply
    assert set(reply.as_dict()) == {"text", "kind", "facts", "references", "suggestions", "figure", "topic", "lang"}


def test_text_and_citation_have_no_blank_line_between_them(builder: ReplyBuilder) -> None:
    assert plain_text(builder.reply("ask_run")) == "In general.\nSource: S."


def test_an_emergency_is_marked_by_more_than_colour() -> None:
    reply = Reply(text="Call 911.", kind="urgent")
    assert "EMERGENCY" in terminal(reply)
    assert "\x1b[" not in terminal(reply)
    assert "\x1b[1;31m" in terminal(reply, colour=True)
