"""Says first what to do in an emergency, then still answers."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import answer_all, builder, parse_data, questions_of, utter

#: Said after an emergency only if asked clearly: a fallback or a greeting after "call 911" would blur it.
_ANSWERABLE = ("ask_", "not_covered_", "refer_")


class ActionUrgent(Action):
    """Says the response of the most urgent red flag, then answers the questions that came with it."""

    def name(self) -> str:
        return "action_urgent"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        safety = parse_data(tracker).get("safety") or {}
        says = safety.get("says") or ("crisis" if safety.get("level") == "crisis" else "red_flag_general")
        utter(dispatcher, builder().reply(says.removeprefix("utter_")))
        questions = [q for q in questions_of(tracker) if q["intent"].startswith(_ANSWERABLE)]
        return answer_all(dispatcher, tracker, questions) if questions else []
