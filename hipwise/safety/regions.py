"""Emergency and crisis numbers by region, from ``knowledge/regions.yml``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from hipwise.errors import HipwiseError
from hipwise.paths import KNOWLEDGE
from hipwise.yaml_files import read_yaml

#: The entry of ``regions`` that serves every region without one of its own.
NEUTRAL = "neutral"


@dataclass(frozen=True)
class Region:
    """Whom to call. Each is words that fit after "call": a number, or a phrase where no number holds everywhere."""

    emergency_number: str
    crisis_line: str
    poison_line: str

    def placeholders(self) -> dict[str, str]:
        """Return the values by the names that the responses use."""
        return asdict(self)


def load_region(name: str, path: Path = KNOWLEDGE / "regions.yml") -> Region:
    """Return the numbers of the region ``name``, or the neutral wording where the file does not know it.

    Raises:
        HipwiseError: the file has no such section, or an entry lacks a number.
    """
    content = read_yaml(path)
    regions = content.get("regions") if isinstance(content, dict) else None
    if not isinstance(regions, dict) or NEUTRAL not in regions:
        raise HipwiseError(f"{path}: 'regions' must have at least the entry {NEUTRAL!r}.")
    entry: dict[str, object] = regions.get(name.upper()) or regions[NEUTRAL]
    try:
        return Region(**{field: str(entry[field]) for field in Region.__dataclass_fields__})
    except (KeyError, TypeError) as error:
        raise HipwiseError(f"{path}: the region {name!r} lacks {error}.") from error
