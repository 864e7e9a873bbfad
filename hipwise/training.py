"""Trains the model when what it is made of has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hipwise.agent import MODEL_NAME
from hipwise.errors import HipwiseError
from hipwise.paths import CONFIG, DATA, DOMAIN, HOME, KNOWLEDGE, MODELS
from hipwise.yaml_files import read_yaml

_FINGERPRINT = "hipwise.sha256"


def sources() -> Iterator[Path]:
    """Yield every file whose change asks for a new model: data, domain, config, knowledge, NLU code, locked versions."""
    yield from (CONFIG, DOMAIN, HOME / "uv.lock", HOME / "hipwise" / "onnx_format.py")
    for folder in (DATA, KNOWLEDGE):
        yield from sorted(folder.rglob("*.yml"))
    for folder in (HOME / "hipwise" / part for part in ("nlu", "rows", "safety")):
        yield from sorted([*folder.rglob("*.py"), *folder.rglob("*.json")])


def fingerprint() -> str:
    """Return the SHA-256 of all sources."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"{path.relative_to(HOME).as_posix()}\0".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(b"\0")
    return digest.hexdigest()


def is_current(models: Path = MODELS) -> bool:
    """Return whether the model was trained from the sources as they are now."""
    mark = models / _FINGERPRINT
    return (models / MODEL_NAME).is_file() and mark.is_file() and mark.read_text().strip() == fingerprint()


def train(*, force: bool = False, say: Callable[[str], None] = lambda _: None, models: Path = MODELS) -> bool:
    """Train the model into ``models`` unless it is up to date.

    The old model stays in its place until the new one is whole, so that a server which starts meanwhile finds one.

    Args:
        force: train even where nothing changed.
        say: told what is going on.
        models: folder of the model.

    Returns:
        Whether a model was trained.

    Raises:
        HipwiseError: a source is missing or broken, or training failed; one sentence.
    """
    if not force and is_current(models):
        say("The model is up to date.")
        return False
    for path in (CONFIG, DOMAIN, *sorted(DATA.glob("*.yml")), *sorted(KNOWLEDGE.glob("*.yml"))):
        read_yaml(path)
    check_content()
    mark = fingerprint()
    say("Training the model (two or three minutes) ...")
    started = time.monotonic()
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    from hipwise.quiet import quieten

    quieten()
    from rasa.model_training import train as rasa_train
    from rasa.shared.exceptions import RasaException

    from hipwise import rasa_fixes

    rasa_fixes.apply(rasa_fixes.FIXES + rasa_fixes.TRAINING_FIXES)
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models) as folder:
        try:
            result = rasa_train(
                domain=str(DOMAIN),
                config=str(CONFIG),
                training_files=[str(DATA)],
                output=folder,
                fixed_model_name=MODEL_NAME.removesuffix(".tar.gz"),
                force_training=True,
            )
        except (RasaException, ValueError, KeyError) as error:
            raise HipwiseError(f"Training failed: {' '.join(str(error).split())}") from error
        if not result.model:
            raise HipwiseError("Training failed: Rasa made no model.")
        shutil.move(result.model, models / MODEL_NAME)
    (models / _FINGERPRINT).write_text(mark + "\n")
    say(f"Trained in {time.monotonic() - started:.0f} seconds.")
    return True


def check_content() -> None:
    """Check that every response names facts, references, topics and placeholders that exist.

    Raises:
        HipwiseError: the first that does not.
    """
    from hipwise.replies.build import default_builder

    default_builder.cache_clear()
    builder = default_builder()
    for topic in builder.catalogue.topics:
        builder.reply(topic)
        for offered in builder.catalogue.about(topic).get("suggestions") or ():
            if not builder.catalogue.about(offered).get("title"):
                raise HipwiseError(f"domain.yml: 'utter_{topic}' suggests {offered!r}, which has no response with a title.")
