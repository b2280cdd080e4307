"""Signatures by which a receiver knows who posted: those of Standard Webhooks, version 1."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"

SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(secret: str, id: str, body: bytes, *, timestamp: int) -> Mapping[str, str]:
    """The headers of one attempt; `id` is that of the message, the same in every attempt.

    `timestamp` is in Unix seconds, so that a receiver can refuse what is old.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
