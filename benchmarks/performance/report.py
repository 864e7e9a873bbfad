"""Writes what was measured: a table between two marks in docs/performance.md, and a picture beside it."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.performance.servers import HOME

PAGE = HOME / "docs" / "performance.md"
PICTURE = HOME / "docs" / "performance.svg"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def machine() -> str:
    """Return what machine this is, in a few words."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _middle(values: Any) -> float:
    return statistics.median(values) if isinstance(values, list) else float(values)


def _show(values: Any, unit: str, digits: int) -> str:
    """Return the median, and the range where there are several."""
    text = f"{_middle(values):,.{digits}f}"
    if isinstance(values, list) and len(values) > 1:
        text += f" ({min(values):,.{digits}f} to {max(values):,.{digits}f})"
    return f"{text} {unit}"


def rows(figures: dict[str, Any]) -> list[tuple[str, Any, Any, str, int, str]]:
    """Return ``(what, stock's value, ours, unit, digits, must)`` for each line of the table."""
    ours, stock = figures["ours"], figures.get("stock", {})

    def grows(side: dict[str, Any]) -> Any:
        return side["turn_200"]["last"] / side["turn_200"]["first"] if "turn_200" in side else None

    line = [
        ("installed, production dependencies", "installed_mb", "MB", 0, "1,000 MB"),
        ("process start to first answer", "start_s", "s", 1, "8 s"),
        ("memory after 1,000 turns and more", "memory_mb", "MB", 0, "350 MB"),
        ("training from nothing", "training_s", "s", 1, "20 s"),
        ("one turn over HTTP, one client, median", "turn_ms", "ms", 1, "15 ms"),
        ("the same, 99th percentile", "turn_p99_ms", "ms", 1, "40 ms"),
        ("turns a second, 32 clients", "turns_s", "/s", 1, "8 x stock"),
        ("memory of each of 1,000 open conversations", "conversation_kb", "KB", 1, "50 KB"),
        ("a message of 20,000 characters", "too_long_ms", "ms", 1, "5 ms, refused"),
        ("`hipwise ask --json`, 500 messages", "ask_s", "s", 1, "12 s"),
    ]
    found = [(what, stock.get(key), ours.get(key), unit, digits, must) for what, key, unit, digits, must in line]
    found.insert(7, ("turn 200 of one conversation against turn 1", grows(stock), grows(ours), "x", 2, "1.3 x"))
    return found


def table(figures: dict[str, Any]) -> str:
    """Return the table in Markdown."""
    lines = ["| what | stock Rasa | Hipwise | times | must |", "|---|---|---|---|---|"]
    for what, stock, ours, unit, digits, must in rows(figures):
        left = "-" if stock is None else _show(stock, unit, digits)
        ratio = "-"
        if stock is not None and ours is not None and _middle(ours) > 0:
            quotient = _middle(stock) / _middle(ours)
            ratio = f"{1 / quotient if unit == '/s' else quotient:,.1f}"
        lines.append(f"| {what} | {left} | {_show(ours, unit, digits) if ours is not None else '-'} | {ratio} | {must} |")
    return "\n".join(lines)


def write(figures: dict[str, Any]) -> None:
    """Put the table into the page, and draw the picture."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    stock = figures["stock"]
    ours, errors = figures["ours"], figures["ours"]["errors"] + stock["errors"]
    processes = " and ".join(f"{value:,.0f}" for value in stock["memory_processes_mb"])
    note = (
        f"Measured {time.strftime('%Y-%m-%d')} in {figures['minutes']} minutes on {figures['machine']}; load average before: "
        f"{figures['load_before']:.1f}. Median, and range where it was repeated. {ours['turns']:,} turns of Hipwise and "
        f"{stock['turns']:,} of stock Rasa, {errors} failed. Stock Rasa's memory is its two processes' ({processes} MB); "
        f"the long message made it grow to {stock['too_long_mb']:,.0f} MB."
    )
    PAGE.write_text(f"{before}{_BEGIN}\n{table(figures)}\n\n{note}\n{_END}{after}", encoding="utf-8")
    draw(figures)


def draw(figures: dict[str, Any]) -> None:
    """Draw how many times less (or more, for turns a second) Hipwise takes, on a logarithmic scale."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "hipwise"
    import matplotlib.pyplot as plt

    bars = []
    for what, stock, ours, unit, digits, _ in rows(figures):
        if stock is None or ours is None or not _middle(ours) > 0:
            continue
        quotient = _middle(stock) / _middle(ours)
        values = f"{_middle(stock):,.{digits}f} → {_middle(ours):,.{digits}f} {unit}"
        bars.append((what, 1 / quotient if unit == "/s" else quotient, values))
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(bars) + 1.1))
    axes.barh([what for what, _, _ in bars], [times for _, times, _ in bars], color="#1f6f78")
    for place, (_, times, values) in enumerate(bars):
        axes.annotate(f" {times:,.1f} x   {values}", (times, place), va="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(0.8, max(times for _, times, _ in bars) * 30)
    axes.invert_yaxis()
    axes.set_xlabel("times better than stock Rasa")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None})
    plt.close(figure)
