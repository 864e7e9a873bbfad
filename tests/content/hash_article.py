"""Writes the hashes of the article's word sequences, so that a test can find its sentences without holding them.

Run it with ``python -m tests.content.hash_article ARTICLE.txt`` when the article changes.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: Words in a row that count as copied.
LENGTH = 8
HASHES = Path(__file__).with_name("article_hashes.txt")


def sequences(text: str) -> Iterator[str]:
    """Yield a hash (16 hexadecimal digits of SHA-256) of every run of eight words in ``text``."""
    words = re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", ""))
    for start in range(len(words) - LENGTH + 1):
        yield hashlib.sha256(" ".join(words[start : start + LENGTH]).encode()).hexdigest()[:16]


if __name__ == "__main__":
    HASHES.write_text("\n".join(sorted(set(sequences(Path(sys.argv[1]).read_text(encoding="utf-8"))))) + "\n")
