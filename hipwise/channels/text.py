"""Text within limits: splitting at sentences, GSM-7, and what one turn shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hipwise.replies import Figure, Reply, Suggestion

Measure = Callable[[str], int]

#: Stands before an emergency's words. The word itself, since plain text has no colour.
ALARM = "EMERGENCY:"

# A sentence ends after . ! ? … (and quotes or brackets that close there) before white space, or after the full stop of
# Chinese and Japanese, which no space follows. Not after the full stop of "MD." or "e.g." that a small letter follows.
_SENTENCE_END = re.compile(r"(?<=[.!?…।؟])[\"'”’)\]]*\s+(?![a-z])|(?<=[。！？])\s*")
_ABBREVIATION = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|St|No|vs|etc|approx)|\b[A-Za-z]\.?[a-z]?)\.$")


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 units, in which Telegram counts and others may."""
    return len(text) + sum(character > "\uffff" for character in text)


def sentences(text: str) -> list[str]:
    """Return the sentences, each with the white space after it: joined, they are the text again."""
    parts, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > start and not _ABBREVIATION.search(text[start : match.start()]):
            parts.append(text[start : match.end()])
            start = match.end()
    if start < len(text):
        parts.append(text[start:])
    return parts


def split(text: str, citation: str, fits: Callable[[str], bool]) -> list[str]:
    """Return ``text`` in parts that fit, the citation on a line of its own in the last.

    Parts end at sentences; only a sentence that does not fit by itself is split at a space, and only a word that does not
    fit is cut. The citation never stands alone unless it fits with no word at all.

    Args:
        text: the words.
        citation: what they are based on; may be empty.
        fits: whether one part is within the platform's limits.
    """
    tail = f"\n{citation}" if citation else ""
    pieces = _fitting(sentences(text.strip()), fits)
    if tail and pieces:
        # The last piece and the citation belong together: if need be, only the end of the last sentence stays with it.
        last = pieces.pop()
        while not fits(last.rstrip() + tail):
            head, _, rest = last.rstrip().partition(" ")
            if not rest:
                break
            pieces.append(f"{head} ")
            last = rest
        pieces.extend([last.rstrip() + tail] if fits(last.rstrip() + tail) else [last, *_fitting([citation], fits)])
    elif tail:
        pieces = _fitting([citation], fits)
    parts: list[str] = []
    for piece in pieces:
        if parts and fits((parts[-1] + piece).rstrip()):
            parts[-1] += piece
        else:
            parts.append(piece)
    return [part.strip() for part in parts if part.strip()]


def _fitting(pieces: Sequence[str], fits: Callable[[str], bool]) -> list[str]:
    """Return the pieces, those that do not fit cut at spaces, or anywhere in a word that is itself too long."""
    found: list[str] = []
    for piece in pieces:
        if fits(piece.rstrip()):
            found.append(piece)
            continue
        for word in re.findall(r"\S+\s*", piece):
            while not fits(word.rstrip()):
                cut = next((n for n in range(len(word) - 1, 1, -1) if fits(word[:n])), 1)
                found.append(word[:cut])
                word = word[cut:]
            if found and found[-1][-1:].isspace() and fits((found[-1] + word).rstrip()):
                found[-1] += word
            else:
                found.append(word)
    return found


def within(limit: int, measure: Measure = utf16_length) -> Callable[[str], bool]:
    """Return a test whether a text measures at most ``limit``."""
    return lambda text: measure(text) <= limit


def shorten(text: str, limit: int) -> str:
    """Return ``text`` cut at a word to at most ``limit`` UTF-16 units, an ellipsis at the end where it was cut."""
    if utf16_length(text) <= limit:
        return text
    while text and utf16_length(text) > limit - 1:
        head, _, _ = text.rpartition(" ")
        text = head or text[:-1]
    return text + "…"


def label(suggestion: Suggestion, limit: int) -> str:
    """Return a suggestion's title for a button that holds ``limit`` UTF-16 units: the short one where the title is longer."""
    if utf16_length(suggestion.title) <= limit:
        return suggestion.title
    return shorten(suggestion.short or suggestion.title, limit)


