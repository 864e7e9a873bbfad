"""Structured logs: one JSON object a line, and never a patient's words.

A line of ours is written from constant event names and from fields that are numbers, codes or class names. A line of a
library is reduced to where it came from: its text, its arguments and its exception's message may quote the patient, so none
of the three is printed, at any level. What is lost for debugging is made up for by the places: file, line and function of
every frame, without values.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

_PLAIN = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime", "taskName"}
#: Frames named at most, the innermost ones.
_FRAMES = 8

log = logging.getLogger("hipwise.process")


class JsonFormatter(logging.Formatter):
    """Formats a record as ``{"time", "level", "event", ...}``; see the module for what it leaves out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its line end."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name.partition(".")[0] == "hipwise":
            entry["event"] = record.getMessage()
            entry.update((name, value) for name, value in record.__dict__.items() if name not in _PLAIN)
        else:
            entry["event"] = "library"
            entry["logger"] = record.name
            entry["where"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
            entry["trace"] = trace(record.exc_info[2])
        return json.dumps(entry, ensure_ascii=False, default=lambda value: type(value).__name__)


def trace(traceback: TracebackType | None) -> list[str]:
    """Return the innermost frames of ``traceback`` as ``file:line function``, outermost first, without any value."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-_FRAMES:]


def configure(level: str = "INFO") -> None:
    """Send all logs to standard error as JSON, at ``level`` for Hipwise itself and WARNING for libraries.

    Whatever else Python prints on its own (warnings, exceptions in threads and finalizers) goes the same way.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    # Libraries that bring handlers of their own would print beside ours.
    for name in list(logging.root.manager.loggerDict):
        other = logging.getLogger(name)
        other.handlers.clear()
        other.propagate = True
    logging.getLogger("hipwise").setLevel(level.upper())
    logging.captureWarnings(True)
    sys.unraisablehook = lambda args: log.error("unraisable", extra=describe(args.exc_value))
    threading.excepthook = lambda args: log.error("thread_failed", extra=describe(args.exc_value))


def on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what an event loop has to say about an exception that nobody awaited. For ``loop.set_exception_handler``."""
    log.error("task_failed", extra=describe(context.get("exception")))


def describe(error: BaseException | None) -> dict[str, Any]:
    """Return the fields that tell an exception without its text: ``error`` and ``trace``."""
    if error is None:
        return {"error": None, "trace": []}
    return {"error": type(error).__name__, "trace": trace(error.__traceback__)}
