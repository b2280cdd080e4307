"""Turnwire itself, started and played to as the others are."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers.dialogue import Text
from turnwire.wire.messages import Terminate


class Turnwire:
    name = "Turnwire"
    package = "turnwire"
    path = "/v3/ws?sample_rate=16000&format_turns=true"
    environment: Mapping[str, str] = {}

    def command(self, python: Path, weights: Path, port: int) -> list[str]:
        return [
            *(str(python), "-m", "turnwire", "serve", "--no-auth"),
            *("--model", str(weights), "--port", str(port)),
            # It would refuse more than it can hold, which is to be found out.
            *("--max-sessions", "1000"),
        ]

    def dialogue(self) -> "TurnwireDialogue":
        return TurnwireDialogue()


class TurnwireDialogue:
    """A message has the turn that is open, or its end."""

    greeting = None
    patience = 0.0
    end = Terminate().to_json()

    def __init__(self) -> None:
        self.begun = False
        self.over = False
        self._ended: dict[int, str] = {}
        self._open: tuple[str, str] = ("", "")

    @property
    def text(self) -> Text:
        ended = " ".join(self._ended.values())
        final, tentative = self._open
        return Text(f"{ended} {final}".strip(), tentative)

    def receive(self, message: str) -> None:
        told = json.loads(message)
        match told["type"]:
            case "Begin":
                self.begun = True
            case "Termination":
                self.over = True
            case "Turn" if told["end_of_turn"]:
                self._ended[told["turn_order"]] = told["transcript"]
                self._open = ("", "")
            case "Turn":
                words: dict[bool, list[str]] = {True: [], False: []}
                for word in told["words"]:
                    words[word["word_is_final"]].append(word["text"])
                self._open = (" ".join(words[True]), " ".join(words[False]))
