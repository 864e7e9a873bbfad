"""Decides which questions a message asks: one, or up to three in the order they were asked."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from hipwise.nlu import text as textual
from hipwise.nlu.question_splitter import QUESTION_FLAGS, SEGMENTS, asks

QUESTIONS = "questions"
# What is said around a question and needs no reply of its own beside it.
_ASIDE = ("smalltalk_", "clarify_", "follow_up_", "service_")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class QuestionSelector(GraphComponent):  # type: ignore[misc]
    """Sets ``questions`` and moves ``intent`` to the first of them.

    Options:
        most: how many questions are answered.
        threshold: the score a part of a message must have to be a question of its own.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"most": 3, "threshold": 0.3}

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the options."""
        self._config = config

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> QuestionSelector:
        """Make the component."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``questions`` on each message, and ``intent`` and ``intent_ranking`` from the first."""
        for message in messages:
            results = message.get("results") or [[]]
            questions, ranking = self.select(message, results)
            message.set(QUESTIONS, questions, add_to_output=True)
            if ranking:
                message.set(INTENT, dict(ranking[0]), add_to_output=True)
                message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def select(
        self, message: Message, results: list[list[dict[str, Any]]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the questions, and the ranking of the first."""
        whole = results[0]
        texts = message.get(SEGMENTS) or []
        flags = message.get(QUESTION_FLAGS) or []
        threshold = self._config["threshold"]
        chosen: list[tuple[str, list[dict[str, Any]]]] = []
        for text, flag, ranking in zip(texts, flags, results[1:], strict=False):
            if not flag or not ranking or ranking[0]["confidence"] < threshold:
                continue
            if ranking[0]["name"].startswith(_ASIDE):
                continue
            if any(ranking[0]["name"] == other[0]["name"] for _, other in chosen):
                continue
            chosen.append((text, ranking))
        if len(chosen) == 1 and whole and whole[0]["confidence"] >= chosen[0][1][0]["confidence"]:
            chosen = []
        if not chosen:
            chosen = [(message.get(TEXT) or "", whole)] if whole else []
        chosen = chosen[: int(self._config["most"])]
        questions = [
            {
                "text": text,
                "intent": ranking[0]["name"],
                "confidence": ranking[0]["confidence"],
                # After emergency advice only what was really asked is answered, not what a story sounded like.
                "asks": asks(textual.plain(text)),
            }
            for text, ranking in chosen
        ]
        return questions, chosen[0][1] if chosen else []
