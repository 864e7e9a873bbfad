"""Decides last: answer, say that the source does not cover it, ask back, or put safety first."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message

FALLBACK = "nlu_fallback"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class IntentGate(GraphComponent):  # type: ignore[misc]
    """Applies the thresholds to the classifier's ranking.

    Options:
        threshold: a best score below it becomes ``nlu_fallback``.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"threshold": 0.2}

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the options."""
        self._config = config

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> IntentGate:
        """Make the component."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the final intent."""
        for message in messages:
            intent = message.get(INTENT) or {}
            if intent.get("confidence", 0.0) < self._config["threshold"]:
                message.set(INTENT, {"name": FALLBACK, "confidence": 1.0 - intent.get("confidence", 0.0)}, add_to_output=True)
            safety = message.get("safety")
            if safety:
                name = "crisis" if safety.get("level") == "crisis" else "red_flag"
                message.set(INTENT, {"name": name, "confidence": 1.0}, add_to_output=True)
        return messages
