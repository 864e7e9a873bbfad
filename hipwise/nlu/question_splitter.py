"""Cuts a message into the sentences and clauses that may each be a question of their own.

It only proposes. What the pieces mean is classified in one batch with the whole text, and the `QuestionSelector` decides.
A cut needs more than "and": the next words must open a question, so "crutches and a walker" stays whole.
"""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from hipwise.nlu import text as textual
from hipwise.nlu.spelling_normalizer import PLAIN

SEGMENTS = "segments"
QUESTION_FLAGS = "segment_is_question"
#: Words that a part which asks nothing must have to be looked at for itself.
STATEMENT = 3

_PRONOUN = (
    r"(?:i|you|u|he|she|it|we|they|this|that|these|those|there|any(?:one|body|thing)|some(?:one|body|thing)|every(?:one|body))"
)
# Whom or what a question is about, after its verb: "wasn't she" asks, "wasn't able to" tells.
_SUBJECT = rf"(?:{_PRONOUN}|the|my|your|his|her|our|their|one|people|men|women|patients|most|other)"
# "can't put my foot down" and "don't understand" tell, at the beginning of a sentence too; "it hurts, when I stand" goes on.
_NEGATED = (
    rf"(?:can't|couldn't|isn't|aren't|wasn't|doesn't|don't|didn't|shouldn't|won't|wouldn't)(?=\s+{_SUBJECT}\b)"
)
_WHEN = (
    r"(?:when|where)(?=\s+(?:can|could|will|would|do|does|did|is|are|was|should|shall|might|may|am|have|has|to|exactly|else|on|in)\b)"
)
_ALWAYS = (
    r"how|what|what's|whats|where's|why|who's|whose|whether|shall|if i|tell me|explain|any (?:chance|idea|advice|tips)"
    r"|i (?:want to|wanna) know|i'd like to know|i wonder|i'm wondering"
)
# The words that a question begins with.
_OPENERS = (
    rf"(?:{_ALWAYS}|{_NEGATED}|{_WHEN}|who|which|may|might|must|should|will|would|could|do|does|did|can(?!')|is|are|was|were|has|have"
    r"|am(?=\s+i\b))"
)
# After a comma or "and" the same words often go on with what is told: "and is shorter than the good one" was cut off as a
# question, and the second half of the red flag with it.
_TELLS = (
    r"(?:not|no|never|now|still|so|very|really|just|only|always|also|too|quite|then|about|in|on|at|back|off|up|down|out|getting"
    r"|going|be|being|been|have|gone|because|suddenly|completely|totally|badly|unable|worse|swollen|numb|hot|red|bleeding|crying"
    r"|screaming|hardly|barely|feel|see|hear|\w+er than)"
)
_GOING_ON = (
    rf"(?:{_ALWAYS}|{_NEGATED}|{_WHEN}|(?:may|might|must|should|will|would|could|do|does|can(?!')|is|are)(?!\s+{_TELLS}\b)"
    rf"|(?:was|were|did)(?=\s+{_SUBJECT}\b)|(?:has|have)(?=\s+{_PRONOUN}\b)|am(?=\s+i\b)"
    r"|who(?!\s+(?:said|says|told|was|had|works|thinks|lives|i|he|she|they|we)\b)"
    r"|which(?!\s+(?:was|were|has|had|i|he|she|they|we|makes|made|means|meant|my)\b))"
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|(?<=[?!])(?=[^\s?!.\"')])|\n+|\s+-\s+")
_ABBREVIATION = re.compile(r"\b(?:dr|mr|mrs|ms|e\.g|i\.e|vs|approx|st|no|etc)\.$")
_CONJUNCTION = r"(?:\s*,\s*(?:and|or|but|so|also|plus|then)?|\s+(?:and|or|but|also|plus|n|&|\+)|\s*/)"
_CLAUSE = re.compile(rf"{_CONJUNCTION}\s*(?:also\s+|then\s+|so\s+|if (?:so|not|yes)\s*,?\s*)?\s(?={_GOING_ON}\b)")
_BEFORE = "and|or|but|so|also|ok|okay|well|hi|hello|hey|please|sorry|just|then|my question is|question"
_STARTS = re.compile(rf"^(?:(?:{_BEFORE})[\s,:]+)*{_OPENERS}\b")
_ASKS = re.compile(
    r"\?|\b(?:tell me|explain|wonder(?:ing)?|my question|question is|curious|information (?:on|about)|tips|any idea"
    r"|i (?:just |only |really )?(?:want|need|would like|wanted|'d like) to (?:know|ask|understand)"
    r"|not sure (?:if|whether|what|how)|no idea (?:if|whether|what|how|why)|need (?:advice|info|information)"
    r"|don't (?:know|understand) (?:if|whether|what|how|why|when))\b"
)
_DENIES = re.compile(r"\b(?:not asking|(?:don't|do not) (?:want|need) to (?:know|ask)|not a question)\b")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class QuestionSplitter(GraphComponent):
    """Sets ``segments`` where a message has more than one part, and one of them asks something.

    Options:
        most: how many segments a message may have; questions are kept before statements.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options."""
        return {"most": 8}

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the options."""
        self._config = config

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> QuestionSplitter:
        """Make the component."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set ``segments`` and, for each, whether it reads like a question."""
        for message in messages:
            plain = message.get(PLAIN)
            found = parts(plain if isinstance(plain, str) else textual.plain(message.get(TEXT) or ""), int(self._config["most"]))
            message.set(SEGMENTS, [segment for segment, _ in found])
            message.set(QUESTION_FLAGS, [question for _, question in found])
        return messages


def parts(plain: str, most: int | None = None) -> list[tuple[str, bool]]:
    """Return the parts of a text that are worth being looked at apart, and whether each reads like a question.

    Where nothing asks, the whole says all; and a word or two ("Hello!") are not worth being computed apart. Of more than
    ``most`` parts, questions are kept before statements, and the last before the first.
    """
    found = [(segment, asks(segment)) for segment in split(plain)]
    if most is not None and len(found) > most:
        order = sorted(range(len(found)), key=lambda number: (not found[number][1], -number))[:most]
        found = [found[number] for number in sorted(order)]
    if len(found) < 2 or not any(question for _, question in found):
        return []
    return [(segment, question) for segment, question in found if question or len(segment.split()) >= STATEMENT]


def split(plain: str) -> list[str]:
    """Return the parts of a text in the plain form of `hipwise.nlu.text.plain`, in order."""
    sentences: list[str] = []
    for part in _SENTENCE.split(plain):
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] += " " + part
        else:
            sentences.append(part)
    parts: list[str] = []
    for sentence in sentences:
        parts += _CLAUSE.split(sentence)
    return [part for part in (piece.strip(" ,;-") for piece in parts) if textual.WORD.search(part)]


def asks(segment: str) -> bool:
    """Return whether a part reads like a question or a request to be told something."""
    return bool(_STARTS.search(segment) or _ASKS.search(segment)) and not _DENIES.search(segment)