@dataclass(frozen=True)
class Page:
    """One reply as a platform shows it: the words (an emergency's begin with :data:`ALARM`), and what stands under them."""

    text: str
    citation: str
    alarm: bool
    suggestions: tuple[Suggestion, ...]
    figure: Figure | None
    reply: Reply


def pages(replies: Sequence[Reply]) -> list[Page]:
    """Return one turn as pages.

    Suggestions stand once, under the last reply that has any: nine buttons after three answers are no help. After emergency
    advice there are none, for nothing should compete with it.
    """
    urgent = any(reply.kind in ("urgent", "crisis") for reply in replies)
    last = max((number for number, reply in enumerate(replies) if reply.suggestions), default=-1)
    found = []
    for number, reply in enumerate(replies):
        alarm = reply.kind in ("urgent", "crisis")
        found.append(
            Page(
                text=f"{ALARM} {reply.text}" if alarm else reply.text,
                citation=reply.citation,
                alarm=alarm,
                suggestions=() if urgent or number != last else reply.suggestions,
                figure=reply.figure,
                reply=reply,
            )
        )
    return found


def offered(replies: Sequence[Reply]) -> tuple[Suggestion, ...]:
    """Return the suggestions that :func:`pages` shows for this turn, in order."""
    return next((page.suggestions for page in pages(replies) if page.suggestions), ())


# --- SMS -------------------------------------------------------------------------------------------------------------

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Characters that GSM-7 has in its extension table: they take two places.
_GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")
_PLAIN = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "′": "'", "″": '"', "`": "'",
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-", "·": "-", "×": "x", "→": "->",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2007": " ", "\u200b": "", "\u2060": "", "\ufeff": "", "\t": " ",
    }
)  # fmt: skip


def is_gsm7(text: str) -> bool:
    """Return whether every character is in GSM 03.38's default alphabet or its extension."""
    return all(character in _GSM7 or character in _GSM7_EXTENDED for character in text)


def to_gsm7(text: str) -> str:
    """Return ``text`` with typographic characters replaced by plain ones, if it is GSM-7 then; else as it is.

    One curly quote makes an SMS UCS-2, with 70 characters instead of 160. Letters are never replaced: what is written in
    another language is sent in its own spelling.
    """
    plain = text.translate(_PLAIN)
    return plain if is_gsm7(plain) else text


def segments(text: str) -> int:
    """Return the number of segments that a carrier makes of ``text``, and charges."""
    if is_gsm7(text):
        return _count([2 if character in _GSM7_EXTENDED else 1 for character in text], 160, 153)
    return _count([2 if character > "\uffff" else 1 for character in text], 70, 67)


def _count(sizes: list[int], alone: int, joined: int) -> int:
    if sum(sizes) <= alone:
        return 1
    number, room = 1, joined
    for size in sizes:
        # Neither an escape sequence nor a surrogate pair is torn between two segments.
        if size > room:
            number, room = number + 1, joined
        room -= size
    return number


# --- Choosing from a numbered list -----------------------------------------------------------------------------------

_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5,
}  # fmt: skip
_CHOICE = re.compile(
    r"(?:(?:option|number|question|answer|choice|reply|the)\s+)*#?\s*(\d{1,2}|[1-5](?:st|nd|rd|th)|[a-z]+)(?:\s+(?:one|please|thanks))?"
)


def choose(text: str, menu: Sequence[Suggestion]) -> Suggestion | None:
    """Return the suggestion that a typed answer to a numbered list chooses, or None.

    "1", "1.", "(1)", "#1", "one", "the first one", "option 1", and the suggestion's own words.
    """
    words = _bare(text)
    for suggestion in menu:
        if words and words in (_bare(suggestion.title), _bare(suggestion.short)):
            return suggestion
    match = _CHOICE.fullmatch(words)
    if match is None:
        return None
    number = int(match[1]) if match[1].isdigit() else _NUMBER_WORDS.get(match[1], 0)
    return menu[number - 1] if 1 <= number <= len(menu) else None


def _bare(text: str) -> str:
    """Return the text in lower case without punctuation around it (and full-width and other digits as ASCII ones)."""
    digits = "".join(str(int(c)) if c.isdecimal() else c for c in text)
    return " ".join(digits.casefold().translate(_PLAIN).strip(" \t\r\n.,:;!?()[]{}<>\"'*_-").split())
