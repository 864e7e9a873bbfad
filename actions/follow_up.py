"""Understands "why?" and "tell me more" from the topic before."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, intent_of, remember, utter


class ActionFollowUp(Action):
    """Says the topic that the last topic's response names under ``why`` or ``more``."""

    def name(self) -> str:
        return "action_follow_up"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        intent = intent_of(tracker)
        say = builder()
        topic = tracker.get_slot("topic")
        leads_to = say.catalogue.about(topic).get(intent.removeprefix("follow_up_")) if topic else None
        reply = say.reply(leads_to or intent)
        utter(dispatcher, reply)
        return remember(reply, {})
