"""The safety check: does a message speak of something that must be seen to now?

It runs before anything else, on every message of every channel, and needs nothing but knowledge/safety.yml. It finds cues
(what a red flag sounds like) and then asks what stands around them: "no fever", "what if I fall", "fell last year, all
healed"
carry a cue and no alarm. That second step is the ConText algorithm (Harkema, Dowling, Thornblade, Chapman, 2009): a modifier
has a direction and a scope, and some words end the scope. docs/safety.md says why it is written here instead of imported.

Everything is linear in the length of the text: a pattern is tried only where its first word stands, its gaps are bounded, a
scope is at most 60 tokens, and what lies around a cue is found by bisection.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from hipwise.safety.normalise import COMMA, QUESTION, STOP
from hipwise.safety.patterns import Compiled
from hipwise.safety.rules import Cue, LookAlike, Modifier, SafetyRules

T = TypeVar("T")
_TRIGGER_CACHE = 8192
# A pattern with ^ may follow these.
_OPENERS = frozenset(
    {STOP, QUESTION, COMMA, "and", "or", "but", "so", "also", "hi", "hello", "hey", "please", "then", "ok", "well"}
)
# No scope is longer (rules.py refuses more), and no match: a pattern has at most a few gaps of at most 16 tokens.
_REACH = 120
_NO_CONTEXT, _BARRED = "without its context", "with a context that it excludes"
_MARKED_REACH = 10
# A message of one symptom repeated a thousand times has one finding; the rest of such a text adds nothing.
_MAX_CUES_PER_LABEL = 400


@dataclass(frozen=True)
class SafetyFinding:
    """What fired.

    groups: the most urgent first; cues: labels ``group.cue``, never the patient's words; says: one a group; firm:
    those of the cues that a firm pattern found, so that they stand whatever the classifier makes of the message.
    """

    level: str
    groups: tuple[str, ...]
    cues: tuple[str, ...]
    says: tuple[str, ...]
    firm: tuple[str, ...] = ()

    def as_dict(self, source: str = "rules") -> dict[str, object]:
        """As it is set on a Rasa message. source: "rules" or "classifier"."""
        return {
            "level": self.level,
            "groups": list(self.groups),
            "matched": list(self.cues),
            "says": list(self.says),
            "source": source,
        }


class Explained(NamedTuple):
    """One cue that stands in a message. why_not: the reason why it does not alarm, None where it does; firm: it is a firm one."""

    label: str
    why_not: str | None
    pattern: str
    words: str
    firm: bool


@dataclass(frozen=True)
class _Hit(Generic[T]):
    what: T
    start: int
    end: int
    pattern: str = ""


class _Index(Generic[T]):
    """Patterns by the token that they start with."""

    def __init__(self, entries: Iterable[tuple[T, Sequence[Compiled]]]) -> None:
        self._by_first: dict[str, list[tuple[T, Compiled]]] = {}
        self._by_prefix: list[tuple[str, T, Compiled]] = []
        self._seen: dict[str, tuple[tuple[T, Compiled], ...]] = {}
        for what, patterns in entries:
            for pattern in patterns:
                for word in pattern.first:
                    self._by_first.setdefault(word, []).append((what, pattern))
                for prefix in pattern.first_prefixes:
                    self._by_prefix.append((prefix, what, pattern))

    def _starting(self, token: str) -> tuple[tuple[T, Compiled], ...]:
        found = self._seen.get(token)
        if found is None:
            found = tuple(self._by_first.get(token, ()))
            found += tuple((what, pattern) for prefix, what, pattern in self._by_prefix if token.startswith(prefix))
            if len(self._seen) < _TRIGGER_CACHE:
                self._seen[token] = found
        return found

    def hits(self, text: _Text) -> list[_Hit[T]]:
        """All matches, by their start."""
        found: list[_Hit[T]] = []
        for position, token in enumerate(text.tokens):
            for what, pattern in self._starting(token):
                if pattern.opening and position and text.tokens[position - 1] not in _OPENERS:
                    continue
                match = pattern.regex.match(text.joined, text.offsets[position])
                if match is not None:
                    found.append(_Hit(what, position, bisect_left(text.offsets, match.end(), position), pattern.source))
        return found


class _Text:
    """A normalised message: tokens, the same as one string, and how many sentences end before each token."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.joined = " ".join(tokens) + " "
        self.offsets = list(accumulate((len(token) + 1 for token in tokens), initial=0))
        self.stops = list(accumulate((token in (STOP, QUESTION) for token in tokens), initial=0))

    def stops_between(self, start: int, end: int) -> int:
        return self.stops[end] - self.stops[start] if end > start else 0


