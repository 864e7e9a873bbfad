"""The safety check: red flags and crises are found before anything else looks at a message."""

from __future__ import annotations

from hipwise.safety.check import SafetyCheck, SafetyFinding
from hipwise.safety.rules import SafetyRules

__all__ = ["SafetyCheck", "SafetyFinding", "SafetyRules"]
