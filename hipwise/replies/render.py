"""Renders a reply as text for people."""

from __future__ import annotations

from hipwise.replies.reply import Reply


def plain_text(reply: Reply) -> str:
    """Return words and citation as one text without a blank line, so that no channel tears them apart."""
    return "\n".join(part for part in (reply.text, reply.citation) if part)


def terminal(reply: Reply, *, colour: bool = False) -> str:
    """Return the reply as a person in a terminal reads it.

    Args:
        reply: what to show.
        colour: use ANSI colours: red and bold for an emergency, dim for the citation.
    """

    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour and text else text

    # The word stands there too: colour alone would not reach everyone.
    urgent = reply.kind in ("urgent", "crisis")
    lines = [paint("1;31", f"EMERGENCY: {reply.text}") if urgent else reply.text]
    if reply.citation:
        lines.append(paint("2", reply.citation))
    lines.extend(paint("36", f"  > {suggestion.title}") for suggestion in reply.suggestions)
    return "\n".join(lines)
