"""Reads and checks knowledge/safety.yml. Its own head says what each part means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hipwise.errors import HipwiseError
from hipwise.safety.normalise import Normaliser
from hipwise.safety.patterns import Compiled, PatternError, compile_pattern, expand_classes, words_of
from hipwise.yaml_files import read_yaml

LEVELS = ("urgent", "crisis")
KINDS = ("event", "sign", "state")
DIRECTIONS = ("forward", "backward", "both")
_PARTS = {
    "order",
    "groups",
    "classes",
    "spellings",
    "left_alone",
    "contexts",
    "modifiers",
    "look_alikes",
    "current",
    "owned",
    "ends_scope",
}


@dataclass(frozen=True)
class Cue:
    """What a red flag sounds like.

    label: ``group.name``; with_context: contexts of which one must be in the message; without_context: of which none may be; firm:
    the sources of those patterns that settle it alone, whatever the classifier makes of the message.
    """

    label: str
    group: str
    kind: str
    patterns: tuple[Compiled, ...]
    with_context: tuple[str, ...] = ()
    without_context: tuple[str, ...] = ()
    immune: frozenset[str] = frozenset()
    firm: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Modifier:
    """Words that take the alarm out of a cue in their scope (ConText).

    direction: which side of the modifier its scope lies on; scope: its length in tokens; kinds, groups: the cues it can
    touch (empty: all); cross: how many ends of sentences the scope may pass; generic: it does not touch what the writer calls
    theirs ("my numb leg"); whatever_now: words of the present do not lift it.
    """

    category: str
    direction: str
    scope: int
    patterns: tuple[Compiled, ...]
    kinds: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    cross: int = 0
    generic: bool = False
    whatever_now: bool = False


@dataclass(frozen=True)
class LookAlike:
    """Words that contain a cue's words and mean something else. ``groups`` empty: of every group."""

    patterns: tuple[Compiled, ...]
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SafetyRules:
    """All of knowledge/safety.yml, compiled."""

    order: tuple[str, ...]
    levels: Mapping[str, str]
    says: Mapping[str, str]
    cues: tuple[Cue, ...]
    modifiers: tuple[Modifier, ...]
    look_alikes: tuple[LookAlike, ...]
    contexts: Mapping[str, tuple[Compiled, ...]]
    current: tuple[Compiled, ...]
    owned: tuple[Compiled, ...]
    ends_scope: Mapping[str, tuple[Compiled, ...]]
    normaliser: Normaliser = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> SafetyRules:
        """Read the rules.

        Raises:
            HipwiseError: the file cannot be read, or something in it is wrong; the sentence names the file and the place.
        """
        return _Reader(path).rules()


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._vocabulary: set[str] = set()
        self._classes: dict[str, tuple[str, ...]] = {}

    def _wrong(self, place: str, why: str) -> HipwiseError:
        return HipwiseError(f"{self._path}, {place}: {why}.")

    def _mapping(self, value: Any, place: str, allowed: Iterable[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(place, "a mapping is needed here")
        for key in value:
            if not isinstance(key, str):
                raise self._wrong(place, f"the key {key!r} must be in quotes")
            if allowed is not None and key not in allowed:
                raise self._wrong(place, f"{key!r} is not known here (known: {', '.join(sorted(allowed))})")
        return value

    def _words(self, value: Any, place: str) -> list[str]:
        """A list of strings, or one string of words separated by blanks."""
        if isinstance(value, str):
            return value.split()
        return self._strings(value, place)

    def _strings(self, value: Any, place: str) -> list[str]:
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not value:
            raise self._wrong(place, "a list that is not empty is needed here")
        for number, item in enumerate(value, 1):
            if not isinstance(item, str) or not item.strip():
                raise self._wrong(f"{place}, entry {number}", f"a string is needed, not {item!r} (put it in quotes)")
        return value

    def _choice(self, value: Any, place: str, choices: Iterable[str]) -> str:
        if value not in choices:
            raise self._wrong(place, f"{value!r} is none of {', '.join(choices)}")
        return str(value)

    def _compile(self, value: Any, place: str, *, vocabulary: bool = False) -> tuple[Compiled, ...]:
        compiled = []
        for number, source in enumerate(self._strings(value, place), 1):
            try:
                compiled.append(compile_pattern(source, self._classes))
                if vocabulary:
                    self._vocabulary |= words_of(source, self._classes)
            except PatternError as error:
                raise self._wrong(f"{place}, pattern {number} ({source!r})", str(error)) from error
        return tuple(compiled)

    def rules(self) -> SafetyRules:
        data = self._mapping(read_yaml(self._path), "top", _PARTS)
        for part in _PARTS:
            if part not in data:
                raise self._wrong("top", f"the part {part!r} is missing")
        raw_classes = self._mapping(data["classes"], "classes")
        try:
            self._classes = expand_classes({n: self._words(v, f"classes.{n}") for n, v in raw_classes.items()})
        except PatternError as error:
            raise self._wrong("classes", str(error)) from error

        levels: dict[str, str] = {}
        says: dict[str, str] = {}
        cues: list[Cue] = []
        alike: list[LookAlike] = []
        contexts = {
            name: self._compile(value, f"contexts.{name}", vocabulary=True)
            for name, value in self._mapping(data["contexts"], "contexts").items()
        }
        groups = self._mapping(data["groups"], "groups")
        for name, value in groups.items():
            place = f"groups.{name}"
            group = self._mapping(value, place, {"level", "says", "cues", "look_alikes"})
            levels[name] = self._choice(group.get("level"), f"{place}.level", LEVELS)
            says[name] = group.get("says", "")
            if says[name] != f"utter_red_flag_{name}":
                raise self._wrong(f"{place}.says", f"the response must be utter_red_flag_{name}")
            for cue_name, cue in self._mapping(group.get("cues") or {}, f"{place}.cues").items():
                cues.append(self._cue(name, cue_name, cue, f"{place}.cues.{cue_name}", contexts))
            if group.get("look_alikes"):
                alike.append(LookAlike(self._compile(group["look_alikes"], f"{place}.look_alikes"), frozenset({name})))
        alike.append(LookAlike(self._compile(data["look_alikes"], "look_alikes")))
        order = self._words(data["order"], "order")
        if sorted(order) != sorted(groups):
            differ = ", ".join(sorted(set(order) ^ set(groups))) or "one group twice"
            raise self._wrong("order", f"it must name each group once (look at: {differ})")
        modifiers = [
            self._modifier(category, number, value, order)
            for category, values in self._mapping(data["modifiers"], "modifiers").items()
            for number, value in enumerate(values if isinstance(values, list) else [values], 1)
        ]
        ends = {
            category: self._compile(value, f"ends_scope.{category}")
            for category, value in self._mapping(data["ends_scope"], "ends_scope").items()
        }
        for category in ends:
            if category not in data["modifiers"]:
                raise self._wrong(f"ends_scope.{category}", "there is no such category among the modifiers")
        return SafetyRules(
            order=tuple(order),
            levels=levels,
            says=says,
            cues=tuple(cues),
            modifiers=tuple(modifiers),
            look_alikes=tuple(alike),
            contexts=contexts,
            current=self._compile(data["current"], "current"),
            owned=self._compile(data["owned"], "owned"),
            ends_scope=ends,
            normaliser=self._normaliser(data),
        )

    def _cue(self, group: str, name: str, value: Any, place: str, contexts: Mapping[str, Any]) -> Cue:
        cue = self._mapping(value, place, {"kind", "patterns", "firm", "with", "without", "immune"})
        needed, barred = (
            tuple(self._choice(context, f"{place}.{key}", contexts) for context in self._words(cue[key], f"{place}.{key}"))
            if key in cue
            else ()
            for key in ("with", "without")
        )
        if not ("patterns" in cue or "firm" in cue):
            raise self._wrong(place, "it needs 'patterns' or 'firm'")
        possible, firm = (
            self._compile(cue[key], f"{place}.{key}", vocabulary=True) if key in cue else () for key in ("patterns", "firm")
        )
        return Cue(
            label=f"{group}.{name}",
            group=group,
            kind=self._choice(cue.get("kind"), f"{place}.kind", KINDS),
            patterns=possible + firm,
            firm=frozenset(pattern.source for pattern in firm),
            with_context=needed,
            without_context=barred,
            immune=frozenset(self._words(cue["immune"], f"{place}.immune")) if "immune" in cue else frozenset(),
        )

    def _modifier(self, category: str, number: int, value: Any, groups: list[str]) -> Modifier:
        place = f"modifiers.{category}, entry {number}"
        keys = {"direction", "scope", "patterns", "kinds", "groups", "cross", "generic", "whatever_now"}
        entry = self._mapping(value, place, keys)
        kinds = self._words(entry["kinds"], f"{place}.kinds") if "kinds" in entry else []
        named = self._words(entry["groups"], f"{place}.groups") if "groups" in entry else []
        return Modifier(
            category=category,
            direction=self._choice(entry.get("direction"), f"{place}.direction", DIRECTIONS),
            scope=self._number(entry.get("scope", 12), f"{place}.scope"),
            patterns=self._compile(entry.get("patterns"), f"{place}.patterns"),
            kinds=frozenset(self._choice(kind, f"{place}.kinds", KINDS) for kind in kinds),
            groups=frozenset(self._choice(group, f"{place}.groups", groups) for group in named),
            cross=self._number(entry.get("cross", 0), f"{place}.cross"),
            generic=bool(entry.get("generic", False)),
            whatever_now=bool(entry.get("whatever_now", False)),
        )

    def _number(self, value: Any, place: str) -> int:
        if not isinstance(value, int) or not 0 <= value <= 60:
            raise self._wrong(place, f"a number from 0 to 60 is needed, not {value!r}")
        return value

    def _normaliser(self, data: Mapping[str, Any]) -> Normaliser:
        spellings = {}
        for key, value in self._mapping(data["spellings"], "spellings").items():
            if not isinstance(value, str):
                raise self._wrong(f"spellings.{key}", f"put {value!r} in quotes")
            spellings[key] = value
        return Normaliser(spellings, self._vocabulary, self._left_alone(data["left_alone"]))

    def _left_alone(self, name: Any) -> list[str]:
        if not isinstance(name, str):
            raise self._wrong("left_alone", "the name of a file beside this one is needed")
        path = self._path.with_name(name)
        content = read_yaml(path)
        words = content.get("words") if isinstance(content, dict) else None
        if not isinstance(words, str):
            raise HipwiseError(f"{path}, words: a text of words with blanks between is needed here.")
        return words.split()
