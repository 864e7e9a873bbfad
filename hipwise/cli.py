"""The command line: ``hipwise ask``, ``serve``, ``kiosk``, ``train``."""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hipwise import processor
from hipwise.errors import HipwiseError

if TYPE_CHECKING:
    from hipwise.conversation import Conversations
    from hipwise.replies import Reply


#: Lines of ``ask --json`` in hand at once.
_AT_ONCE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 done, 1 cannot be done (said in one sentence), 2 wrong usage."""
    options = _parser().parse_args(arguments)
    # Rasa counts its users unless told not to; a clinic's server phones nobody.
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    processor.prepare()
    try:
        return int(options.run(options) or 0)
    except HipwiseError as error:
        print(f"hipwise: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `hipwise ask --json | head`: the reader has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    about = "Answers questions about transient osteoporosis of the hip."
    parser = argparse.ArgumentParser(prog="hipwise", description=about)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = commands.add_parser("ask", help="ask one question, or talk")
    ask.add_argument("question", nargs="*", help="what to ask; without it, a conversation begins")
    ask.add_argument("--json", action="store_true", help="read one message a line, print one JSON object a line")
    ask.set_defaults(run=_ask)

    serve = commands.add_parser("serve", help="serve the website's chat, the kiosk and the messaging channels")
    serve.set_defaults(run=_serve)

    kiosk = commands.add_parser("kiosk", help="print what it takes to set up a kiosk: address, browser flags, systemd unit")
    kiosk.add_argument("--screen", default="", help="its diagonal and pixels, for instance '21.5in 1920x1080'")
    kiosk.add_argument("--printer", action="store_true", help="it has a printer")
    kiosk.add_argument("--headset", action="store_true", help="it has a headset and a keypad: it reads everything aloud")
    kiosk.set_defaults(run=_kiosk)

    channels = commands.add_parser("channels", help="list the messaging channels: which are on, what each needs")
    channels.set_defaults(run=_channels)

    preview = commands.add_parser("preview", help="show a conversation as a platform would show it")
    preview.add_argument("--channel", required=True, help="telegram, sms, whatsapp, whatsapp-twilio, messenger or slack")
    preview.set_defaults(run=_preview)

    train = commands.add_parser("train", help="train the model where its sources changed")
    train.add_argument("--force", action="store_true", help="train even if nothing changed")
    train.set_defaults(run=_train)
    return parser


def _train(options: argparse.Namespace) -> int:
    from hipwise.training import train

    train(force=options.force, say=lambda text: print(text, flush=True))
    return 0


def _channels(options: argparse.Namespace) -> int:
    from hipwise.channels.tools import print_channels
    from hipwise.settings import Settings

    return print_channels(Settings.from_environment())


def _preview(options: argparse.Namespace) -> int:
    from hipwise.channels.tools import preview

    return preview(options.channel)


def _kiosk(options: argparse.Namespace) -> int:
    from hipwise.kiosk import print_kiosk
    from hipwise.settings import Settings

    settings = Settings.from_environment()
    return print_kiosk(settings, options.screen, printer=options.printer, headset=options.headset)


def _serve(options: argparse.Namespace) -> int:
    import uvloop

    from hipwise import imports
    from hipwise.quiet import quieten
    from hipwise.settings import Settings

    imports.defer()
    imports.share_memory()
    gc.disable()  # until the model is loaded
    quieten()
    from hipwise.server import serve

    uvloop.install()
    asyncio.run(serve(Settings.from_environment(), lambda text: print(text, flush=True)))
    return 0


def _conversations() -> Conversations:
    from hipwise import imports

    imports.defer()
    imports.share_memory()
    gc.disable()  # until the model is loaded
    from hipwise.quiet import quieten

    quieten()  # before anything imports SQLAlchemy, which speaks up then
    from hipwise.agent import load_agent
    from hipwise.conversation import Conversations
    from hipwise.paths import KNOWLEDGE
    from hipwise.replies.build import default_builder
    from hipwise.safety import SafetyCheck

    builder, safety = default_builder(), SafetyCheck.shared(KNOWLEDGE / "safety.yml")
    return Conversations(load_agent(), builder, safety)


def _ask(options: argparse.Namespace) -> int:
    if options.json:
        return asyncio.run(_ask_lines())
    if options.question:
        return asyncio.run(_ask_once(" ".join(options.question)))
    if not sys.stdin.isatty():
        raise HipwiseError("ask: give a question, or use --json to read questions from standard input.")
    return asyncio.run(_talk())


async def _replies(conversations: Conversations, conversation: str, text: str) -> list[Reply]:
    from hipwise.conversation import MessageTooLong, TurnFailed

    try:
        return await conversations.say(conversation, text, channel="shell")
    except MessageTooLong as error:
        return error.replies
    except TurnFailed as error:
        return [*error.replies, conversations.builder.reply("technical_problem")]


async def _ask_lines() -> int:
    conversations = _conversations()
    loop = asyncio.get_running_loop()
    # Undecodable bytes become replacement characters: one bad line must not end the batch.
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace", newline="\n")

    async def answer(number: int, message: str) -> str:
        replies = await _replies(conversations, f"line-{number}", message)
        return json.dumps({"message": message, "replies": [r.as_dict() for r in replies]}, ensure_ascii=False)

    # A few lines at once, each a conversation of its own; said in order, and each as soon as it is its turn.
    answers: asyncio.Queue[asyncio.Task[str] | None] = asyncio.Queue(_AT_ONCE)

    async def read() -> None:
        number = 0
        while line := await loop.run_in_executor(None, lines.readline):
            await answers.put(loop.create_task(answer(number, line.rstrip("\r\n"))))
            number += 1
        await answers.put(None)

    reading = loop.create_task(read())
    while (task := await answers.get()) is not None:
        print(await task, flush=True)
    await reading
    return 0


async def _ask_once(question: str) -> int:
    from hipwise.replies.render import terminal

    for reply in await _replies(_conversations(), "once", question):
        print(terminal(reply, colour=_colour()))
    return 0


async def _talk() -> int:
    import readline  # noqa: F401 - gives `input` its line editing

    from hipwise.replies.render import terminal

    print("Loading ...", end="\r", flush=True)
    conversations = _conversations()
    conversation, replies = await conversations.open("shell")
    offered: dict[str, str] = {}
    while True:
        for reply in replies:
            print(terminal(reply, colour=_colour()), end="\n\n")
            offered.update({s.title.casefold(): s.payload for s in reply.suggestions})
        try:
            text = (await asyncio.get_running_loop().run_in_executor(None, input, "you> ")).strip()
        except EOFError:
            print()
            return 0
        if text.casefold() in ("exit", "quit"):
            return 0
        replies = await _replies(conversations, conversation, text) if text else []


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


if __name__ == "__main__":
    sys.exit(main())
