"""When a model is trained anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hipwise import training
from hipwise.paths import HOME

#: Modules that what is trained uses, and whose change changes no model.
_PLUMBING = {"hipwise.errors", "hipwise.memory", "hipwise.paths", "hipwise.yaml_files"}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "hipwise":
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if _file(whole) else node.module


def _file(module: str) -> Path | None:
    place = HOME.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def test_a_change_of_any_module_that_makes_the_model_asks_for_a_new_one() -> None:
    # hipwise/rows/ was made out of modules that counted, and did not count itself: the old model would have been kept.
    sources = set(training.sources())
    ours = [path for path in sources if path.suffix == ".py"]
    needed = {module for path in ours for module in _imported(path)} - _PLUMBING
    assert {"hipwise.rows.dense", "hipwise.onnx_format"} <= needed
    assert not {module for module in needed if _file(module) not in sources}


def test_the_fingerprint_is_of_names_and_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.yml", tmp_path / "other.yml"
    monkeypatch.setattr(training, "HOME", tmp_path)
    monkeypatch.setattr(training, "sources", lambda: iter([one, other]))
    found = []
    for contents in (("a", "b"), ("b", "a"), ("a", "b")):
        for file, content in zip((one, other), contents, strict=True):
            file.write_text(content)
        found.append(training.fingerprint())
    assert found[0] == found[2] != found[1]
