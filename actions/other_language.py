"""Says in the patient's language that only English is spoken so far, and where to turn in an emergency."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, parse_data, utter


class ActionOtherLanguage(Action):
    """Says ``utter_other_language_<code>``, or the plain English one for a language without its own."""

    def name(self) -> str:
        return "action_other_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        say = builder()
        topic = f"other_language_{parse_data(tracker).get('language')}"
        utter(dispatcher, say.reply(topic if say.catalogue.has(topic) else "other_language"))
        return []
