"""Asks what was missing, and takes the answer to that as feedback."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, utter


class ActionAskWhatIsMissing(Action):
    """Asks what the patient had hoped to read."""

    def name(self) -> str:
        return "action_ask_what_is_missing"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        utter(dispatcher, builder().reply("service_feedback_negative"))
        return [SlotSet("awaiting_feedback", True)]


class ActionKeepFeedback(Action):
    """Thanks for what could not be answered after "not helpful".

    The words themselves are kept by the conversation's store, which the clinic's insights read; an action has no store.
    """

    def name(self) -> str:
        return "action_keep_feedback"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        utter(dispatcher, builder().reply("service_feedback_kept"))
        return [SlotSet("awaiting_feedback", False)]
