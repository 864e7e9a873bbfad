"""What keeps the assistant fast and lean, in counts and ratios: milliseconds depend on the machine and its guests."""

from __future__ import annotations

import cProfile
import json
import pstats
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hipwise.paths import HOME, MODELS
from hipwise.rasa_fixes import FIXES

#: What answering a patient must not import. It may stand in memory as long as it has not run.
UNUSED = (
    "sklearn", "scipy.stats", "matplotlib", "dask", "boto3", "botocore", "pymongo", "aiogram", "slack_sdk", "twilio.rest",
    "confluent_kafka", "apscheduler", "networkx", "prompt_toolkit", "rasa.core.test", "rasa.telemetry", "spacy.cli.info",
)  # fmt: skip


def python(code: str) -> Any:
    """Run code in a new process and return the JSON that it prints last."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.model
@pytest.mark.slow
def test_answering_imports_little() -> None:
    found = python(
        "import json, os, sys\n"
        "from hipwise.cli import main\n"
        "assert main(['ask', 'how long does it last?']) == 0\n"
        "from hipwise.imports import deferred\n"
        "ran = sorted(set(sys.modules) - set(deferred()))\n"
        "import gc, numpy\n"
        "from hipwise import rasa_fixes\n"
        "print()\n"
        "print(json.dumps({'ran': ran, 'threads': os.environ['OMP_NUM_THREADS'], 'frozen': gc.get_freeze_count(),\n"
        "                  'enabled': gc.isenabled(), 'fixes': len(rasa_fixes.apply())}))\n"
    )
    ran = set(found["ran"])
    assert not ran.intersection(UNUSED)
    # 3,700 without deferring; a new dependency of a size to be seen is a decision, not an accident.
    assert len(ran) < 2000
    assert found["threads"] == "1"
    assert found["enabled"]
    assert found["frozen"] > 100_000
    assert found["fixes"] == len(FIXES)


def test_serving_defers_before_anything_of_rasa_is_imported() -> None:
    found = python(
        "import asyncio, json, sys\n"
        "import hipwise.cli as cli\n"
        "def stop(work): work.close(); raise KeyboardInterrupt\n"
        "asyncio.run = stop\n"
        "status = cli.main(['serve'])\n"
        "from hipwise.imports import deferred\n"
        "print(json.dumps({'status': status, 'ran': sorted(set(sys.modules) - set(deferred()))}))\n"
    )
    assert found["status"] == 130
    assert "hipwise.server" in found["ran"]
    assert not set(found["ran"]).intersection(UNUSED)


def test_what_is_deferred_becomes_real_when_it_is_used() -> None:
    found = python(
        "import asyncio, json, sys\n"
        "from hipwise import imports\n"
        "imports.defer(); imports.defer()\n"
        "import rasa.core.tracker_store, rasa.core.jobs, rasa.core.channels.channel, rasa.core.agent\n"
        "before = imports.deferred()\n"
        "out = {'before': [n for n in ('pymongo', 'boto3', 'rasa.core.channels', 'rasa.core.jobs') if n in before]}\n"
        # a class that Rasa imported by name, called and looked into
        "Key = rasa.core.tracker_store.Key\n"
        "out['key'] = type(Key('sender').eq('x')).__module__\n"
        # a base class, a check of instances, an annotation
        "Collection = rasa.core.tracker_store.Collection\n"
        "class Mine(Collection): pass\n"
        "out['base'] = Mine.__mro__[1].__module__\n"
        "out['instance'] = isinstance(3, Collection)\n"
        # whole modules, one of them Rasa's own package
        "async def scheduler():\n"
        "    made = await rasa.core.jobs.scheduler()\n"
        "    made.shutdown(wait=False)\n"
        "    return type(made).__name__\n"
        "out['scheduler'] = asyncio.run(scheduler())\n"
        "from rasa.core.channels import BUILTIN_CHANNELS\n"
        "out['channels'] = sorted(BUILTIN_CHANNELS)\n"
        "import boto3, pymongo\n"
        "out['versions'] = bool(boto3.__version__ and pymongo.__version__)\n"
        "out['error'] = __import__('botocore.exceptions', fromlist=['ClientError']).ClientError.__mro__[-2].__name__\n"
        "out['same'] = pymongo is sys.modules['pymongo'] and type(pymongo).__name__ == 'module'\n"
        "print(json.dumps(out))\n"
    )
    assert found["before"] == ["pymongo", "boto3", "rasa.core.channels", "rasa.core.jobs"]
    assert found["key"] == "boto3.dynamodb.conditions"
    assert found["base"].startswith("pymongo")
    assert found["instance"] is False
    assert found["scheduler"] == "AsyncIOScheduler"
    assert {"rest", "slack", "telegram", "socketio"} <= set(found["channels"])
    assert found["versions"]
    assert found["error"] == "BaseException"
    assert found["same"]


# ------------------------------------------------------------------------------------------------- turns


@pytest.fixture(scope="module")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Conversations with the trained model and a database."""
    if not (MODELS / "hipwise.tar.gz").is_file():
        pytest.skip("no trained model")
    from hipwise.server import load
    from hipwise.settings import Settings

    loaded = load(Settings(database=tmp_path_factory.mktemp("performance") / "hipwise.sqlite"))
    yield loaded
    loaded.store.trackers.close()


