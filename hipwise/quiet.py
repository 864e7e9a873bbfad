"""Keeps patients' words out of the logs."""

from __future__ import annotations

import logging
import os
import warnings


def quieten() -> None:
    """Let no library log below WARNING, and none of Rasa's debug lines, which hold the messages, at any level.

    Rasa logs through structlog, whose default prints every DEBUG event to standard output: embedding ``Agent`` without
    configuring it printed what patients wrote.
    """
    # SQLAlchemy 1.4 prints this one on its own, whatever the warning filters say.
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=True
    )
    for name in ("rasa", "rasa_sdk", "matplotlib", "asyncio", "sanic.root", "sanic.access", "sanic.error"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # SQLAlchemy 1.4 and argparse warn about what Rasa does at import; nobody here can act on it.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", message=".*SQLAlchemy 2.0.*")
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    # Rasa says so whenever a domain has slots.
    warnings.filterwarnings("ignore", message="Slot auto-fill has been removed")
