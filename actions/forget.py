"""Confirms that everything is erased."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import AllSlotsReset, Restarted
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, utter


class ActionForgetMe(Action):
    """Confirms the erasure and restarts the conversation.

    The store erases the events once the turn is over (:meth:`hipwise.conversation.Conversations.say`): Rasa saves the
    tracker after the action, so erasing here would be undone.
    """

    def name(self) -> str:
        return "action_forget_me"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        utter(dispatcher, builder().reply("service_forget_me"))
        return [AllSlotsReset(), Restarted()]


class ActionStartAgain(Action):
    """Forgets the topic and greets again."""

    def name(self) -> str:
        return "action_start_again"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        utter(dispatcher, builder().reply("service_start_again"))
        return [AllSlotsReset()]
