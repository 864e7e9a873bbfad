"""Measures Hipwise beside stock Rasa and writes the table and the picture of docs/performance.md.

``make bench`` runs it, in less than ten minutes. Both are asked over HTTP on this machine, by the same tool, with the same
messages, one after the other and never at the same time. What is repeated is given as median and range.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.performance import load, report, stock
from benchmarks.performance.servers import HOME, Server, hipwise, post, stock_rasa

#: Messages of one long conversation; the first and the last twenty are compared, and are the same twenty.
_LONG = 200
_EDGE = 20


def main() -> int:
    """Run the benchmark; 0 unless it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance", description=__doc__)
    parser.add_argument("--ours-only", action="store_true", help="leave stock Rasa out; nothing is written")
    parser.add_argument("--seconds", type=float, default=8, help="seconds of each load")
    parser.add_argument("--repeat", type=int, default=3, help="how often what is quick is repeated")
    parser.add_argument("--results", type=Path, default=HOME / "build" / "performance.json", help="where the figures go")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hipwise-benchmark-") as name:
        folder = Path(name)
        figures: dict[str, Any] = {"machine": report.machine(), "load_before": os.getloadavg()[0]}
        figures["ours"] = _step("hipwise", lambda: ours(folder, options.seconds, options.repeat))
        if not options.ours_only:
            figures["stock"] = _step("stock Rasa", lambda: theirs(folder, options.seconds, options.repeat))
    figures["minutes"] = round((time.monotonic() - began) / 60, 1)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(report.table(figures))
    if not options.ours_only:
        report.write(figures)
    return 0


def _step(what: str, measure: Callable[[], Any]) -> Any:
    started = time.monotonic()
    print(f"{what} ...", file=sys.stderr, flush=True)
    result = measure()
    print(f"{what}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return result


def ours(folder: Path, seconds: float, repeat: int) -> dict[str, Any]:
    """Return Hipwise's figures: lists where it was repeated."""
    env = load.prepare(folder)
    figures: dict[str, Any] = {}
    figures["installed_mb"] = _step("  install without development packages", lambda: _installed(folder))
    figures["training_s"], figures["training_mb"] = _step("  train", lambda: _training(folder))
    figures["ask_s"] = _step("  ask --json", lambda: [_ask(500) for _ in range(repeat)])
    starts = []
    for number in range(repeat):
        place = folder / f"start{number}"
        place.mkdir()
        with hipwise(place) as server:
            starts.append(server.first_answer)
    figures["start_s"] = starts
    place = folder / "ours"
    place.mkdir()
    with hipwise(place) as server:
        before = sum(server.memory())
        conversations = _step("  1,000 conversations", lambda: _open(server, 1000, Path(env["CONVERSATIONS"])))
        figures["conversation_kb"] = max(0.0, (sum(server.memory()) - before) * 1024 / conversations)
        _load(figures, server, "ours.lua", env, seconds, repeat)
        figures["too_long_ms"] = _step("  a message of 20,000 characters", lambda: _too_long(server, env, repeat))
        figures["turn_200"] = _step("  a long conversation", lambda: _long(_our_turns(server)))
        figures["memory_mb"] = sum(server.memory())
    return figures


def theirs(folder: Path, seconds: float, repeat: int) -> dict[str, Any]:
    """Return stock Rasa's figures; what takes it minutes is measured once."""
    env = load.prepare(folder)
    trained = stock.train()
    figures: dict[str, Any] = {"training_s": trained["all_seconds"], "training_mb": trained["peak_mb"]}
    figures["installed_mb"] = _size(HOME / ".venv-stock")
    place = folder / "stock"
    place.mkdir()
    with stock_rasa(place) as server:
        figures["start_s"] = [server.first_answer]
        before = sum(server.memory())
        count = 150
        _step("  conversations", lambda: _open_stock(server, count))
        figures["conversation_kb"] = max(0.0, (sum(server.memory()) - before) * 1024 / count)
        _load(figures, server, "stock.lua", env, seconds, repeat)
        figures["turn_200"] = _step("  a long conversation", lambda: _long(lambda text: _ask_stock(server, "long", text)))
        processes = server.memory()
        figures["memory_mb"], figures["memory_processes_mb"] = sum(processes), processes
        figures["too_long_ms"] = _step("  a message of 20,000 characters", lambda: [_too_long_for_stock(server)])
        figures["too_long_mb"] = sum(server.peak())
    return figures


def _installed(folder: Path) -> float:
    place = folder / "installed"
    env = os.environ | {"UV_PROJECT_ENVIRONMENT": str(place), "UV_LINK_MODE": "copy"}
    uv = os.environ.get("UV", "uv")
    subprocess.run([uv, "sync", "--frozen", "--no-dev", "--quiet", "--no-install-project"], cwd=HOME, env=env, check=True)
    return _size(place)


def _size(folder: Path) -> float:
    """Return what a folder takes on the disk, in MB; bytecode included."""
    done = subprocess.run(["du", "-sm", str(folder.resolve())], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def _training(folder: Path) -> tuple[float, float]:
    code = "import sys, pathlib; from hipwise.training import train; train(force=True, models=pathlib.Path(sys.argv[1]))"
    env = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(folder / "models")], cwd=HOME, env=env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit("training failed; see `hipwise train --force`")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def _ask(count: int) -> float:
    lines = [f"{number} {text}" for number, text in enumerate((load.messages(200) * 3)[:count])]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "hipwise.cli", "ask", "--json"], input="\n".join(lines) + "\n", text=True, cwd=HOME,
                   stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _open(server: Server, count: int, path: Path) -> int:
    load.open_conversations(server, count, path)
    return count


