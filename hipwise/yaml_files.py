"""Reads the project's YAML files and says in one sentence what is wrong with one that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hipwise.errors import HipwiseError

# libyaml reads domain.yml ten times faster than the pure Python loader; PyYAML's wheels have it, a source build may not.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """Return the content of the YAML file ``path``.

    Raises:
        HipwiseError: the file is not there, or is not YAML; the message names the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise HipwiseError(f"{path}: cannot be read ({error.strerror}).") from error
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, chosen above
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "unknown place"
        raise HipwiseError(f"{path}, {where}: not valid YAML ({error.problem}).") from error
