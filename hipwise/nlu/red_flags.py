"""The safety check as the first component of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from hipwise.paths import KNOWLEDGE
from hipwise.safety import SafetyCheck

#: The key of a message (and of a parse result) under which a finding stands; absent where nothing was found.
SAFETY = "safety"
#: The same as a `SafetyFinding`, for the RedFlagClassifier; None where nothing fired.
FINDING = "safety_finding"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class RedFlagDetector(GraphComponent):  # type: ignore[misc, unused-ignore]
    """Sets ``safety`` on a message that speaks of an emergency or a crisis, by the rules of knowledge/safety.yml.

    The value is ``{"level": "urgent" | "crisis", "groups": [...], "matched": [labels of cues], "says": [responses],
    "source": "rules"}``. It reads nothing but the message's text. Nothing after it takes a firm finding away. One that rests
    on possible cues alone is a question to the RedFlagClassifier, if the pipeline has it, and stands if it has not.

    It is registered as an entity extractor because of the kinds that Rasa knows only those run on messages alone, in the
    order of the pipeline, and leave training data as it is.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``rules``: path of the rules; empty: knowledge/safety.yml of the project."""
        return {"rules": ""}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> RedFlagDetector:
        """Raises HipwiseError when the rules cannot be read."""
        return cls(SafetyCheck.shared(Path(config["rules"]) if config.get("rules") else KNOWLEDGE / "safety.yml"))

    def __init__(self, check: SafetyCheck) -> None:
        self._check = check

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``safety`` where something fires."""
        for message in messages:
            finding = self._check.check(message.get(TEXT) or "")
            message.set(FINDING, finding)
            if finding is not None:
                message.set(SAFETY, finding.as_dict("rules"), add_to_output=True)
        return messages
