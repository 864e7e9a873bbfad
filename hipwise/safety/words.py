"""Writes the list of ordinary words that are not misspellings of a cue's word: knowledge/safety_words.yml.

``python -m hipwise.safety.words`` after new words came into the cues; a test says when it is due. The words come from
pyspellchecker's list (counted in film subtitles), which is needed here only, never when the assistant runs.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from hipwise.paths import KNOWLEDGE
from hipwise.safety.rules import SafetyRules

#: A word seen at least so often is taken for a word and not for a slip.
LEAST = 60
_HEAD = "# Ordinary words near a cue's word (knowledge/safety.yml). Written by `python -m hipwise.safety.words`.\nwords: >-\n"


def ordinary_words() -> tuple[str, ...]:
    """English words that occur often enough."""
    from spellchecker import SpellChecker

    counts = SpellChecker(language="en").word_frequency.dictionary
    return tuple(sorted(word for word, count in counts.items() if count >= LEAST and word.isascii() and word.isalpha()))


def left_alone(rules: SafetyRules) -> list[str]:
    """The ordinary words that the rules' normaliser would mend if they were not left alone."""
    return [word for word in ordinary_words() if rules.normaliser.would_mend(word)]


def main(rules: Path = KNOWLEDGE / "safety.yml") -> int:
    """Write the file beside the rules."""
    path = rules.with_name("safety_words.yml")
    if not path.exists():
        path.write_text(_HEAD + "  feel\n", encoding="utf-8")
    words = left_alone(SafetyRules.read(rules))
    path.write_text(
        _HEAD + textwrap.fill(" ".join(words), width=120, initial_indent="  ", subsequent_indent="  ") + "\n",
        encoding="utf-8",
    )
    print(f"{len(words)} words left alone.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
