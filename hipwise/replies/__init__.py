"""Builds a reply from the words in ``domain.yml`` and renders it for people."""

from __future__ import annotations

from hipwise.replies.build import ReplyBuilder
from hipwise.replies.catalogue import Catalogue
from hipwise.replies.reply import Figure, Reply, Suggestion

__all__ = ["Catalogue", "Figure", "Reply", "ReplyBuilder", "Suggestion"]
