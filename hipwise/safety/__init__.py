"""The safety check: red flags and crises are found before anything else looks at a message."""

from __future__ import annotations

from hipwise.safety.check import SafetyCheck, SafetyFinding, emergency_numbers
from hipwise.safety.rules import Numbers, SafetyRules

__all__ = ["Numbers", "SafetyCheck", "SafetyFinding", "SafetyRules", "emergency_numbers"]
