"""A small trained pipeline: every component of ``config.yml`` that understands, on a handful of sentences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

EXAMPLES = {
    "ask_duration": [
        "how long does it last",
        "how many months until it is over",
        "when will this be over",
        "duration",
        "how long will my hip take to heal",
        "is it weeks or months",
    ],
    "ask_water_exercise": [
        "can I swim",
        "is swimming allowed",
        "may I go to the pool",
        "is aqua jogging ok",
        "swimming with this hip",
        "can I do exercises in water",
    ],
    "ask_walking_aids": [
        "do I need crutches",
        "crutches or a walker",
        "should I use a cane",
        "is a walking stick enough",
        "how do crutches help",
        "do I need a wheelchair",
    ],
    "ask_vitamin_d_calcium": [
        "should I take vitamin D",
        "does calcium help",
        "vitamin D and calcium",
        "is calcium good for the bone",
        "do vitamins help",
        "calcium tablets",
    ],
    "not_covered_alcohol": [
        "can I drink wine",
        "is beer bad for it",
        "alcohol and my hip",
        "may I have a glass of wine",
        "does drinking make it worse",
        "how about whisky",
    ],
    "not_covered_smoking": [
        "does smoking slow the healing",
        "should I stop smoking",
        "cigarettes and bones",
        "I smoke, is that bad",
        "is vaping better",
        "smoking and my hip",
    ],
    "smalltalk_greet": ["hello", "hi", "good morning", "hey there", "hi doc", "good evening"],
    "red_flag": ["I fell and now I cannot stand", "my leg is shorter and turned out", "I have a fever and my hip is hot"],
}
LOOKUPS = [
    {"name": "activity.water", "elements": ["swimming", "swim", "aqua jogging", "the pool", "pool"]},
    {"name": "activity.weight_bearing", "elements": ["running", "jogging", "go for a run"]},
    {"name": "aid.named", "elements": ["crutches", "walker", "cane", "walking stick"]},
    {"name": "concept.drink", "elements": ["wine", "beer", "whisky"]},
]
SYNONYMS = {"swim": "swimming", "the pool": "swimming", "pool": "swimming", "jogging": "running", "go for a run": "running"}
SAFETY = ["red_flag", "crisis", "look_alike", "other_language"]


def training_data() -> TrainingData:
    """Return fresh training data; components change its messages."""
    messages = [Message.build(text=text, intent=intent) for intent, texts in EXAMPLES.items() for text in texts]
    return TrainingData(messages, entity_synonyms=dict(SYNONYMS), lookup_tables=[dict(table) for table in LOOKUPS])


def pipeline() -> list[tuple[type[Any], dict[str, Any]]]:
    """Return each component's class and options, in the order of ``config.yml``."""
    from hipwise.nlu.intent_classifier import IntentClassifier
    from hipwise.nlu.intent_gate import IntentGate
    from hipwise.nlu.language_detector import LanguageDetector
    from hipwise.nlu.question_selector import QuestionSelector
    from hipwise.nlu.question_splitter import QuestionSplitter
    from hipwise.nlu.sentence_encoder import SentenceEncoder
    from hipwise.nlu.sparse_featurizer import SparseFeaturizer
    from hipwise.nlu.spelling_normalizer import SpellingNormalizer
    from hipwise.nlu.term_extractor import TermExtractor

    groups = ["ask_", "not_covered_", "smalltalk_"]
    fixed = {"threshold": 0.05, "answer_weight": 0.6}
    return [
        (LanguageDetector, {}),
        (SpellingNormalizer, {}),
        (QuestionSplitter, {}),
        (TermExtractor, {}),
        (SentenceEncoder, {}),
        (SparseFeaturizer, {"exclude_intents": SAFETY}),
        (IntentClassifier, {"exclude_intents": SAFETY, "groups": groups}),
        (QuestionSelector, {**fixed, "part": 0.1}),
        (IntentGate, {"threshold": 0.05}),
    ]


class Trained:
    """The pipeline after training: the components as trained, and as loaded from what they stored."""

    def __init__(self, folder: Path) -> None:
        """Train everything once."""
        self.fresh: list[Any] = []
        self.loaded: list[Any] = []
        self.fingerprints: list[str] = []
        storage = LocalModelStorage.create(folder)
        context = ExecutionContext(graph_schema=GraphSchema({}), model_id="test")
        data = training_data()
        for kind, options in pipeline():
            config = {**kind.get_default_config(), **options}
            resource = Resource(kind.__name__)
            component = loaded = kind.create(config, storage, resource, context)
            if hasattr(component, "train"):
                resource = component.train(data)
                loaded = kind.load(config, storage, resource, context)
                self.fingerprints.append(resource.output_fingerprint)
            if hasattr(component, "process_training_data"):
                data = component.process_training_data(data)
            self.fresh.append(component)
            self.loaded.append(loaded)
        self.data = data

    def before(self, number: int, text: str) -> Message:
        """Return a message as it is before the component with this number."""
        message = Message.build(text=text)
        for component in self.loaded[:number]:
            message = component.process([message])[0]
        return message

    def parse(self, text: str) -> Message:
        """Return a message after the last component."""
        return self.before(len(self.loaded), text)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return the small pipeline, trained once."""
    return Trained(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def trained_again(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return the same pipeline, trained a second time from nothing."""
    return Trained(tmp_path_factory.mktemp("again"))


@pytest.fixture
def parse(trained: Trained) -> Callable[[str], Message]:
    """Return a function that parses a text."""
    return trained.parse
