"""Turnwire: self-hosted real-time speech-to-text that speaks Universal-Streaming v3."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnwire.client import AsyncClient, Client, Turn

__version__ = "0.1.0"

__all__ = ["AsyncClient", "Client", "Turn", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for, so that `import turnwire` costs nothing.
    if name in __all__:
        from turnwire import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
