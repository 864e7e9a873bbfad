"""Says first what to do in an emergency, then still answers."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import answer_all, builder, intent_of, parse_data, questions_of, utter

#: Said after an emergency only if asked clearly: a fallback or a greeting after "call 911" would blur it.
_ANSWERABLE = ("ask_", "not_covered_", "refer_")


class ActionUrgent(Action):
    """Says the response of the most urgent red flag, then answers the questions that came with it."""

    def name(self) -> str:
        return "action_urgent"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        safety = parse_data(tracker).get("safety") or {}
        says = safety.get("says") or ["utter_red_flag_self_harm" if intent_of(tracker) == "crisis" else "utter_red_flag_general"]
        replies = [builder().reply(name.removeprefix("utter_")) for name in says]
        # The most urgent group speaks for all of its level. Someone who has taken an overdose to die needs both: the crisis
        # line and the ambulance.
        first_of_level = {reply.kind: reply for reply in reversed(replies)}
        for reply in sorted(first_of_level.values(), key=replies.index):
            utter(dispatcher, reply)
        questions = [q for q in questions_of(tracker) if q.get("asks") and q["intent"].startswith(_ANSWERABLE)]
        return answer_all(dispatcher, tracker, questions) if questions else []
