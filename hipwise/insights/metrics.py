"""Prometheus metrics. Labels are channels, kinds and red-flag topics: nothing of a person."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hipwise.replies.reply import Reply

registry = CollectorRegistry()

turns = Counter("hipwise_turns_total", "Messages answered.", ["channel"], registry=registry)
replies_by_kind = Counter("hipwise_replies_total", "Replies said, by kind.", ["channel", "kind"], registry=registry)
failures = Counter("hipwise_failures_total", "Messages that could not be answered.", ["channel"], registry=registry)
sends_failed = Counter("hipwise_sends_failed_total", "Replies that a platform did not take.", ["channel"], registry=registry)
refused = Counter("hipwise_refused_total", "Requests refused, by error code.", ["code"], registry=registry)
seconds = Histogram(
    "hipwise_turn_seconds",
    "Time from message to replies.",
    ["channel"],
    buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56),
    registry=registry,
)
ready = Gauge("hipwise_ready", "1 once the model answers.", registry=registry)


def observe_turn(channel: str, replies: Iterable[Reply], duration: float) -> None:
    """Count one turn that took ``duration`` seconds."""
    turns.labels(channel=channel).inc()
    seconds.labels(channel=channel).observe(duration)
    for reply in replies:
        replies_by_kind.labels(channel=channel, kind=reply.kind).inc()


def as_text() -> bytes:
    """Return all metrics in Prometheus's text format."""
    return bytes(generate_latest(registry))
