"""Hipwise answers patients' questions about transient osteoporosis of the hip, from one article, with its references."""

from __future__ import annotations

__version__ = "0.1.0"
