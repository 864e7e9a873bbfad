"""The gateway without a model: real conversations, store and HTTP, on an agent that answers by single words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Sanic

from hipwise import server
from hipwise.conversation import Conversations
from hipwise.replies import Reply
from hipwise.replies.build import default_builder
from hipwise.settings import Settings
from hipwise.store.conversations import ConversationStore
from hipwise.store.tracker_store import SqliteTrackerStore

# Sanic rewrites its own methods at each start, and needs to be told that there are several.
Sanic.test_mode = True

API = "/api/v1/conversations"
SECRET = "a secret of the tests, long enough to sign"
#: Topic by a word of the message.
_TOPICS = {"long": "ask_duration", "cure": "ask_cure", "forget": "service_forget_me", "missing": "service_feedback_kept"}


@dataclass
class FakeProcessor:
    """Stands in for Rasa's processor. ``heard`` holds what it was given, ``hook`` is awaited in every turn."""

    trackers: SqliteTrackerStore
    heard: list[str] = field(default_factory=list)
    hook: Callable[[str], Awaitable[None]] | None = None
    silent: bool = False
    together: int = 0
    most_together: int = 0

    async def parse_message(self, message: UserMessage) -> dict[str, Any]:
        return {}

    async def fetch_tracker_with_initial_session(self, sender: str, output: Any) -> DialogueStateTracker:
        return await self.trackers.retrieve(sender) or DialogueStateTracker(sender, [])

    async def trigger_external_user_uttered(self, name: str, _: Any, tracker: DialogueStateTracker, output: Any) -> None:
        tracker.update(UserUttered(f"EXTERNAL: {name}", metadata={"is_external": True}))
        await self._say(default_builder().reply(name), tracker, output)
        await self.trackers.save(tracker)

    async def handle_message(self, message: UserMessage) -> None:
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        try:
            self.heard.append(message.text)
            if self.hook is not None:
                await self.hook(message.text)
            tracker = await self.fetch_tracker_with_initial_session(message.sender_id, message.output_channel)
            tracker.update(
                UserUttered(
                    message.text,
                    {"name": "x"},
                    message_id=message.message_id,
                    input_channel=message.input_channel,
                    metadata=message.metadata,
                )
            )
            if not self.silent:
                topic = next((topic for word, topic in _TOPICS.items() if word in message.text), "ask_definition")
                if message.text.startswith("/"):
                    topic = message.text[1:]
                await self._say(default_builder().reply(topic), tracker, message.output_channel)
            await self.trackers.save(tracker)
        finally:
            self.together -= 1

    async def _say(self, reply: Reply, tracker: DialogueStateTracker, output: Any) -> None:
        state = reply.to_state()
        tracker.update(BotUttered(reply.text, metadata={"reply": state}))
        await output.send_response(tracker.sender_id, {"text": reply.text, "reply": state})


class FakeSafety:
    """Finds a red flag in the word "fell"."""

    def check(self, text: str) -> Any:
        return SimpleNamespace(says=("utter_red_flag_general",)) if "fell" in text else None


def conversations_at(database: Path | str) -> Conversations:
    """Return conversations on the fake agent that are kept in ``database``."""
    trackers = SqliteTrackerStore(domain=Domain.empty(), db=database)
    agent = SimpleNamespace(processor=FakeProcessor(trackers))
    return Conversations(agent, default_builder(), FakeSafety(), ConversationStore(trackers))  # type: ignore[arg-type]


def settings_at(folder: Path, **changes: Any) -> Settings:
    """Return settings with a database in ``folder`` and limits that no test meets by accident."""
    plain = Settings(
        database=folder / "hipwise.sqlite",
        secret=SECRET,
        port=0,
        rate_messages="100000/minute",
        rate_address="100000/minute",
        rate_open="100000/minute",
    )
    return replace(plain, **changes)


@dataclass
class Gateway:
    """A running gateway, and a client of it."""

    app: Sanic
    conversations: Conversations
    client: httpx.AsyncClient
    port: int

    @property
    def processor(self) -> FakeProcessor:
        processor: FakeProcessor = self.conversations._processor
        return processor

    @property
    def database(self) -> Any:
        assert self.conversations.store is not None
        return self.conversations.store.trackers.connection

    async def open(self, channel: str = "web") -> Chat:
        answer = await self.client.post(API, json={"channel": channel})
        assert answer.status_code == 201, answer.text
        return Chat(self, answer.json()["id"], answer.json()["token"])

    async def raw(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """Send bytes as they are, and return what comes back until the connection is closed (5 s at most)."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()


@dataclass
class Chat:
    """One conversation, and the token for it."""

    gateway: Gateway
    id: str
    token: str

    @property
    def path(self) -> str:
        return f"{API}/{self.id}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def say(self, text: str, message_id: str = "m1") -> httpx.Response:
        return await self.gateway.client.post(
            f"{self.path}/messages", headers=self.headers, json={"text": text, "message_id": message_id}
        )

    async def read(self) -> list[dict[str, Any]]:
        answer = await self.gateway.client.get(self.path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


@asynccontextmanager
async def running(settings: Settings, *, ready: bool = True, **config: Any) -> AsyncIterator[Gateway]:
    """Serve a gateway with the fake agent on a free port of the loopback."""
    app = server.create_app(settings)
    app.config.update(config)
    conversations = conversations_at(settings.database)
    if ready:
        server.make_ready(app, conversations)
    listener = server.bind(settings)
    port = listener.getsockname()[1]
    served = await server.start(app, listener)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            yield Gateway(app, conversations, client, port)
    finally:
        await server.stop(served, grace=0.2)
        assert conversations.store is not None
        conversations.store.trackers.close()


@contextmanager
def in_thread(settings: Settings, **config: Any) -> Iterator[Gateway]:
    """Serve a gateway in another thread, for clients that block."""
    started: list[Gateway] = []
    up, down = threading.Event(), threading.Event()

    async def serve() -> None:
        async with running(settings, **config) as gateway:
            started.append(gateway)
            up.set()
            await asyncio.get_running_loop().run_in_executor(None, down.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert up.wait(60), "the gateway did not start"
        yield started[0]
    finally:
        down.set()
        thread.join(10)
