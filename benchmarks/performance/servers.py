"""Starts, asks, weighs and stops the two servers that are compared."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.performance import stock

HOME = stock.HOME
#: Seconds that a server may take to start.
_PATIENCE = 240


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post(port: int, path: str, body: Any, token: str | None = None, timeout: float = 120) -> tuple[int, Any]:
    """Post JSON to a server on this machine and return the status and the JSON that it answers.

    Raises:
        OSError: nobody listens, or the answer does not come in ``timeout`` seconds.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


class Server:
    """A running server: ours, or stock Rasa with its action server.

    Attributes:
        port: where it listens.
        first_answer: seconds from the start of the process to the first answer.
    """

    def __init__(self, processes: list[subprocess.Popen[bytes]], port: int, log: Path) -> None:
        self.processes = processes
        self.port = port
        self.first_answer = 0.0
        self.log = log

    def memory(self) -> list[float]:
        """Return the resident memory of each process and its children, in MB."""
        return [sum(_resident(pid) for pid in _family(process.pid)) for process in self.processes]

    def peak(self) -> list[float]:
        """Return the most that each process ever had resident, in MB."""
        return [_status(process.pid, "VmHWM") for process in self.processes]

    def stop(self) -> None:
        """Stop it, kindly at first."""
        for process in self.processes:
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _status(pid: int, field: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), 0.0)


def _resident(pid: int) -> float:
    return _status(pid, "VmRSS")


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


@contextmanager
def hipwise(folder: Path) -> Iterator[Server]:
    """Run ``hipwise serve`` with its database in ``folder`` and limits out of the way."""
    port = free_port()
    many = "100000000/minute"
    env = os.environ | {
        "PORT": str(port), "HIPWISE_DATABASE": str(folder / "hipwise.sqlite"), "HIPWISE_RATE_MESSAGES": many,
        "HIPWISE_RATE_ADDRESS": many, "HIPWISE_RATE_OPEN": many,
    }
    started = time.perf_counter()
    with (folder / "hipwise.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "hipwise.cli", "serve"], cwd=HOME, env=env, stdout=log, stderr=log)
    server = Server([process], port, folder / "hipwise.log")

    def ask() -> bool:
        status, opened = post(port, "/api/v1/conversations", {"channel": "web"})
        if status != 201:
            return False
        path = f"/api/v1/conversations/{opened['id']}/messages"
        return post(port, path, {"text": "how long does it last?", "message_id": "first"}, opened["token"])[0] == 200

    with _running(server, ask, started):
        yield server


@contextmanager
def stock_rasa(folder: Path) -> Iterator[Server]:
    """Run ``rasa run`` with ``rasa run actions``, the conversations in the default SQL store."""
    port, actions_port = free_port(), free_port()
    stock.make(actions_port)
    (stock.PROJECT / "rasa.db").unlink(missing_ok=True)
    rasa = [str(stock.PYTHON), "-W", "ignore", "-m", "rasa", "run"]
    started = time.perf_counter()
    with (folder / "stock.log").open("wb") as log:
        processes = [
            subprocess.Popen(
                [*rasa, *arguments], cwd=stock.PROJECT, env=stock.environment(), stdout=log, stderr=log
            )
            for arguments in (["--port", str(port), "-i", "127.0.0.1"],
                              ["actions", "--port", str(actions_port), "--actions", "actions"])
        ]
    server = Server(processes, port, folder / "stock.log")

    def ask() -> bool:
        body = {"sender": "first", "message": "how long does it last?"}
        status, replies = post(port, "/webhooks/rest/webhook", body)
        return status == 200 and bool(replies)

    with _running(server, ask, started):
        yield server


@contextmanager
def _running(server: Server, ask: Callable[[], bool], started: float) -> Iterator[None]:
    try:
        while True:
            try:
                if ask():
                    break
            except OSError:
                pass
            if time.perf_counter() - started > _PATIENCE or any(p.poll() is not None for p in server.processes):
                raise SystemExit(f"the server did not start; see {server.log}")
            time.sleep(0.01)
        server.first_answer = time.perf_counter() - started
        yield
    finally:
        server.stop()
