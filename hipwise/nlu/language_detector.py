"""Tells another language from English.

Scripts other than Latin speak for themselves. In Latin letters a message is another language only where its words are
that language's and few are English; a message that is short, misspelt or full of drug names stays English, since a
patient who writes English badly must never be told to write English.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from hipwise.nlu import text as textual
from hipwise.nlu.lexicon import WordSet, frequent
from hipwise.nlu.wordlists import BRITISH, DOMAIN, FOREIGN, MEDICAL, SHORT_FORMS

LANGUAGE = "language"
ENGLISH = "en"
UNKNOWN = "und"
# The intent that such a message gets; its examples do not teach English.
OTHER_LANGUAGE = "other_language"

# The first that has most letters wins; ranges of Unicode blocks.
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ru", re.compile(r"[\u0400-\u052f]")),
    ("el", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
    ("pa", re.compile(r"[\u0a00-\u0a7f]")),
    ("gu", re.compile(r"[\u0a80-\u0aff]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("te", re.compile(r"[\u0c00-\u0c7f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("am", re.compile(r"[\u1200-\u137f]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
    ("km", re.compile(r"[\u1780-\u17ff]")),
    ("my", re.compile(r"[\u1000-\u109f]")),
)
# Letters that settle which of the languages in one script it is.
_PERSIAN = re.compile(r"[پچژگکی]")
_URDU = re.compile(r"[ٹڈڑںےہ]")
_UKRAINIAN = re.compile(r"[іїєґ]")
_LATIN = re.compile(r"[a-z\u00c0-\u024f\u1e00-\u1eff]")
_FROM_LISTS = {"es": 400, "fr": 400, "de": 400, "pt": 400, "it": 400, "nl": 400}
_MAXIMUM_WORDS = 60


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class LanguageDetector(GraphComponent):
    """Sets ``language``: an ISO 639-1 code, or ``und`` for another language that it cannot name."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options; there are none."""
        return {}

    def __init__(
        self,
        model_storage: ModelStorage,
        resource: Resource,
        english: WordSet | None = None,
        others: dict[str, WordSet] | None = None,
    ) -> None:
        """Keep the word sets, when loaded."""
        self._model_storage = model_storage
        self._resource = resource
        self._english = english or WordSet(np.zeros(0, dtype=np.uint32))
        self._others = others or {}
        self._marks = {language: frozenset(words) for language, words in FOREIGN.items()}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> LanguageDetector:
        """Make an untrained component."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LanguageDetector:
        """Read the word sets."""
        with model_storage.read_from(resource) as folder, np.load(folder / "languages.npz", allow_pickle=False) as stored:
            sets = {name: WordSet(stored[name]) for name in stored.files}
        return cls(model_storage, resource, sets.pop(ENGLISH), sets)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn English from a word list and the training examples, the others from their word lists."""
        seen: Counter[str] = Counter()
        for message in training_data.training_examples:
            if message.get(TEXT) and message.get(INTENT) and message.get(INTENT) != OTHER_LANGUAGE:
                seen.update(set(textual.words(textual.plain(message.get(TEXT)))))
        # Two examples are not enough: people who quote their doctor made "transitoria" an English word.
        # Nor are three where a word marks another language: broken English with words of one's own made "mi" one.
        own = {word for word, times in seen.items() if times > 2}.difference(*self._marks.values())
        # Short words are too often another language's ("la", "es", "mi") to take them from film subtitles.
        everyday = {word for word in frequent("en", 50) if len(word) > 3} | set(frequent("en", 20000))
        everyday |= BRITISH | DOMAIN | MEDICAL | set(SHORT_FORMS) | own
        self._english = WordSet.of(everyday)
        self._others = {
            language: WordSet.of(word for word in frequent(language, least) if len(word) > 1)
            for language, least in _FROM_LISTS.items()
        }
        with self._model_storage.write_to(self._resource) as folder:
            arrays = {ENGLISH: self._english.hashes} | {name: words.hashes for name, words in self._others.items()}
            np.savez(folder / "languages.npz", **arrays)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``language`` on each message."""
        for message in messages:
            message.set(LANGUAGE, self.detect(message.get(TEXT) or ""), add_to_output=True)
        return messages

    def detect(self, text: str) -> str:
        """Return the language of ``text``; ``en`` where it could be English."""
        text = textual.plain(text)
        latin = len(_LATIN.findall(text))
        if not text.isascii():
            counts = [(len(pattern.findall(text)), language) for language, pattern in _SCRIPTS]
            most, language = max(counts, key=lambda pair: pair[0])
            if language == "zh" and counts[0][0]:
                language = "ja"
            # Chinese says in one character what takes five letters.
            if most * (4 if language in ("zh", "ja", "ko") else 1) > latin:
                return _refine(language, text)
        found = textual.words(text)[:_MAXIMUM_WORDS]
        found = [word for word in found if not any(character.isdigit() for character in word)]
        if not found or latin < 4:
            return ENGLISH
        english = sum(word in self._english for word in found)
        foreign = len(found) - english
        if foreign < 0.4 * len(found):
            return ENGLISH
        scores = {language: self._hits(found, language) for language in self._marks}
        language = max(scores, key=lambda name: scores[name])
        hits = scores[language]
        # A single word must be a mark of the language, two or more must agree with each other.
        least = 1.0 if len(found) == 1 else 1.6
        if hits >= least and hits >= 0.5 * len(found) and hits > 0.6 * english:
            return language
        accented = sum(not word.isascii() for word in found)
        if accented >= 2 and foreign >= 0.7 * len(found):
            return language if hits >= 1 else UNKNOWN
        return ENGLISH

    def _hits(self, found: list[str], language: str) -> float:
        """Return how much of the words is the language's; one that English has too counts less."""
        marks, listed = self._marks[language], self._others.get(language)
        hits = 0.0
        for word in found:
            if word in marks:
                hits += 0.6 if word in self._english else 1.0
            elif listed is not None and word in listed and word not in self._english:
                hits += 0.8
        return hits


def _refine(language: str, text: str) -> str:
    if language == "ar" and _URDU.search(text):
        return "ur"
    if language == "ar" and _PERSIAN.search(text):
        return "fa"
    if language == "ru" and _UKRAINIAN.search(text):
        return "uk"
    return language
