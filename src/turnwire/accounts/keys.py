"""API keys and tokens: made here, shown once, kept only as hashes."""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def new_key() -> str:
    """A fresh key: 256 random bits, with a prefix that tells what it is for."""
    return f"tw_{secrets.token_urlsafe(32)}"


def new_token() -> str:
    """A fresh token, as hard to guess as a key."""
    return f"twt_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """What is kept of a key or a token. Unsalted: nobody guesses 256 random bits."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


class KeyRing:
    """The keys that are valid, as hashes."""

    def __init__(self, hashes: Iterable[str]) -> None:
        self._hashes = tuple(hashes)

    def holds(self, key: str) -> bool:
        """Whether this is one of them; a near miss takes as long as a far one."""
        offered = hash_key(key)
        return any(hmac.compare_digest(offered, kept) for kept in self._hashes)


def open_key_file(data_dir: Path) -> tuple[KeyRing, str | None]:
    """The keys kept in `data_dir`, and the first key if it had to be made just now.

    Raises OSError if the directory cannot be used, ValueError if the file is not a key file.
    """
    path = data_dir / "keys.json"
    if path.exists():
        accounts = json.loads(path.read_text())
        try:
            return KeyRing(hash_ for keys in accounts.values() for hash_ in keys), None
        except (AttributeError, TypeError):
            raise ValueError(f"{path} is not a file of keys") from None
    key = new_key()
    data_dir.mkdir(parents=True, exist_ok=True)
    accounts = {"default": [hash_key(key)]}
    draft = path.with_suffix(".tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(accounts, file)
    draft.replace(path)
    return KeyRing(accounts["default"]), key
