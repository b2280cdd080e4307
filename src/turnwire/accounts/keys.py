"""API keys and tokens: made here, shown once, kept only as hashes."""

import hashlib
import secrets

_KEY = "tw_"

RECOGNIZED_BY = 8
"""How many of a key's first characters are kept, for people."""


def new_key() -> str:
    """A fresh key: 256 random bits, with a prefix that tells what it is for."""
    return f"{_KEY}{secrets.token_urlsafe(32)}"


def new_admin_key() -> str:
    """A fresh key for operators."""
    return f"twa_{secrets.token_urlsafe(32)}"


def is_key(credential: str) -> bool:
    """Whether this is a key that does not expire, by its looks."""
    return credential.startswith(_KEY)


def new_token() -> str:
    """A fresh token, as hard to guess as a key."""
    return f"twt_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """What is kept of a key or a token. Unsalted: nobody guesses 256 random bits."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
