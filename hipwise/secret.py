"""The key that signs tokens and hides identities."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from hipwise.errors import HipwiseError
from hipwise.settings import Settings

_LEAST_BYTES = 32


def load_secret(settings: Settings) -> bytes:
    """Return the server's key: ``HIPWISE_SECRET``, or one of its own that it keeps beside the database.

    The own one is made at the first start, readable by its owner only, so that tokens outlive a restart and no default key
    is ever shipped.

    Raises:
        HipwiseError: ``HIPWISE_SECRET`` has fewer than 32 characters, or the file cannot be kept.
    """
    if settings.secret:
        if len(settings.secret) < _LEAST_BYTES:
            raise HipwiseError(f"HIPWISE_SECRET: at least {_LEAST_BYTES} characters are needed.")
        return settings.secret.encode()
    path = Path(settings.database).with_suffix(".key")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise HipwiseError(f"{path}: cannot keep the signing key there ({error.strerror}).") from error
    if len(key) < _LEAST_BYTES:
        raise HipwiseError(f"{path}: is not a whole signing key; delete it, and one is made.")
    if path.stat().st_mode & 0o077:
        raise HipwiseError(f"{path}: others can read the signing key; run `chmod 600` on it.")
    return key


def _make(path: Path) -> None:
    # Written whole under another name and then linked: of two servers that start at once, one makes the key, and neither
    # ever reads half of it.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(_LEAST_BYTES).encode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
