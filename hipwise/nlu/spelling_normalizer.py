"""Puts misspelt words right before anything else looks at the message.

Only a word that is neither English nor known from the training data is touched, so "form" never becomes "from". What it may
become is a word of the domain, or one that the training examples use often.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.nlu import text as textual
from hipwise.nlu.lexicon import WordSet, frequent
from hipwise.nlu.wordlists import BRITISH, DOMAIN, MEDICAL, SHORT_FORMS

PLAIN = "plain"
_WORDS = "words.json"
_ENGLISH = "english.npz"
_PIECE = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\S")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=True)
class SpellingNormalizer(GraphComponent):
    """Sets ``plain``: the text in lower case, misspelt words put right; ``text`` itself stays as it was typed.

    Options:
        domain_words: whether the built-in words of the domain count as known words.
        often: in how many training examples a word must be for others to be corrected into it.
        short_forms: whether "wat", "pls", "ur" and the like are written out.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"domain_words": True, "often": 4, "short_forms": True}

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        targets: dict[str, int] | None = None,
        english: WordSet | None = None,
    ) -> None:
        """Keep the options and, when loaded, the words to correct into and the words to leave alone."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._set(targets or {}, english or WordSet(np.zeros(0, dtype=np.uint32)))

    def _set(self, targets: dict[str, int], english: WordSet) -> None:
        self._targets = targets
        self._english = english
        self._by_length: dict[int, list[str]] = {}
        for word in targets:
            self._by_length.setdefault(len(word), []).append(word)
        self._sounds: dict[str, str] = {}
        for word in sorted(targets, key=lambda word: (targets[word], word)):
            if len(word) >= 6:
                self._sounds[sound(word)] = word
        # One cache for each trained component; its values depend on nothing but the word, so threads may share it.
        self._correct = lru_cache(maxsize=4096)(self._look_up)

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SpellingNormalizer:
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
    ) -> SpellingNormalizer:
        """Read the words."""
        with model_storage.read_from(resource) as folder:
            targets = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
            with np.load(folder / _ENGLISH, allow_pickle=False) as stored:
                english = WordSet(stored["hashes"])
        return cls(config, model_storage, resource, targets, english)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn which words are known and which are worth correcting into."""
        count: Counter[str] = Counter()
        for message in training_data.training_examples:
            if message.get(TEXT) and message.get(INTENT):
                count.update(set(textual.words(textual.plain(message.get(TEXT)))))
        everyday = set(frequent("en", 50)) | BRITISH | MEDICAL
        domain = set(DOMAIN) if self._config["domain_words"] else set()
        often = int(self._config["often"])
        targets = {word: times for word, times in count.items() if times >= often and len(word) >= 4 and word in everyday}
        targets.update({word: count[word] + often for word in domain})
        # A word that many examples use is a word, whatever the dictionary says (a brand, a drug, slang).
        known = everyday | domain | {word for word, times in count.items() if times >= 2 * often}
        self._set(dict(sorted(targets.items())), WordSet.of(known))
        with self._model_storage.write_to(self._resource) as folder:
            (folder / _WORDS).write_text(json.dumps(self._targets), encoding="utf-8")
            np.savez(folder / _ENGLISH, hashes=self._english.hashes)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Set ``plain`` on every example with text."""
        self.process([message for message in training_data.training_examples if message.get(TEXT)])
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``plain`` on each message."""
        for message in messages:
            message.set(PLAIN, self.normalize(message.get(TEXT) or ""))
        return messages

    def normalize(self, text: str) -> str:
        """Return ``text`` in lower case with misspelt words put right."""
        text = textual.plain(text)
        if not text.isascii() and sum(character.isascii() for character in text) < len(text) / 2:
            return text
        pieces: list[str] = []
        end = 0
        for match in textual.WORD.finditer(text):
            pieces.append(text[end : match.start()])
            pieces.append(self._correct(match.group()))
            end = match.end()
        pieces.append(text[end:])
        self._join(pieces)
        return "".join(pieces)

    def _join(self, pieces: list[str]) -> None:
        """Join two neighbours that are one word of the domain said in two ("fisio therapy"); ``pieces`` changes in place."""
        for first in range(1, len(pieces) - 2, 2):
            gap = pieces[first + 1]
            one, two = pieces[first], pieces[first + 2]
            if gap not in (" ", "-") or not (one and two) or len(one) + len(two) < 9 or not (one + two).isalpha():
                continue
            if one in self._english and two in self._english:
                continue
            whole = self._sounds.get(sound(one + two))
            if whole and whole not in (one, two) and OSA.distance(one + two, whole) <= 3:
                pieces[first : first + 3] = ["", "", whole]

    def _look_up(self, word: str) -> str:
        if self._config["short_forms"] and word in SHORT_FORMS:
            return SHORT_FORMS[word]
        if len(word) < 4 or not word.isascii() or not word.isalpha() or word in self._english or word in self._targets:
            return word
        length = len(word)
        allowed = 1 if length <= 6 else 2 if length <= 9 else 3
        near = [
            candidate for size in range(length - allowed, length + allowed + 1) for candidate in self._by_length.get(size, ())
        ]
        heard = self._sounds.get(sound(word)) if length >= 5 else None
        found = extract(word, near, scorer=OSA.distance, score_cutoff=allowed, limit=8)
        best = min(
            (
                # A slip seldom changes the first letter; two words as near as each other: the more usual one.
                (distance + (candidate[0] != word[0]) - (candidate == heard), -self._targets[candidate], candidate)
                for candidate, distance, _ in found
            ),
            default=None,
        )
        if best is not None and best[0] <= allowed:
            return best[2]
        if heard and OSA.distance(word, heard) <= max(2, length // 3):
            return heard
        return word


_SOUNDS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"[ck]+h?|q"), "k"),
    (re.compile(r"kw|ku(?=[aeiou])"), "k"),
    (re.compile(r"k(?=[eiy])"), "s"),
    (re.compile(r"z"), "s"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"th"), "t"),
    (re.compile(r"wh"), "w"),
    (re.compile(r"[aeiouy]+"), "a"),
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"(?<=.)h"), ""),
)


def sound(word: str) -> str:
    """Return how ``word`` roughly sounds: one letter for all vowels, one for each group of consonants that sound alike."""
    for pattern, replacement in _SOUNDS:
        word = pattern.sub(replacement, word)
    return word
