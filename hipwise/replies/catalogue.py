"""The words of ``domain.yml``, with the metadata that says what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hipwise.errors import HipwiseError
from hipwise.paths import DOMAIN
from hipwise.yaml_files import read_yaml

PREFIX = "utter_"


@dataclass(frozen=True)
class Variation:
    """One wording of a response. ``conditions`` maps slot names to the value that each must have."""

    text: str
    conditions: Mapping[str, Any]
    metadata: Mapping[str, Any]

    def fits(self, slots: Mapping[str, Any]) -> bool:
        """Return whether every condition holds for ``slots``."""
        return all(slots.get(name) == value for name, value in self.conditions.items())


class Catalogue:
    """The responses by name.

    Rasa's own generator picks at random among the variations whose conditions hold. An answer about someone's hip should
    not depend on chance, so here the first variation that fits is said, conditional ones before the default, as they stand
    in the file. A variation's metadata is laid over that of the first one, which therefore states what is common.

    Raises:
        HipwiseError: a response has no text or no metadata.
    """

    def __init__(self, responses: Mapping[str, list[dict[str, Any]]], where: str = "domain.yml") -> None:
        self._variations: dict[str, tuple[Variation, ...]] = {}
        for name, entries in responses.items():
            if not entries or not all(isinstance(entry, dict) and entry.get("text") for entry in entries):
                raise HipwiseError(f"{where}: the response {name!r} has a variation without text.")
            common = entries[0].get("metadata") or {}
            variations = [
                Variation(
                    text=" ".join(entry["text"].split()) if "\n\n" in entry["text"] else entry["text"].strip(),
                    conditions={c["name"]: c.get("value") for c in entry.get("condition") or ()},
                    metadata={**common, **(entry.get("metadata") or {})},
                )
                for entry in entries
            ]
            self._variations[name] = tuple(sorted(variations, key=lambda v: not v.conditions))

    @classmethod
    def load(cls, domain: Path = DOMAIN) -> Catalogue:
        """Read the responses of the Rasa domain file ``domain``."""
        content = read_yaml(domain)
        if not isinstance(content, dict) or not isinstance(content.get("responses"), dict):
            raise HipwiseError(f"{domain}: has no 'responses'.")
        return cls(content["responses"], str(domain))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all responses."""
        return tuple(self._variations)

    def variations(self, name: str) -> tuple[Variation, ...]:
        """Return the wordings of the response ``name``, conditional ones first.

        Raises:
            HipwiseError: there is no such response.
        """
        try:
            return self._variations[name]
        except KeyError as error:
            raise HipwiseError(f"domain.yml: there is no response {name!r}.") from error

    def choose(self, name: str, slots: Mapping[str, Any]) -> Variation:
        """Return the wording of ``name`` for these slots."""
        variations = self.variations(name)
        return next((v for v in variations if v.fits(slots)), variations[-1])

    def default(self, name: str) -> Variation:
        """Return the wording of ``name`` that has no condition."""
        return self.variations(name)[-1]

    def has(self, topic: str) -> bool:
        """Return whether there is a response for the topic (an intent's name)."""
        return PREFIX + topic in self._variations

    def about(self, topic: str) -> Mapping[str, Any]:
        """Return the metadata of a topic's default wording; empty where the topic has no response."""
        return self.default(PREFIX + topic).metadata if self.has(topic) else {}

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """The topics that have an own kind of reply: every response that says its ``kind``."""
        return tuple(name[len(PREFIX) :] for name in self._variations if "kind" in self.default(name).metadata)
