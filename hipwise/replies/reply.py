"""The reply: what every channel receives and renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from hipwise.knowledge import Reference

Kind = Literal[
    "answer", "not_covered", "refer", "urgent", "crisis", "out_of_scope", "clarify", "smalltalk", "service"
]
KINDS: frozenset[str] = frozenset(get_args(Kind))


@dataclass(frozen=True)
class Suggestion:
    """A next question. ``title`` is what the patient sees, ``payload`` what is sent when it is chosen.

    ``short`` is a title of at most 20 characters, for the platforms whose buttons hold no more (WhatsApp, Messenger).
    """

    title: str
    payload: str
    short: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture that helps, and the words that say the same."""

    url: str
    alt: str


@dataclass(frozen=True)
class Reply:
    """One reply to a patient, independent of the channel."""

    text: str
    kind: Kind
    facts: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    figure: Figure | None = None
    topic: str | None = None
    lang: str = "en"
    #: The short citation line for channels that show text only; empty where nothing is cited. Not part of the JSON.
    citation: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the reply with exactly the fields of the HTTP interface."""
        return {
            "text": self.text,
            "kind": self.kind,
            "facts": list(self.facts),
            "references": [reference.as_dict() for reference in self.references],
            "suggestions": [{"title": s.title, "payload": s.payload} for s in self.suggestions],
            "figure": {"url": self.figure.url, "alt": self.figure.alt} if self.figure else None,
            "topic": self.topic,
            "lang": self.lang,
        }

    def to_state(self) -> dict[str, Any]:
        """Return everything, so that it survives the trip through Rasa's events as JSON."""
        state = self.as_dict()
        state["citation"] = self.citation
        for suggestion, entry in zip(self.suggestions, state["suggestions"], strict=True):
            entry["short"] = suggestion.short
        for reference, entry in zip(self.references, state["references"], strict=True):
            entry["short"] = reference.short
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Reply:
        """Return the reply that :meth:`to_state` wrote."""
        figure = state.get("figure")
        return cls(
            text=state["text"],
            kind=state["kind"],
            facts=tuple(state["facts"]),
            references=tuple(
                Reference(id=r["id"], citation=r["citation"], short=r.get("short", ""), url=r["url"])
                for r in state["references"]
            ),
            suggestions=tuple(
                Suggestion(title=s["title"], payload=s["payload"], short=s.get("short", ""))
                for s in state["suggestions"]
            ),
            figure=Figure(url=figure["url"], alt=figure["alt"]) if figure else None,
            topic=state["topic"],
            lang=state["lang"],
            citation=state.get("citation", ""),
        )