class _Points:
    """Matches of one kind, to ask quickly whether one lies in a stretch of tokens."""

    def __init__(self, hits: Iterable[_Hit[str]]) -> None:
        self._hits = sorted((hit.start, hit.end) for hit in hits)
        self._starts = [start for start, _ in self._hits]

    def within(self, start: int, end: int) -> bool:
        """Whether a match begins in [start, end)."""
        position = bisect_left(self._starts, start)
        return position < len(self._starts) and self._starts[position] < end

    def spans(self, start: int, end: int) -> Iterable[tuple[int, int]]:
        """The matches that begin in [start, end)."""
        return self._hits[bisect_left(self._starts, start) : bisect_left(self._starts, end)]


class SafetyCheck:
    """Finds red flags in a message by the rules of a file.

    Raises:
        HipwiseError: the rules cannot be read; the sentence names the file and the place.
    """

    def __init__(self, rules: Path) -> None:
        self.rules = SafetyRules.read(rules)
        self._cues: _Index[Cue] = _Index((cue, cue.patterns) for cue in self.rules.cues)
        self._alike: _Index[LookAlike] = _Index((alike, alike.patterns) for alike in self.rules.look_alikes)
        self._modifiers: _Index[Modifier] = _Index((mod, mod.patterns) for mod in self.rules.modifiers)
        marks = [("current", self.rules.current), ("owned", self.rules.owned)]
        marks += [(f"ends {category}", patterns) for category, patterns in self.rules.ends_scope.items()]
        self._marks: _Index[str] = _Index(marks)
        self._contexts: _Index[str] = _Index(self.rules.contexts.items())
        self._rank = {group: rank for rank, group in enumerate(self.rules.order)}

    @classmethod
    def shared(cls, rules: Path) -> SafetyCheck:
        """The check of a file, one for all who ask in this process, since it takes 4 MB; a file that changed is read anew.

        Raises:
            HipwiseError: the rules cannot be read.
        """
        files = (rules, rules.with_name("safety_words.yml"))
        return _shared(rules, *(file.stat().st_mtime_ns if file.is_file() else 0 for file in files))

    def check(self, text: str) -> SafetyFinding | None:
        """The finding of one message, or None where nothing alarms. Never raises, whatever the text."""
        alarming = [found for found in self.explain(text) if found.why_not is None]
        firm = {found.label for found in alarming if found.firm}
        return self.finding(dict.fromkeys(found.label for found in alarming), firm=firm)

    def marked(self, text: str) -> tuple[list[str], list[str]]:
        """The tokens of a text, and the same with marks of what stands around them: ``negated_fever``, ``historical_fell``.

        For the classifier, to which "no fever" and "fever" look alike otherwise.
        """
        message = _Text(self.rules.normaliser.tokens(text))
        return message.tokens, self._mark(message)

    def _mark(self, message: _Text) -> list[str]:
        tokens = message.tokens
        marks: list[str] = [""] * len(tokens)
        ends: dict[str, set[int]] = {}
        for end in self._marks.hits(message):
            if end.what.startswith("ends "):
                ends.setdefault(end.what[5:], set()).add(end.start)
        for hit in self._modifiers.hits(message):
            rule = hit.what
            if rule.groups or (rule.kinds and not rule.kinds & {"sign", "state"}):
                continue
            stop_at = ends.get(rule.category, set())
            reach = min(rule.scope, _MARKED_REACH)
            sides = []
            if rule.direction != "backward":
                sides.append(range(hit.end, min(len(tokens), hit.end + reach)))
            if rule.direction != "forward":
                sides.append(range(hit.start - 1, max(-1, hit.start - 1 - reach), -1))
            for side in sides:
                for position in side:
                    if tokens[position] in (STOP, QUESTION) or position in stop_at:
                        break
                    if rule.category not in marks[position]:
                        marks[position] += f"{rule.category}_"
        for alike in self._alike.hits(message):
            marks[alike.start : alike.end] = ["alike_"] * (alike.end - alike.start)
        return [mark + token for mark, token in zip(marks, tokens, strict=True)]

    def finding(self, labels: Iterable[str], *, firm: Iterable[str] = ()) -> SafetyFinding | None:
        """The finding that these labels (``group.cue``) amount to. firm: those that a firm pattern found."""
        ordered = sorted(labels, key=lambda label: self._rank[label.split(".")[0]])
        if not ordered:
            return None
        groups = tuple(dict.fromkeys(label.split(".")[0] for label in ordered))
        level = "crisis" if any(self.rules.levels[group] == "crisis" for group in groups) else "urgent"
        sure = tuple(label for label in ordered if label in set(firm))
        return SafetyFinding(level, groups, tuple(ordered), tuple(self.rules.says[group] for group in groups), sure)

    def explain(self, text: str, *, every: bool = False) -> list[Explained]:
        """Every cue found and why it alarms or does not. For whoever edits the rules; never logged, it holds the words.

        every: also further patterns of a cue that alarms already.
        """
        message = _Text(self.rules.normaliser.tokens(text))
        cues = self._cues.hits(message)
        if not cues:
            return []
        contexts: set[str] | None = None
        around = _Around(
            message,
            self._alike.hits(message),
            self._modifiers.hits(message),
            self._marks.hits(message),
            cues,
        )
        result: list[Explained] = []
        counts: dict[str, int] = {}
        alarmed: dict[str, bool] = {}
        for hit in cues:
            label, firm = hit.what.label, hit.pattern in hit.what.firm
            counts[label] = counts.get(label, 0) + 1
            known = label in alarmed and alarmed[label] >= firm and not every
            if known or counts[label] > _MAX_CUES_PER_LABEL:
                continue
            words = " ".join(message.tokens[hit.start : hit.end])
            if hit.what.with_context or hit.what.without_context:
                if contexts is None:
                    contexts = {context.what for context in self._contexts.hits(message)}
                lacking = hit.what.with_context and contexts.isdisjoint(hit.what.with_context)
                if lacking or not contexts.isdisjoint(hit.what.without_context):
                    result.append(Explained(label, _NO_CONTEXT if lacking else _BARRED, hit.pattern, words, firm))
                    continue
            why_not = around.why_not(hit)
            if why_not is None:
                alarmed[label] = firm
            result.append(Explained(label, why_not, hit.pattern, words, firm))
        return result


