"""What may be said and who says so: ``knowledge/facts.yml`` and ``knowledge/references.yml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hipwise.errors import HipwiseError
from hipwise.paths import KNOWLEDGE
from hipwise.yaml_files import read_yaml


@dataclass(frozen=True)
class Fact:
    """One statement of the article, in our own words."""

    id: str
    section: str
    statement: str
    #: The reference that states it; what that one draws on is in the reference.
    source: str


@dataclass(frozen=True)
class Reference:
    """A source, as it is cited. ``url`` is None where none is known."""

    id: str
    citation: str
    short: str
    url: str | None
    draws_on: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, str | None]:
        """Return the reference as a reply carries it: ``id``, ``citation``, ``url``."""
        return {"id": self.id, "citation": self.citation, "url": self.url}


class Knowledge:
    """The facts and references, checked against each other.

    Raises:
        HipwiseError: an entry lacks a field, or names a reference that does not exist.
    """

    def __init__(self, facts: Iterable[Fact], references: Iterable[Reference]) -> None:
        self.facts: Mapping[str, Fact] = {fact.id: fact for fact in facts}
        self.references: Mapping[str, Reference] = {reference.id: reference for reference in references}
        for fact in self.facts.values():
            self._check(fact.source, f"the fact {fact.id!r}")
        for reference in self.references.values():
            for other in reference.draws_on:
                self._check(other, f"the reference {reference.id!r}")

    def _check(self, reference: str, where: str) -> None:
        if reference not in self.references:
            raise HipwiseError(f"knowledge/: {where} names the reference {reference!r}, which is not in references.yml.")

    @classmethod
    def load(cls, folder: Path = KNOWLEDGE) -> Knowledge:
        """Read ``facts.yml`` and ``references.yml`` in ``folder``."""
        references = [
            Reference(
                id=entry["id"],
                citation=entry["citation"],
                short=entry["short"],
                url=entry.get("url"),
                draws_on=tuple(entry.get("draws_on", ())),
            )
            for entry in _entries(folder / "references.yml", "references", ("id", "citation", "short"))
        ]
        path = folder / "facts.yml"
        entries = _entries(path, "facts", ("id", "section", "statement"))
        # One article states them all, so the file names it once.
        source = read_yaml(path).get("source")
        if not source:
            raise HipwiseError(f"{path}: has no 'source', the reference that states the facts.")
        facts = [
            Fact(id=entry["id"], section=entry["section"], statement=entry["statement"], source=entry.get("source", source))
            for entry in entries
        ]
        return cls(facts, references)

    def cite(self, facts: Iterable[str]) -> tuple[Reference, ...]:
        """Return the references that ``facts`` rest on: each source first, then what it draws on, none twice.

        Raises:
            HipwiseError: a fact id does not exist.
        """
        cited: dict[str, Reference] = {}
        for fact_id in facts:
            try:
                source = self.references[self.facts[fact_id].source]
            except KeyError as error:
                raise HipwiseError(f"knowledge/facts.yml: there is no fact {fact_id!r}.") from error
            for reference in (source.id, *source.draws_on):
                cited.setdefault(reference, self.references[reference])
        return tuple(cited.values())


def _entries(path: Path, key: str, required: tuple[str, ...]) -> list[dict[str, Any]]:
    content = read_yaml(path)
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise HipwiseError(f"{path}: has no list {key!r}.")
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        missing = [field for field in required if not isinstance(entry, dict) or not entry.get(field)]
        if missing:
            raise HipwiseError(f"{path}: entry {number} of {key!r} lacks {', '.join(missing)}.")
        if entry["id"] in seen:
            raise HipwiseError(f"{path}: the id {entry['id']!r} is there twice.")
        seen.add(entry["id"])
    return entries
