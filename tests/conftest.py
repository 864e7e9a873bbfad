"""What all tests share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

# Before anything imports Rasa: no telemetry, no warning that Rasa's SQLAlchemy prints by itself.
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")

if TYPE_CHECKING:
    from hipwise.conversation import Conversations


@pytest.fixture(scope="session")
def agent() -> Any:
    """The trained assistant, loaded once for all tests that need it."""
    from hipwise.agent import load_agent
    from hipwise.errors import HipwiseError

    try:
        return load_agent()
    except HipwiseError as error:
        pytest.fail(f"{error} (`make train` does)")


@pytest.fixture
def conversations(agent: Any) -> Conversations:
    """Conversations with the trained assistant that are kept in memory only."""
    from hipwise.conversation import Conversations
    from hipwise.paths import KNOWLEDGE
    from hipwise.replies.build import default_builder
    from hipwise.safety import SafetyCheck

    return Conversations(agent, default_builder(), SafetyCheck(KNOWLEDGE / "safety.yml"))
