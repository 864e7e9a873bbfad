"""Makes load with wrk, on this machine only, for so many seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.performance.servers import HOME, Server, post
from hipwise.yaml_files import read_yaml

_SCRIPTS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests answered, seconds, percentiles in milliseconds, and what went wrong."""

    requests: int
    seconds: float
    p50: float
    p90: float
    p99: float
    errors: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def messages(count: int) -> list[str]:
    """Return what patients ask, from the held-out messages, ``count`` of them spread over all topics."""
    blocks = read_yaml(HOME / "tests" / "nlu" / "held_out.yml")["messages"]
    texts = [text for block in blocks for text in block["texts"]]
    return [texts[number * len(texts) // count] for number in range(min(count, len(texts)))]


def prepare(folder: Path) -> dict[str, str]:
    """Write the messages where wrk's scripts find them, and return the environment that tells them."""
    path = folder / "messages.txt"
    path.write_text("".join(json.dumps(text) + "\n" for text in messages(200)), encoding="utf-8")
    return {"MESSAGES": str(path), "CONVERSATIONS": str(folder / "conversations.txt")}


def open_conversations(server: Server, count: int, path: Path) -> None:
    """Open conversations with our server and write their ids and tokens to ``path``."""
    lines = []
    for _ in range(count):
        status, opened = post(server.port, "/api/v1/conversations", {"channel": "web"})
        if status != 201:
            raise SystemExit(f"the server refused a conversation: {status}")
        lines.append(f"{opened['id']} {opened['token']}\n")
    path.write_text("".join(lines))


def run(server: Server, script: str, env: dict[str, str], *, clients: int, seconds: float, name: str) -> Load:
    """Let ``clients`` clients ask for ``seconds``, one question after the other.

    Raises:
        SystemExit: wrk is not installed, or could not run.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("the benchmark makes its load with wrk; `apt-get install wrk`")
    threads = min(2, clients)
    command = [wrk, f"-t{threads}", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "60s",
               "-s", str(_SCRIPTS / script), f"http://127.0.0.1:{server.port}"]
    done = subprocess.run(command, env=os.environ | env | {"RUN": name}, capture_output=True, text=True, check=False)
    results = [line.removeprefix("RESULT ") for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not results:
        raise SystemExit(f"wrk failed: {done.stderr or done.stdout}")
    return Load(**json.loads(results[-1]))
