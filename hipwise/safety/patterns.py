"""The small pattern language of knowledge/safety.yml, compiled to regular expressions over normalised tokens.

A pattern is elements separated by blanks; each stands for one or more whole tokens:

===============  ==============================================================================================
``fell``         that token
``fell|tripped`` any of them; ``_`` is a blank inside one (``gave_way``)
``<body>``       any entry of that word class; may be one of several (``<body>|it``)
``swell*``       any token that starts so
``x?``           optional
``!x|y``         what follows must not be this (takes nothing)
``..4``          up to four tokens of any kind, without a negation and without the end of a sentence
``...4``         the same, but it may cross the end of a sentence
``^``            (first) only where a sentence or part of one begins
===============  ==============================================================================================

Gaps are bounded, and a pattern is tried only where its first token occurs, so that the work grows linearly with the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

MAX_GAP = 16
_GAP = re.compile(r"(\.{2,3})(\d+)")
_WORD = re.compile(r"[a-z0-9?.,%/]+(?:_[a-z0-9,]+)*\*?")
_NEGATION = "(?!(?:not|no|never|without|neither|nor) )"


class PatternError(ValueError):
    """A pattern that cannot be compiled; the message says which element and why."""


@dataclass(frozen=True)
class Compiled:
    """A pattern ready for use.

    ``first`` holds the tokens a match can start with, ``first_prefixes`` the beginnings of such tokens (from ``swell*``);
    ``opening``: it counts only where a sentence or part of one begins.
    """

    source: str
    expression: str
    first: frozenset[str]
    first_prefixes: tuple[str, ...]
    opening: bool = False

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Matches from the start of a token to the end of one, with the blank after it. Compiled when first needed."""
        return re.compile(self.expression)


def expand_classes(raw: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Word classes with the classes inside them put in place.

    Raises PatternError for an unknown class or one that contains itself.
    """
    done: dict[str, tuple[str, ...]] = {}

    def visit(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in done:
            return done[name]
        if name in path:
            raise PatternError(f"the class <{name}> contains itself")
        if name not in raw:
            raise PatternError(f"there is no class <{name}>")
        words: list[str] = []
        for entry in raw[name]:
            entry = str(entry).strip()
            if entry.startswith("<") and entry.endswith(">"):
                words.extend(visit(entry[1:-1], (*path, name)))
            else:
                words.append(entry.replace(" ", "_"))
        done[name] = tuple(dict.fromkeys(words))
        return done[name]

    for name in raw:
        visit(name, ())
    return done


def alternatives(element: str, classes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The words (``_`` for a blank, maybe ``*`` at the end) that one element stands for."""
    words: list[str] = []
    for part in element.split("|"):
        if part.startswith("<") and part.endswith(">"):
            if part[1:-1] not in classes:
                raise PatternError(f"there is no class {part}")
            words.extend(classes[part[1:-1]])
        elif _WORD.fullmatch(part):
            words.append(part)
        else:
            raise PatternError(f"cannot read {part!r}")
    return words


def _is_optional(element: str) -> bool:
    # A question mark alone, or as one of several, is the token that ends a question.
    return element.endswith("?") and element != "?" and not element.endswith("|?")


def _regex_of(words: Iterable[str]) -> str:
    # The longest first, so that "gave_way" is taken before "gave".
    parts = []
    for word in sorted(set(words), key=lambda w: (-len(w), w)):
        text = re.escape(word.rstrip("*")).replace("_", " ")
        parts.append(text + ("[a-z]*" if word.endswith("*") else ""))
    return "(?:" + "|".join(parts) + ") "


def compile_pattern(source: str, classes: Mapping[str, tuple[str, ...]]) -> Compiled:
    """Compile one pattern. Raises PatternError with a reason."""
    elements = source.split()
    opening = elements[:1] == ["^"]
    if opening:
        del elements[0]
    if not elements:
        raise PatternError("an empty pattern")
    regex = ""
    first: set[str] = set()
    prefixes: set[str] = set()
    first_open = True  # still before the first element that must be there
    for element in elements:
        gap = _GAP.fullmatch(element)
        if gap:
            size = int(gap[2])
            if first_open:
                raise PatternError("a pattern cannot begin with a gap")
            if size > MAX_GAP:
                raise PatternError(f"the gap {element} is longer than {MAX_GAP}")
            token = r"[^ .?]+ " if len(gap[1]) == 2 else r"[^ ]+ "
            regex += f"(?:{_NEGATION}{token}){{0,{size}}}?"
            continue
        if element.startswith("!"):
            regex += f"(?!{_regex_of(alternatives(element[1:], classes))})"
            continue
        optional = _is_optional(element)
        words = alternatives(element[:-1] if optional else element, classes)
        regex += f"(?:{_regex_of(words)})?" if optional else _regex_of(words)
        if first_open:
            for word in words:
                head = word.split("_")[0]
                (prefixes if head.endswith("*") else first).add(head.rstrip("*"))
            first_open = optional
    if first_open:
        raise PatternError("a pattern needs one element that must be there")
    return Compiled(source, regex, frozenset(first), tuple(sorted(prefixes)), opening)


def words_of(source: str, classes: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Every single word a pattern names (for the vocabulary that misspellings are mended to)."""
    found: set[str] = set()
    for element in source.split():
        if _GAP.fullmatch(element) or element == "^":
            continue
        core = element.lstrip("!")
        if _is_optional(core):
            core = core[:-1]
        for word in alternatives(core, classes):
            found.update(part for part in word.rstrip("*").split("_") if not word.endswith("*") and part.isalpha())
    return found
