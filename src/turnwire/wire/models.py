"""The names of the protocol's models, and how the turns of each look on the wire."""

from enum import StrEnum


class Family(StrEnum):
    """How a model's turns look on the wire."""

    UNIVERSAL_STREAMING = "universal-streaming"
    UNIVERSAL_3 = "universal-3"
    WHISPER = "whisper"

    @property
    def label(self) -> str:
        """As documentation writes it."""
        return "-".join(part.capitalize() for part in self.split("-"))


ENGLISH = "universal-streaming-english"
MULTILINGUAL = "universal-streaming-multilingual"

MODELS = {
    ENGLISH: Family.UNIVERSAL_STREAMING,
    MULTILINGUAL: Family.UNIVERSAL_STREAMING,
    "universal-3-6-pro": Family.UNIVERSAL_3,
    "universal-3-6": Family.UNIVERSAL_3,
    "universal-3-5-pro": Family.UNIVERSAL_3,
    "universal-3-7-preview": Family.UNIVERSAL_3,
    "_universal-3-5-notetaker": Family.UNIVERSAL_3,
    "u3-rt-pro": Family.UNIVERSAL_3,
    "u3-rt-pro-beta-1": Family.UNIVERSAL_3,
    "u3-rt-agent": Family.UNIVERSAL_3,
    "u3-pro": Family.UNIVERSAL_3,
    "whisper-rt": Family.WHISPER,
}
"""The names that clients may send, each with its family."""


def default_model(loaded: str) -> str:
    """The name for a session that asked for none, by the model that serves it."""
    return ENGLISH if loaded.endswith(".en") else MULTILINGUAL
