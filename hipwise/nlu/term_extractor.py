"""Finds the names in a message that change the answer: activities, medicines, tests, conditions, groups of people.

They come from the lookup tables and synonyms of the training data, and are found by spaCy's PhraseMatcher in the spelling
that the `SpellingNormalizer` put right.
"""

from __future__ import annotations

import json
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from hipwise.nlu import text as textual
from hipwise.nlu.question_splitter import SEGMENTS
from hipwise.nlu.spelling_normalizer import PLAIN

TERMS = "terms"
SEGMENT_TERMS = "segment_terms"
_FILE = "terms.json"
# Stands for every word that is in no phrase. spaCy's vocabulary keeps each string that it has seen for as long as it
# lives, so a server would collect its patients' words, and grow.
_OTHER = "_"


# Both kinds: in training its terms are features, in serving its entities are too.
@DefaultV1Recipe.register(
    [DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=True
)
class TermExtractor(GraphComponent):
    """Sets ``entities``, and ``terms``: the names of the tables that matched, for the `SparseFeaturizer`.

    A lookup table ``activity.water`` means entity ``activity`` with role ``water``. A table of ``hidden_tables`` gives
    features and no entity.

    Options:
        hidden_tables: names, or beginnings of names, of tables that are features only.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"hidden_tables": ["concept"]}

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, phrases: list[list[str]] | None = None
    ) -> None:
        """Keep the options and, when loaded, the phrases: words, table, value."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._learn(phrases or [])

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> TermExtractor:
        """Make an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TermExtractor:
        """Read the phrases."""
        with model_storage.read_from(resource) as folder:
            phrases = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return cls(config, model_storage, resource, phrases)

    def train(self, training_data: TrainingData) -> Resource:
        """Take the phrases from the lookup tables and their canonical values from the synonyms."""
        canonical = {textual.plain(variant): value for variant, value in training_data.entity_synonyms.items()}
        phrases: dict[tuple[str, str], list[str]] = {}
        for table in training_data.lookup_tables:
            elements = table["elements"]
            if isinstance(elements, str):
                raise ValueError(f"lookup table {table['name']}: list the words in the training data, not in a file")
            for element in elements:
                words = " ".join(textual.words(textual.plain(element)))
                value = canonical.get(textual.plain(element), element)
                if words:
                    phrases.setdefault((words, table["name"]), [words, table["name"], value])
        ordered = [phrases[key] for key in sorted(phrases)]
        self._learn(ordered)
        with self._model_storage.write_to(self._resource) as folder:
            (folder / _FILE).write_text(json.dumps(ordered, ensure_ascii=False), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Set ``terms`` on every example; entities are left as annotated."""
        for message in training_data.training_examples:
            if message.get(TEXT):
                message.set(TERMS, self._tables(_plain(message)))
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``entities`` and ``terms`` on each message, and the terms of each segment."""
        hidden = tuple(self._config["hidden_tables"])
        for message in messages:
            typed = message.get(TEXT) or ""
            plain = _plain(message)
            found = self.find(plain)
            entities = []
            for first, last, table, value in found:
                if hidden and table.startswith(hidden):
                    continue
                start, end = _place(typed, plain, first, last)
                kind, _, role = table.partition(".")
                entity = {"entity": kind, "value": value, "start": start, "end": end, "extractor": "TermExtractor"}
                if role:
                    entity["role"] = role
                entities.append(entity)
            message.set(ENTITIES, (message.get(ENTITIES) or []) + entities, add_to_output=True)
            message.set(TERMS, sorted({table for _, _, table, _ in found}))
            message.set(SEGMENT_TERMS, [self._tables(segment) for segment in message.get(SEGMENTS) or ()])
        return messages

    def _tables(self, plain: str) -> list[str]:
        return sorted({table for _, _, table, _ in self.find(plain)})

    def _learn(self, phrases: list[list[str]]) -> None:
        self._vocab = vocab = Vocab()
        self._meanings = {f"{table}\0{value}": (table, value) for _, table, value in phrases}
        self._words = frozenset(word for words, _, _ in phrases for word in words.split(" "))
        by_meaning: dict[str, list[Doc]] = {}
        for words, table, value in phrases:
            by_meaning.setdefault(f"{table}\0{value}", []).append(Doc(vocab, words=words.split(" ")))
        self._matcher = PhraseMatcher(vocab)
        for meaning, docs in by_meaning.items():
            self._matcher.add(meaning, docs)

    def find(self, plain: str) -> list[tuple[int, int, str, str]]:
        """Return the longest phrases in ``plain``: number of the first word, of the one after the last, table, value.

        A phrase may stand in several tables; then each is returned. Of phrases that overlap the first counts, and of those
        that begin at one word the longest: "walking frame" is no walk.
        """
        words = textual.words(plain)
        if not words or not self._meanings:
            return []
        doc = Doc(self._vocab, words=[word if word in self._words else _OTHER for word in words])
        found: list[tuple[int, int, str, str]] = []
        for key, first, last in sorted(self._matcher(doc), key=lambda match: (match[1], -match[2])):
            if not found or first >= found[-1][1] or (first, last) == found[-1][:2]:
                found.append((first, last, *self._meanings[self._vocab.strings[key]]))
        return sorted(found)


def _plain(message: Message) -> str:
    plain = message.get(PLAIN)
    return plain if isinstance(plain, str) else textual.plain(message.get(TEXT) or "")


def _place(typed: str, plain: str, first: int, last: int) -> tuple[int, int]:
    """Return where the words are in the text as typed; the whole text where corrections moved the words."""
    places = [match.span() for match in textual.WORD.finditer(typed)]
    if len(places) == len(textual.words(plain)):
        return places[first][0], places[last - 1][1]
    return 0, len(typed)
