"""Says the last topic in simpler words."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, utter


class ActionSimplify(Action):
    """Says the last topic's simpler variation; without a topic, asks what was hard to understand."""

    def name(self) -> str:
        return "action_simplify"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        topic = tracker.get_slot("topic")
        slots = {name: tracker.get_slot(name) for name in ("activity", "activity_load")}
        say = builder()
        utter(dispatcher, say.reply(topic, slots, simple=True) if topic else say.reply("service_simpler_nothing"))
        return []
