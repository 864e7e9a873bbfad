"""Answers what was asked, with its references."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import answer_all, intent_of, questions_of


class ActionAnswer(Action):
    """Says the response of each question in the message, in order."""

    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        intent = intent_of(tracker)
        questions = questions_of(tracker)
        # A pressed button has an intent and no questions; a single question is what the intent says it is.
        if len(questions) < 2:
            questions = [{"intent": intent}]
        return answer_all(dispatcher, tracker, questions)