class _Around:
    """What stands around the cues of one message."""

    def __init__(
        self,
        text: _Text,
        alike: list[_Hit[LookAlike]],
        modifiers: list[_Hit[Modifier]],
        marks: list[_Hit[str]],
        cues: list[_Hit[Cue]],
    ) -> None:
        self._text = text
        self._alike = alike
        self._alike_starts = [hit.start for hit in alike]
        self._modifiers = modifiers
        self._modifier_starts = [hit.start for hit in modifiers]
        by_name: dict[str, list[_Hit[str]]] = {}
        for mark in marks:
            by_name.setdefault(mark.what, []).append(mark)
        self._marks = {name: _Points(hits) for name, hits in by_name.items()}
        self._none = _Points(())
        self._signs_at = {hit.start: hit.end for hit in cues if hit.what.kind == "sign"}
        self._sign_ends = {hit.end for hit in cues if hit.what.kind == "sign"}

    def why_not(self, cue: _Hit[Cue]) -> str | None:
        """Why a cue does not alarm (a category of modifiers, and the pattern that says so); None where it does."""
        first = bisect_left(self._alike_starts, cue.start - _REACH)
        for hit in self._alike[first : bisect_left(self._alike_starts, cue.end)]:
            if hit.end > cue.start and (not hit.what.groups or cue.what.group in hit.what.groups):
                return f"look-alike: {hit.pattern}"
        first = bisect_left(self._modifier_starts, cue.start - _REACH)
        last = bisect_right(self._modifier_starts, cue.end + _REACH)
        for modifier in self._modifiers[first:last]:
            if self._touches(modifier, cue):
                return f"{modifier.what.category}: {modifier.pattern}"
        return None

    def _touches(self, hit: _Hit[Modifier], cue: _Hit[Cue]) -> bool:
        rule = hit.what
        if rule.category in cue.what.immune:
            return False
        if rule.kinds and cue.what.kind not in rule.kinds:
            return False
        if rule.groups and cue.what.group not in rule.groups:
            return False
        if hit.end <= cue.start and rule.direction != "backward":
            start, end = hit.end, cue.start
        elif hit.start >= cue.end and rule.direction != "forward":
            start, end = cue.end, hit.start
        else:  # it overlaps the cue, or looks the other way
            return False
        if end - start > rule.scope or self._text.stops_between(start, end) > rule.cross:
            return False
        ends = self._marks.get(f"ends {rule.category}")
        if ends is not None and ends.within(start, end):
            return False
        if rule.generic and self._owned(cue):
            return False
        if rule.category == "negated" and hit.end <= cue.start and not self._list_holds(hit.end, cue):
            return False
        return rule.whatever_now or not self._now_after(min(hit.end, cue.end), cue)

    def _owned(self, cue: _Hit[Cue]) -> bool:
        """Whether the writer speaks of it as theirs: "my numb leg", "I have a fever"."""
        owned = self._marks.get("owned", self._none)
        return any(end > cue.start - 3 and start < cue.end for start, end in owned.spans(cue.start - 8, cue.end))

    def _now_after(self, start: int, cue: _Hit[Cue]) -> bool:
        """Whether words of the present ("today", "ever since") follow in the same sentence."""
        current = self._marks.get("current", self._none)
        end = cue.end + 14
        tokens = self._text.tokens
        for position in range(cue.end, min(end, len(tokens))):
            if tokens[position] in (STOP, QUESTION):
                end = position
                break
        return current.within(min(start, cue.start), end)

    def _list_holds(self, start: int, cue: _Hit[Cue]) -> bool:
        """Whether a negation reaches over the commas and "and" between it and the cue.

        It does in a list ("no fever, chills or redness"; "no fever, no chills, sweats."), and does not where something new
        begins ("no fever, chest pain since this morning").
        """
        tokens = self._text.tokens
        pauses = [i for i in range(start, cue.start) if tokens[i] in (COMMA, "and")]
        if not pauses:
            return True
        for position in range(pauses[-1], min(cue.end + 10, len(tokens))):
            if tokens[position] in (STOP, QUESTION):
                break
            if tokens[position] in ("or", "nor", "neither"):
                return True
        last = pauses[-1]
        closes = cue.end >= len(tokens) or tokens[cue.end] in (COMMA, STOP, QUESTION, "and")
        return cue.what.kind == "sign" and last + 1 == cue.start and last in self._sign_ends and closes


@lru_cache(maxsize=2)
def _shared(rules: Path, *changed: int) -> SafetyCheck:
    return SafetyCheck(rules)
