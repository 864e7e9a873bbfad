"""What the actions share: reading one turn off the tracker, and handing replies to the dispatcher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from hipwise.replies import Reply
from hipwise.replies.build import ReplyBuilder, default_builder
from hipwise.replies.render import plain_text

#: At most so many questions of one message are answered, in the order in which they were asked.
MOST_QUESTIONS = 3

#: Kinds after which "tell me more" and "why?" have something to refer to.
_TOPICAL = frozenset({"answer", "not_covered", "refer"})


def builder() -> ReplyBuilder:
    """Return the process's reply builder."""
    return default_builder()


def utter(dispatcher: CollectingDispatcher, reply: Reply) -> None:
    """Hand one reply to the channel.

    Text and citation are one message without a blank line: Rasa's own channels split at blank lines, which would tear an
    answer from what it rests on. The structured reply travels beside it for our channels; it goes into the event's metadata
    because ``custom`` would be printed as JSON by ``rasa shell``.
    """
    dispatcher.utter_message(
        text=plain_text(reply),
        buttons=[{"title": s.title, "payload": s.payload} for s in reply.suggestions],
        reply=reply.to_state(),
    )


def parse_data(tracker: Tracker) -> Mapping[str, Any]:
    """Return what NLU understood of the latest message."""
    return tracker.latest_message or {}


def intent_of(tracker: Tracker) -> str:
    """Return the name of the latest message's intent."""
    return str((parse_data(tracker).get("intent") or {}).get("name") or "nlu_fallback")


def questions_of(tracker: Tracker) -> list[dict[str, Any]]:
    """Return the questions in the latest message: ``{"intent", "text", "start", "end"}`` each, in order, none twice."""
    questions = []
    seen: set[str] = set()
    for question in parse_data(tracker).get("questions") or ():
        intent = question.get("intent")
        name = intent.get("name") if isinstance(intent, Mapping) else intent
        if name and name not in seen:
            seen.add(name)
            questions.append({**question, "intent": name})
    return questions


def entity_values(entities: Iterable[Mapping[str, Any]], within: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return what the entities say, as the names that conditions and placeholders in the domain use.

    ``activity`` with the role ``water`` becomes ``activity`` and ``activity_load``; ``medicine`` with the role
    ``bisphosphonate`` becomes ``medicine`` and ``medicine_class``; ``aid`` likewise.

    Args:
        entities: Rasa entities.
        within: a question with character offsets ``start`` and ``end``: only entities inside it count.
    """
    values: dict[str, str] = {}
    for entity in entities:
        if within and "start" in within and not within["start"] <= entity.get("start", 0) < within["end"]:
            continue
        name = entity["entity"]
        if name in values:
            continue
        values[name] = str(entity["value"])
        if role := entity.get("role"):
            values[_ROLE_SLOTS.get(name, f"{name}_role")] = role
    return values


_ROLE_SLOTS = {"activity": "activity_load", "medicine": "medicine_class", "aid": "aid_named", "group": "group_named"}


def remember(reply: Reply, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the events that keep what the next message may refer to."""
    events: list[dict[str, Any]] = []
    if reply.kind in _TOPICAL:
        events.append(SlotSet("topic", reply.topic))
    events.extend(SlotSet(name, values[name]) for name in ("activity", "activity_load") if name in values)
    return events


def answer_all(dispatcher: CollectingDispatcher, tracker: Tracker, intents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say the reply to each of these questions, up to three, and return the events that keep the topic."""
    entities = parse_data(tracker).get("entities") or ()
    events: list[dict[str, Any]] = []
    say = builder()
    for question in intents[:MOST_QUESTIONS]:
        values = entity_values(entities, question if len(intents) > 1 else None)
        reply = say.reply(question["intent"], values)
        utter(dispatcher, reply)
        events = remember(reply, values) or events
    if len(intents) > MOST_QUESTIONS:
        utter(dispatcher, say.reply("and_more_questions"))
    return events
