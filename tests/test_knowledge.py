"""Facts and references, and what is said of broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hipwise.errors import HipwiseError
from hipwise.knowledge import Knowledge

FACTS = "source: a\nfacts:\n- {id: x.y, section: who, statement: It is so.}\n"
REFERENCES = "references:\n- {id: a, citation: A, short: A, draws_on: [b]}\n- {id: b, citation: B, short: B}\n"


def knowledge(folder: Path, facts: str = FACTS, references: str = REFERENCES) -> Knowledge:
    (folder / "facts.yml").write_text(facts)
    (folder / "references.yml").write_text(references)
    return Knowledge.load(folder)


def test_a_fact_is_cited_by_its_source_and_what_that_draws_on(tmp_path: Path) -> None:
    cited = knowledge(tmp_path).cite(["x.y", "x.y"])
    assert [reference.id for reference in cited] == ["a", "b"]
    assert cited[0].as_dict() == {"id": "a", "citation": "A", "url": None}


def test_nothing_stated_nothing_cited(tmp_path: Path) -> None:
    assert knowledge(tmp_path).cite([]) == ()


def test_an_unknown_fact_cannot_be_cited(tmp_path: Path) -> None:
    with pytest.raises(HipwiseError, match=r"no fact 'x\.z'"):
        knowledge(tmp_path).cite(["x.z"])


@pytest.mark.parametrize(
    ("facts", "references", "message"),
    [
        ("facts: []\n", REFERENCES, "source"),
        (FACTS.replace("statement: It is so.", ""), REFERENCES, "lacks statement"),
        (FACTS + "- {id: x.y, section: s, statement: Twice.}\n", REFERENCES, "twice"),
        (FACTS.replace("source: a", "source: c"), REFERENCES, "'c'"),
        (FACTS, REFERENCES.replace("[b]", "[d]"), "'d'"),
        ("- no mapping\n", REFERENCES, "facts"),
        (FACTS, "references: [\n", "line"),
    ],
)
def test_what_is_wrong_is_said(facts: str, references: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(HipwiseError, match=message):
        knowledge(tmp_path, facts, references)
