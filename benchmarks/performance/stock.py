"""A project for stock Rasa with the same data and content: ``python -m benchmarks.performance.stock`` makes and trains it.

Everything is as Rasa comes: its default pipeline and policies, its own REST channel, action server and SQL tracker store.
The training data, the domain and the actions are ours. Only one thing differs: DIET, TED and UnexpecTED train one epoch
instead of 100, since with this data one takes minutes. How fast and how large a trained model is does not depend on the
number, and the time of all hundred is told from the time of one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
PYTHON = HOME / ".venv-stock" / "bin" / "python"
PROJECT = HOME / "build" / "stock"
TRAINED = PROJECT / "trained.json"

#: Epochs of Rasa's default configuration.
_EPOCHS = 100

#: What a person gets who follows Rasa's documentation; the action server as our own endpoints.yml has it.
_ENDPOINTS = """\
action_endpoint:
  url: "http://localhost:{actions}/webhook"
  selective_domain: true
tracker_store:
  type: SQL
  dialect: sqlite
  db: rasa.db
"""


def environment() -> dict[str, str]:
    """Return the environment of stock Rasa: nothing of ours but the actions' code."""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    return env | {
        "PYTHONPATH": str(HOME),
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def make(actions_port: int) -> None:
    """Write the project's files; its model and conversations stay."""
    if not PYTHON.is_file():
        raise SystemExit("there is no stock Rasa to compare with; run `make stock`")
    PROJECT.mkdir(parents=True, exist_ok=True)
    installed = next((HOME / ".venv-stock" / "lib").glob("python3.*/site-packages/rasa/engine/recipes/config_files"))
    config = (installed / "default_config.yml").read_text(encoding="utf-8")
    config = re.sub(r"assistant_id: .*", "assistant_id: stock", config)
    (PROJECT / "config.yml").write_text(re.sub(r"epochs: \d+", "epochs: 1", config), encoding="utf-8")
    (PROJECT / "endpoints.yml").write_text(_ENDPOINTS.format(actions=actions_port), encoding="utf-8")
    (PROJECT / "credentials.yml").write_text("rest:\n", encoding="utf-8")
    shutil.copy2(HOME / "domain.yml", PROJECT / "domain.yml")
    shutil.copytree(HOME / "data", PROJECT / "data", dirs_exist_ok=True)


def train(*, force: bool = False) -> dict[str, Any]:
    """Train the model where there is none.

    Returns:
        ``seconds`` and ``peak_mb`` of the training with one epoch; ``epoch_seconds``, of one epoch of all models together;
        ``all_seconds``, what 100 epochs take according to these.
    """
    if TRAINED.is_file() and not force and any((PROJECT / "models").glob("*.tar.gz")):
        return dict(json.loads(TRAINED.read_text(encoding="utf-8")))
    make(0)
    shutil.rmtree(PROJECT / "models", ignore_errors=True)
    command = [str(PYTHON), "-W", "ignore", "-m", "rasa", "train", "--force"]
    progress = PROJECT / "train.log"
    started = time.monotonic()
    with progress.open("wb") as log:
        child = subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"stock Rasa could not be trained; see {progress}")
    seconds = time.monotonic() - started
    # The progress bar of each model ends with "Epochs: 100%|...| 1/1 [mm:ss<00:00, ...", printed once or several times.
    epoch = 0.0
    for part in progress.read_text(encoding="utf-8", errors="replace").split("Starting to train component"):
        ends = re.findall(r"Epochs: 100%[^\r\n]*? 1/1 \[(?:(\d+):)?(\d+):(\d+)<", part)
        epoch += max((int(hours or 0) * 3600 + int(minutes) * 60 + int(rest) for hours, minutes, rest in ends), default=0)
    result = {
        "seconds": round(seconds, 1), "peak_mb": usage.ru_maxrss // 1024, "epoch_seconds": epoch,
        "all_seconds": round(seconds + (_EPOCHS - 1) * epoch),
    }  # fmt: skip
    TRAINED.write_text(json.dumps(result), encoding="utf-8")
    return result


def main() -> int:
    """Make and train the project."""
    print("Training stock Rasa; this takes long ..." if not TRAINED.is_file() else "Stock Rasa is trained.", flush=True)
    print(json.dumps(train(force="--force" in sys.argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
