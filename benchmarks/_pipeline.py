"""The shipped NLU pipeline, trained and asked without Rasa's graph runner around it.

The components, their order and their options are those of ``config.yml``; each is created, trained and loaded again from what
it stored, as Rasa does.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.yaml_files import read_yaml

CONFIG = Path(__file__).resolve().parent.parent / "config.yml"


def pipeline_of(config: Path = CONFIG, leave_out: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the pipeline section, without the components whose class names are in ``leave_out``."""
    names = set(leave_out)
    return [dict(part) for part in read_yaml(config)["pipeline"] if part["name"].rpartition(".")[2] not in names]


class Pipeline:
    """A trained pipeline.

    Args:
        parts: the pipeline section of a configuration; ``module.Class`` names.
        training_data: what to train on; its messages are changed.
    """

    def __init__(self, parts: list[dict[str, Any]], training_data: TrainingData) -> None:
        """Train every component in turn."""
        self._folder = tempfile.TemporaryDirectory(prefix="hipwise-benchmark-")
        storage = LocalModelStorage.create(Path(self._folder.name))
        context = ExecutionContext(graph_schema=GraphSchema({}), model_id="benchmark")
        self.components: list[Any] = []
        for number, part in enumerate(parts):
            options = dict(part)
            module, _, name = options.pop("name").rpartition(".")
            kind = getattr(importlib.import_module(module), name)
            config = {**kind.get_default_config(), **options}
            resource = Resource(f"{number}_{name}")
            component = kind.create(config, storage, resource, context)
            if hasattr(component, "train"):
                resource = component.train(training_data) or resource
                component = kind.load(config, storage, resource, context)
            if hasattr(component, "process_training_data"):
                training_data = component.process_training_data(training_data) or training_data
            self.components.append(component)

    def parse(self, text: str) -> Message:
        """Return the message after the last component."""
        messages = [Message.build(text=text)]
        for component in self.components:
            messages = component.process(messages)
        return messages[0]


def training_data_of(texts: Iterable[str], intents: Iterable[str], like: TrainingData | None = None) -> TrainingData:
    """Return training data of labelled sentences, with the lookup tables and synonyms of ``like``."""
    examples = [Message.build(text=text, intent=intent) for text, intent in zip(texts, intents, strict=True)]
    if like is None:
        return TrainingData(examples)
    return TrainingData(examples, entity_synonyms=like.entity_synonyms, lookup_tables=like.lookup_tables)
