"""WhisperLiveKit, with faster-whisper and LocalAgreement."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers.dialogue import Text


class WhisperLiveKit:
    name = "WhisperLiveKit"
    package = "whisperlivekit"
    path = "/asr"
    environment: Mapping[str, str] = {}

    def command(self, python: Path, weights: Path, port: int) -> list[str]:
        return [
            str(python.with_name("whisperlivekit-server")),
            *("--backend", "faster-whisper", "--backend-policy", "localagreement"),
            *("--pcm-input", "--lan", "en", "--model-path", str(weights), "--port", str(port)),
            # It would fetch a recording for this; the first session of a run warms up.
            *("--warmup-file", ""),
        ]

    def dialogue(self) -> "WhisperLiveKitDialogue":
        return WhisperLiveKitDialogue()


class WhisperLiveKitDialogue:
    """Each message has all lines so far, and what is not committed yet."""

    greeting = None
    patience = 0.0
    end = b""

    def __init__(self) -> None:
        self.begun = False
        self.over = False
        self.text = Text()

    def receive(self, message: str) -> None:
        told = json.loads(message)
        match told.get("type"):
            case "config":
                self.begun = True
            case "ready_to_stop":
                self.over = True
            case _:
                lines = (line["text"] for line in told["lines"])
                final = " ".join(text.strip() for text in lines if text)
                self.text = Text(final, told["buffer_transcription"].strip())
