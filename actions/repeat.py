"""Says the last replies again."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions._turn import builder, utter
from hipwise.replies import Reply


class ActionRepeat(Action):
    """Repeats everything that was said in the turn before."""

    def name(self) -> str:
        return "action_repeat"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[dict[str, Any]]:
        replies = last_replies(tracker)
        for reply in replies:
            utter(dispatcher, reply)
        if not replies:
            utter(dispatcher, builder().reply("service_repeat_nothing"))
        return []


def last_replies(tracker: Tracker) -> list[Reply]:
    """Return the replies of the last turn in which there were any, oldest first."""
    found: list[Reply] = []
    for event in reversed(tracker.events):
        if event["event"] == "bot" and (state := (event.get("metadata") or {}).get("reply")):
            found.append(Reply.from_state(state))
        elif event["event"] == "user" and found:
            break
    return found[::-1]