async def counted(work: Callable[[], Any]) -> int:
    """Return how many calls of Python functions ``work`` took in this thread: the same on every machine."""
    profile = cProfile.Profile(builtins=False)
    profile.enable()
    try:
        await work()
    finally:
        profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.model
@pytest.mark.slow
async def test_a_long_conversation_is_not_slower(conversations: Any) -> None:
    conversation, _ = await conversations.open("web")
    questions = ["how long does it last?", "may I swim", "what is an MRI for?", "why?", "is it contagious"]
    rows: list[int] = []
    connection = conversations.store.trackers.connection

    async def turns(count: int) -> None:
        for number in range(count):
            await conversations.say(conversation, questions[number % len(questions)], channel="web")

    async def read(conversation: str) -> int:
        return len((await conversations.store.trackers.retrieve(conversation)).events)

    await turns(15)
    early = await counted(lambda: turns(len(questions)))
    rows.append(await read(conversation))
    await turns(170)
    late = await counted(lambda: turns(len(questions)))
    rows.append(await read(conversation))
    stored = connection.execute("SELECT COUNT(*) FROM events WHERE conversation = ?", (conversation,)).fetchone()[0]
    assert stored > 195 * 4
    assert late <= 1.1 * early, "the work of a turn grows with its number"
    assert rows[1] <= 1.2 * rows[0] + 5, "the events read grow with the conversation"


@pytest.mark.model
async def test_a_turn_is_one_transaction(conversations: Any) -> None:
    conversation, _ = await conversations.open("web")
    connection = conversations.store.trackers.connection
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    try:
        await conversations.say(conversation, "how long does it last?", channel="web")
    finally:
        connection.set_trace_callback(None)
    assert [text for text in statements if text.startswith(("COMMIT", "BEGIN"))] == ["BEGIN IMMEDIATE", "COMMIT"]
    assert not any("COUNT(" in statement for statement in statements)


@pytest.mark.model
async def test_a_message_that_is_too_long_reaches_neither_understanding_nor_the_store(
    conversations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hipwise.conversation import LONGEST, MessageTooLong

    conversation, _ = await conversations.open("web")
    touched: list[str] = []
    monkeypatch.setattr(conversations._processor, "handle_message", lambda message: touched.append("understanding"))
    connection = conversations.store.trackers.connection
    connection.set_trace_callback(touched.append)

    async def refused(text: str) -> None:
        with pytest.raises(MessageTooLong):
            await conversations.say(conversation, text, channel="web")

    try:
        short = await counted(lambda: refused("my hip " * (LONGEST // 7 + 1)))
        long = await counted(lambda: refused("my hip " * (20_000 // 7)))
    finally:
        connection.set_trace_callback(None)
    assert not touched
    # Linear in the length, at worst, for the safety check.
    assert long <= 25 * short


@pytest.mark.model
async def test_understanding_does_not_block_the_event_loop(conversations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[threading.Thread] = []
    original = conversations._processor._parse_message_with_graph

    def parse(*arguments: Any) -> Any:
        seen.append(threading.current_thread())
        return original(*arguments)

    monkeypatch.setattr(conversations._processor, "_parse_message_with_graph", parse)
    conversation, _ = await conversations.open("web")
    await conversations.say(conversation, "how long does it last?", channel="web")
    assert seen
    assert threading.current_thread() not in seen


def test_bytecode_is_compiled_when_packages_are_installed() -> None:
    text = (HOME / "pyproject.toml").read_text(encoding="utf-8")
    assert "compile-bytecode = true" in text


def test_the_benchmark_lets_no_thread_count_leak_into_stock_rasa(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.performance import stock

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "OMP_NUM_THREADS" not in stock.environment()
    assert Path(stock.environment()["PYTHONPATH"]) == HOME
