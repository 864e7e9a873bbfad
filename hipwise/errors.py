"""Errors that a person can act on."""

from __future__ import annotations


class HipwiseError(Exception):
    """Something that the person who runs Hipwise has to mend.

    The message is one sentence that says what is wrong and where. The command line prints it without a traceback and exits
    with a status that is not 0.
    """
