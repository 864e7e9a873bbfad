"""What the tests of the safety check share."""

from __future__ import annotations

import pytest

from hipwise.paths import KNOWLEDGE
from hipwise.safety import SafetyCheck


@pytest.fixture(scope="session")
def check() -> SafetyCheck:
    """The check with the project's rules."""
    return SafetyCheck(KNOWLEDGE / "safety.yml")
