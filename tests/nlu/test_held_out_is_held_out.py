"""Held-out messages measure nothing once they are trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hipwise.paths import DATA
from hipwise.yaml_files import read_yaml

HERE = Path(__file__).parent
SAFETY = HERE.parent / "safety" / "held_out"


def normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def texts(path: Path) -> Iterator[str]:
    for block in read_yaml(path)["messages"]:
        yield from block["texts"] if "texts" in block else [block["text"]]


@pytest.mark.parametrize("path", [*sorted(HERE.glob("*.yml")), *sorted(SAFETY.glob("*.yml"))], ids=lambda p: p.stem)
def test_no_held_out_message_is_trained_on(path: Path) -> None:
    trained = {
        normal(line.strip().removeprefix("- "))
        for file in DATA.glob("*.yml")
        for entry in read_yaml(file).get("nlu") or ()
        if "intent" in entry
        for line in entry["examples"].splitlines()
    }
    assert len(trained) > 5_000
    held_out = list(texts(path))
    assert len(held_out) >= 70
    assert not [text for text in held_out if normal(text) in trained]