def _open_stock(server: Server, count: int) -> None:
    for number in range(count):
        _ask_stock(server, f"open-{number}", "hello")


def _load(figures: dict[str, Any], server: Server, script: str, env: dict[str, str], seconds: float, repeat: int) -> None:
    load.run(server, script, env, clients=1, seconds=2, name="warm")
    one = [load.run(server, script, env, clients=1, seconds=seconds, name=f"one{n}") for n in range(repeat)]
    many = [load.run(server, script, env, clients=32, seconds=seconds, name=f"many{n}") for n in range(repeat)]
    figures["turn_ms"] = [result.p50 for result in one]
    figures["turn_p99_ms"] = [result.p99 for result in one]
    figures["turns_s"] = [result.rate for result in many]
    figures["turns"] = sum(result.requests for result in one + many)
    figures["errors"] = sum(result.errors for result in one + many)


def _our_turns(server: Server) -> Callable[[str], None]:
    _, opened = post(server.port, "/api/v1/conversations", {"channel": "web"})
    path, number = f"/api/v1/conversations/{opened['id']}/messages", 0

    def turn(text: str) -> None:
        nonlocal number
        number += 1
        status, _ = post(server.port, path, {"text": text, "message_id": str(number)}, opened["token"])
        if status != 200:
            raise SystemExit(f"the server answered {status}")

    return turn


def _ask_stock(server: Server, sender: str, text: str) -> None:
    post(server.port, "/webhooks/rest/webhook", {"sender": sender, "message": text})


def _long(turn: Callable[[str], None]) -> dict[str, float]:
    """Return the median milliseconds of the first and of the last turns of a conversation, which ask the same."""
    texts = load.messages(_EDGE)
    times = []
    for number in range(_LONG):
        started = time.perf_counter()
        turn(f"{number} {texts[number % _EDGE]}")  # new each time: vectors of what was asked before are remembered
        times.append((time.perf_counter() - started) * 1000)
    return {"first": statistics.median(times[:_EDGE]), "last": statistics.median(times[-_EDGE:])}


def _too_long(server: Server, env: dict[str, str], repeat: int) -> list[float]:
    conversation, token = Path(env["CONVERSATIONS"]).read_text().split("\n", 1)[0].split()
    path = f"/api/v1/conversations/{conversation}/messages"
    times = []
    for _ in range(10 * repeat):
        started = time.perf_counter()
        status, _ = post(server.port, path, {"text": "my hip hurts " * 1539, "message_id": "long"}, token)
        times.append((time.perf_counter() - started) * 1000)
        if status != 413:
            raise SystemExit(f"a message of 20,000 characters got {status}")
    return times


def _too_long_for_stock(server: Server) -> float:
    started = time.perf_counter()
    _ask_stock(server, "too-long", "my hip hurts " * 1539)
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    sys.exit(main())
