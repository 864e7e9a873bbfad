"""Turns a topic into a reply: the words of the domain, their facts, the references of those facts, what to ask next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from hipwise.errors import HipwiseError
from hipwise.knowledge import Knowledge
from hipwise.replies.catalogue import PREFIX, Catalogue, Variation
from hipwise.replies.reply import KINDS, Figure, Reply, Suggestion
from hipwise.safety.regions import Region, load_region
from hipwise.settings import Settings

#: More than three next questions are not read (issue of choice, and Slack, WhatsApp and Messenger show few).
MOST_SUGGESTIONS = 3


class ReplyBuilder:
    """Builds replies from the domain's responses and the knowledge base.

    Args:
        catalogue: the responses.
        knowledge: facts and references.
        settings: who runs this assistant: region, retention, the clinic's telephone.
        region: emergency and crisis numbers.
    """

    def __init__(self, catalogue: Catalogue, knowledge: Knowledge, settings: Settings, region: Region) -> None:
        self.catalogue = catalogue
        self.knowledge = knowledge
        self._values: dict[str, str] = {
            **region.placeholders(),
            "retention_days": str(settings.retention_days),
            "clinic_phone": settings.clinic_phone,
            "citations": "\n".join(reference.citation for reference in knowledge.references.values()),
        }
        self._slots: dict[str, Any] = {"clinic_phone_known": bool(settings.clinic_phone)}

    def reply(
        self,
        topic: str,
        slots: Mapping[str, Any] | None = None,
        *,
        suggestions: Iterable[str] | None = None,
        simple: bool = False,
    ) -> Reply:
        """Return the reply about ``topic`` (an intent's name).

        Args:
            topic: names the response ``utter_<topic>``.
            slots: what is known: slot values choose the variation and fill its placeholders.
            suggestions: topics to offer instead of those that the response names.
            simple: ask for the simpler wording where there is one.

        Raises:
            HipwiseError: there is no such response, its kind is unknown, or a placeholder has no value.
        """
        known = {**(slots or {}), **self._slots}
        if simple:
            known["wording"] = "simple"
        variation = self.catalogue.choose(PREFIX + topic, known)
        metadata = variation.metadata
        kind = metadata.get("kind")
        if kind not in KINDS:
            raise HipwiseError(f"domain.yml: the response 'utter_{topic}' has the kind {kind!r}, which is none.")
        facts = tuple(metadata.get("facts") or ())
        references = self.knowledge.cite(facts)
        for reference_id in metadata.get("references") or ():
            reference = self.knowledge.references.get(reference_id)
            if reference is None:
                raise HipwiseError(f"domain.yml: 'utter_{topic}' names the reference {reference_id!r}, which is none.")
            if reference not in references:
                references = (*references, reference)
        offered = metadata.get("suggestions") or () if suggestions is None else suggestions
        return Reply(
            text=self._fill(variation, known, topic),
            kind=kind,
            facts=facts,
            references=references,
            suggestions=self.suggest(offered),
            figure=self._figure(metadata.get("figure")),
            topic=topic,
            citation=self.citation_line() if facts else "",
        )

    def suggest(self, topics: Iterable[str]) -> tuple[Suggestion, ...]:
        """Return at most three suggestions for ``topics``, leaving out those without a title."""
        found = []
        for topic in topics:
            about = self.catalogue.about(topic)
            if title := about.get("title"):
                found.append(Suggestion(title=title, payload=f"/{topic}", short=about.get("title20") or title[:20]))
        return tuple(found[:MOST_SUGGESTIONS])

    def citation_line(self) -> str:
        """Return the line that says what an answer is based on, for channels that show text only."""
        return self.catalogue.default("utter_citation").text

    def _figure(self, name: str | None) -> Figure | None:
        if not name:
            return None
        return Figure(url=f"/figures/{name}.svg", alt=self.catalogue.default(f"utter_figure_{name}").text)

    def _fill(self, variation: Variation, slots: Mapping[str, Any], topic: str) -> str:
        if "{" not in variation.text:
            return variation.text
        values = {**{name: str(value) for name, value in slots.items() if value is not None}, **self._values}
        try:
            text = variation.text.format_map(values)
        except KeyError as error:
            raise HipwiseError(f"domain.yml: 'utter_{topic}' has the placeholder {error}, which has no value.") from error
        # A sentence may begin with what the patient named: "{medicine} is one of ...".
        return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def default_builder() -> ReplyBuilder:
    """Return the builder on the project's own files, read once in a process."""
    settings = Settings.from_environment()
    return ReplyBuilder(Catalogue.load(), Knowledge.load(), settings, load_region(settings.region))
