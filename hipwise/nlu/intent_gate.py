"""Decides last: safety first, then the language, then whether the classifier is sure enough to act on."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message

from hipwise.nlu.decision import option
from hipwise.nlu.language_detector import ENGLISH, LANGUAGE, OTHER_LANGUAGE

FALLBACK = "nlu_fallback"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class IntentGate(GraphComponent):
    """Sets the final ``intent``. ``intent_ranking`` and ``questions`` keep what the classifier says.

    Options:
        threshold: a score below it becomes ``nlu_fallback``; None: from cross-validation.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"threshold": None}

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the options."""
        self._threshold = option(config, "threshold")

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> IntentGate:
        """Make the component."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the final intent of each message."""
        for message in messages:
            message.set(INTENT, self._decide(message), add_to_output=True)
        return messages

    def _decide(self, message: Message) -> dict[str, Any]:
        safety = message.get("safety")
        if safety:
            return {"name": "crisis" if safety.get("level") == "crisis" else "red_flag", "confidence": 1.0}
        if message.get(LANGUAGE, ENGLISH) != ENGLISH:
            return {"name": OTHER_LANGUAGE, "confidence": 1.0}
        intent = message.get(INTENT) or {"name": None, "confidence": 0.0}
        sure = message.get("sure")
        if sure is None:
            sure = intent["confidence"] >= self._threshold
        if intent["name"] is None or not sure:
            return {"name": FALLBACK, "confidence": 1.0 - intent["confidence"]}
        return dict(intent)
