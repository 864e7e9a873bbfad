"""How hard the replies are to read, by the measures that health writers use.

``python -m tests.content.readability`` prints the table that the README quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean

import textstat

from hipwise.replies.catalogue import Catalogue

#: The condition's own name costs about two grades and cannot be changed, so figures are given without it and with it.
_NAME = re.compile(r"transient osteoporosis of the hip|age-related osteoporosis|osteoporosis|\bTOH\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+")


@dataclass(frozen=True)
class Measured:
    """Flesch-Kincaid grade (US school years) and Flesch reading ease (0 to 100, more is easier) of one text."""

    name: str
    text: str
    grade: float
    ease: float
    raw_grade: float
    raw_ease: float
    longest_sentence: int


def neutral(text: str) -> str:
    """Return ``text`` with the condition's name as a word that everybody reads."""
    return _NAME.sub("this", text)


def sentences(text: str) -> list[str]:
    """Return the sentences of ``text``; a colon ends one too, since readers pause there."""
    return [sentence for sentence in _SENTENCE.split(" ".join(text.split())) if sentence]


def measure(name: str, text: str) -> Measured:
    """Measure one text."""
    return Measured(
        name=name,
        text=text,
        grade=textstat.flesch_kincaid_grade(neutral(text)),
        ease=textstat.flesch_reading_ease(neutral(text)),
        raw_grade=textstat.flesch_kincaid_grade(text),
        raw_ease=textstat.flesch_reading_ease(text),
        longest_sentence=max(len(re.findall(r"[\w'’{}-]+", sentence)) for sentence in sentences(text)),
    )


def answers(catalogue: Catalogue, kinds: Iterable[str] = ("answer",)) -> list[Measured]:
    """Measure every wording of every response of these kinds."""
    wanted = set(kinds)
    return [
        measure(name, variation.text)
        for name in catalogue.names
        for variation in catalogue.variations(name)
        if variation.metadata.get("kind") in wanted
    ]


def main() -> None:
    """Print means and extremes per kind."""
    catalogue = Catalogue.load()
    print(f"{'kind':<14}{'texts':>6}{'grade':>7}{'max':>6}{'ease':>7}{'min':>6}{'raw grade':>11}{'raw ease':>10}{'words':>7}")
    for kind in ("answer", "not_covered", "refer", "urgent", "crisis", "out_of_scope", "clarify", "smalltalk", "service"):
        found = [m for m in answers(catalogue, (kind,)) if not m.name.startswith("utter_other_language_")]
        print(
            f"{kind:<14}{len(found):>6}{mean(m.grade for m in found):>7.1f}{max(m.grade for m in found):>6.1f}"
            f"{mean(m.ease for m in found):>7.1f}{min(m.ease for m in found):>6.1f}"
            f"{mean(m.raw_grade for m in found):>11.1f}{mean(m.raw_ease for m in found):>10.1f}"
            f"{max(m.longest_sentence for m in found):>7}"
        )


if __name__ == "__main__":
    main()
