"""Where the project's own files are."""

from __future__ import annotations

import os
from pathlib import Path

#: The folder that holds config.yml, domain.yml, data/ and knowledge/. An installed wheel is told by ``HIPWISE_HOME``.
HOME = Path(os.environ.get("HIPWISE_HOME", Path(__file__).resolve().parent.parent))

DOMAIN = HOME / "domain.yml"
CONFIG = HOME / "config.yml"
DATA = HOME / "data"
KNOWLEDGE = HOME / "knowledge"
MODELS = HOME / "models"
WEB = HOME / "web" / "dist"
#: What the running server writes: the conversations and the signing key.
VAR = HOME / "var"
