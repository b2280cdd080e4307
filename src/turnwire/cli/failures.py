"""How a command fails: sentences on stderr and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from turnwire.cli.tables import visible
from turnwire.client import ClientError, Closure, SessionClosed

INCOMPLETE = 3
"""The exit code of a command whose transcript has gaps."""


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say why and leave."""
    typer.echo("\n".join(map(visible, sentence.splitlines())), err=True)
    raise typer.Exit(code)


@contextmanager
def needs_server(extras: str = "server,tiny-en") -> Iterator[None]:
    """Around imports that the base install, which is the client, does not have."""
    try:
        yield
    except ModuleNotFoundError as error:
        fail(
            f"This command runs a server and {error.name} is not installed: "
            f'pip install "turnwire[{extras}]"'
        )


KEY_ADVICE = "Give a key of this server with --api-key, or in TURNWIRE_API_KEY."

_WORDS: dict[str, tuple[str, str]] = {
    "missing_authorization": ("The server wants an API key.", KEY_ADVICE),
    "unauthorized": ("The server does not accept this: {text}.", KEY_ADVICE),
    "no_capacity": (
        "The server has as many sessions as it can serve.",
        "Try again in a moment, or use another server.",
    ),
    "too_many_sessions": (
        "Your account has as many sessions open as it may, or opened too many this minute.",
        "Try again in a minute.",
    ),
    "unreachable": (
        "{text}.",
        "Check the address and the port; `turnwire serve` starts a server.",
    ),
    "tls_failed": (
        "{text}.",
        "Name the certificate of its authority with --ca-file, or use ws:// if it has no TLS.",
    ),
    "not_a_websocket": (
        "{text}.",
        "Check the port, and use wss:// if the server has TLS.",
    ),
    "connection_lost": (
        "The server is gone, and did not come back.",
        "See whether it runs, and what its log says.",
    ),
}
"""What a person needs to know, where the closure's own words speak of the protocol: what happened,
and what to do."""

_REASONS = (
    ("invalid api key", "The server does not know this API key.", KEY_ADVICE),
    (
        "balance",
        "The balance of this account is used up.",
        "Ask whoever runs the server to raise it.",
    ),
    ("expired", "This token has expired.", "Get a new one."),
)
"""The same for what the texts of one row tell apart."""


def explained(error: ClientError, *, verbose: bool = False) -> str:
    """One line of what happened and one of what to do; with `verbose`, the protocol's details."""
    if not isinstance(error, SessionClosed):
        return str(error)
    closure = error.closure
    what, todo = _words(closure)
    details = f"\n{error}" if verbose else ""
    return f"{what}\n{todo}{details}"


def _words(closure: Closure) -> tuple[str, str]:
    if closure.name in ("unauthorized", "access_ended"):
        for sign, what, todo in _REASONS:
            if sign in closure.text.lower():
                return what, todo
    what, todo = _WORDS.get(closure.name, ("{text}.", closure.advice))
    return what.format(text=(closure.text or closure.row.meaning).rstrip(".")), todo
