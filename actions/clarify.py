"""Asks back when a message was not understood well enough to answer."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, parse_data, utter


class ActionClarify(Action):
    """Says that it did not understand, and offers what NLU held likeliest as choices.

    It does not revert the message, as Rasa's ``action_default_fallback`` does: reverting replays the whole conversation on
    every later turn, and takes the patient's own words out of the transcript.
    """

    def name(self) -> str:
        return "action_clarify"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        say = builder()
        ranking = parse_data(tracker).get("intent_ranking") or ()
        likely = [entry["name"] for entry in ranking if str(entry.get("name", "")).startswith("ask_")]
        reply = say.reply("nlu_fallback", suggestions=likely[:3] or None)
        utter(dispatcher, reply)
        return []
