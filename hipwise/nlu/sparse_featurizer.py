"""Sparse features: n-grams of characters, words and pairs of words, and the lookup tables that matched."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix

from hipwise.nlu import text as textual
from hipwise.nlu.term_extractor import SEGMENT_TERMS
from hipwise.nlu.vectors import KEY, Vectors

_FILE = "sparse.json"
_WORDS, _LONGEST = 4096, 30


class Block:
    """One kind of sparse feature: its vocabulary and the weight of each entry."""

    def __init__(self, vocabulary: dict[str, int], idf: list[float]) -> None:
        self.vocabulary = vocabulary
        self.idf = idf

    @classmethod
    def learn(cls, documents: Iterable[Iterable[str]], least: int = 1, least_pairs: int = 1) -> Block:
        """Learn the tokens that are in ``least`` of the documents; those with a blank inside must be in ``least_pairs`` of them."""
        count: Counter[str] = Counter()
        total = 0
        for tokens in documents:
            count.update(set(tokens))
            total += 1
        kept = sorted(token for token, times in count.items() if times >= (least_pairs if " " in token.strip() else least))
        return cls(
            {token: number for number, token in enumerate(kept)},
            [round(math.log((1 + total) / (1 + count[token])) + 1, 5) for token in kept],
        )

    def columns(self, tokens: Iterable[str]) -> list[int]:
        """Return the columns of those tokens that the block knows, one for each time."""
        found = map(self.vocabulary.get, tokens)
        return [column for column in found if column is not None]

    def row(self, columns: Iterable[int], weight: float, offset: int) -> tuple[list[int], list[float]]:
        """Return columns (from ``offset``) and values of one document: sublinear TF-IDF of length ``weight``."""
        count: dict[int, int] = {}
        for column in columns:
            count[column] = count.get(column, 0) + 1
        idf = self.idf
        values = [(1 + math.log(times)) * idf[column] if times > 1 else idf[column] for column, times in count.items()]
        length = math.sqrt(sum(value * value for value in values))
        factor = weight / length if length else 0.0
        return [offset + column for column in count], [value * factor for value in values]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SparseFeaturizer(GraphComponent):
    """Adds sparse rows to the message's vectors.

    Options:
        char_ngrams: shortest and longest n-gram of characters.
        char_weight, word_weight, term_weight: length of each block in a row; the dense row has length 1. Characters weigh
            more than cross-validation on clean sentences asks for, since real ones are misspelt.
        least_chars: in how many examples an n-gram of characters must be to count: the others take memory, and change nothing
            in cross-validation.
        least_pairs: in how many examples a pair of words must be to count.
        exclude_intents: intents whose examples do not teach the vocabulary.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {
            "char_ngrams": [2, 4],
            "char_weight": 0.7,
            "word_weight": 0.35,
            "term_weight": 0.5,
            "least_chars": 2,
            "least_pairs": 2,
            "exclude_intents": [],
        }

    def __init__(
        self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, blocks: list[Block] | None = None
    ) -> None:
        """Keep the options and, when loaded, the three blocks: characters, words, terms."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._set(blocks or [Block({}, []) for _ in range(3)])

    def _set(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        shortest, longest = self._config["char_ngrams"]

        def columns(word: str) -> tuple[int, ...]:
            return tuple(blocks[0].columns(textual.char_ngrams([word], shortest, longest)))

        # Looking n-grams up was half of this component's time, and most words come again. Whoever types a thousand letters
        # without a blank does not fill the memory with them.
        kept = lru_cache(maxsize=_WORDS)(columns)
        self._columns_of = lambda word: kept(word) if len(word) <= _LONGEST else columns(word)

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SparseFeaturizer:
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
    ) -> SparseFeaturizer:
        """Read the vocabularies."""
        with model_storage.read_from(resource) as folder:
            saved = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        blocks = [Block({token: n for n, token in enumerate(block["tokens"])}, block["idf"]) for block in saved]
        return cls(config, model_storage, resource, blocks)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn the vocabularies from the examples that have an intent."""
        excluded = set(self._config["exclude_intents"])
        examples = [
            (_of(message).texts[0], message.get("terms") or [])
            for message in training_data.training_examples
            if message.get(KEY) is not None and message.get(INTENT) and message.get(INTENT) not in excluded
        ]
        least = [(int(self._config["least_chars"]), 1), (1, int(self._config["least_pairs"])), (1, 1)]
        tokens = [self._tokens(text, terms) for text, terms in examples]
        self._set([Block.learn((parts[number] for parts in tokens), *least[number]) for number in range(3)])
        saved = [{"tokens": list(block.vocabulary), "idf": block.idf} for block in self._blocks]
        with self._model_storage.write_to(self._resource) as folder:
            (folder / _FILE).write_text(json.dumps(saved, ensure_ascii=False), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the rows of every example."""
        self.process([message for message in training_data.training_examples if message.get(KEY) is not None])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the rows of each message."""
        for message in messages:
            vectors = _of(message)
            segments = message.get(SEGMENT_TERMS) or []
            terms = [message.get("terms") or [], *segments]
            message.set(KEY, Vectors(vectors.texts, vectors.dense, self._rows(vectors.texts, terms), vectors.all_of_it))
        return messages

    def _tokens(self, text: str, terms: list[str]) -> tuple[list[str], list[str], list[str]]:
        found = textual.words(text)
        shortest, longest = self._config["char_ngrams"]
        return list(textual.char_ngrams(found, shortest, longest)), _words(found), terms

    def _columns(self, text: str, terms: list[str]) -> list[Iterable[int]]:
        found = textual.words(text)
        _, words, lookups = self._blocks
        return [chain.from_iterable(map(self._columns_of, found)), words.columns(_words(found)), lookups.columns(terms)]

    def _rows(self, texts: list[str], terms: list[list[str]]) -> csr_matrix:
        weights = (self._config["char_weight"], self._config["word_weight"], self._config["term_weight"])
        columns: list[int] = []
        values: list[float] = []
        ends = [0]
        for number, text in enumerate(texts):
            offset = 0
            parts = self._columns(text, terms[number] if number < len(terms) else [])
            for block, known, weight in zip(self._blocks, parts, weights, strict=True):
                more_columns, more_values = block.row(known, weight, offset)
                columns += more_columns
                values += more_values
                offset += len(block.idf)
            ends.append(len(columns))
        return csr_matrix(
            (np.array(values, dtype=np.float32), np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)),
            shape=(len(texts), sum(len(block.idf) for block in self._blocks)),
        )


def _words(found: list[str]) -> list[str]:
    """Return words and pairs of words."""
    return found + [f"{first} {second}" for first, second in pairwise(found)]


def _of(message: Message) -> Vectors:
    vectors: Vectors = message.get(KEY)
    return vectors
