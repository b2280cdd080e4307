"""What every server that is compared has to say of itself: one shape for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Text:
    """What a client shows of its session."""

    final: str = ""
    """Told to be final: it will not change."""
    tentative: str = ""
    """What follows it, and may."""

    @property
    def shown(self) -> str:
        return f"{self.final} {self.tentative}".strip()


class Dialogue(Protocol):
    """One session in a server's own protocol; reads and writes nothing itself.

    Audio is sent as it is: binary messages of 16 kHz mono s16le.
    """

    @property
    def greeting(self) -> str | None:
        """What a client says first."""

    @property
    def end(self) -> str | bytes:
        """What it says after the last of its audio."""

    @property
    def patience(self) -> float:
        """For how many seconds no text changes before it says so: servers that answer it with the
        rest of the text need none."""

    @property
    def begun(self) -> bool:
        """Whether audio may be sent."""

    @property
    def over(self) -> bool:
        """Whether the server has nothing more to say."""

    @property
    def text(self) -> Text:
        """What is to be shown now."""

    def receive(self, message: str) -> None: ...


class Peer(Protocol):
    """A server."""

    name: str
    package: str
    """What its version is told of."""
    path: str
    """Where sessions are opened."""
    environment: Mapping[str, str]
    """Variables that it is started with."""

    def command(self, python: Path, weights: Path, port: int) -> list[str]:
        """Start it with the interpreter of its environment, and the weights of this folder."""

    def dialogue(self) -> Dialogue: ...
