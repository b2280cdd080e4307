"""WhisperLive, with faster-whisper."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers.dialogue import Text

SERVE = """
import sys
from whisper_live.server import TranscriptionServer
TranscriptionServer().run(
    "127.0.0.1",
    port=int(sys.argv[1]),
    backend="faster_whisper",
    faster_whisper_custom_model_path=sys.argv[2],
    single_model=True,
    max_clients=1000,
)
"""
"""As `run_server.py` of its repository does, which its package lacks, but for any number of
clients."""


class WhisperLive:
    name = "WhisperLive"
    package = "whisper-live"
    path = "/"
    environment: Mapping[str, str] = {"OMP_NUM_THREADS": "1"}
    """The default of `run_server.py`."""

    def command(self, python: Path, weights: Path, port: int) -> list[str]:
        return [str(python), "-c", SERVE, str(port), str(weights)]

    def dialogue(self) -> "WhisperLiveDialogue":
        return WhisperLiveDialogue()


class WhisperLiveDialogue:
    """A message has the last ten segments; each is told again until it is completed."""

    greeting = json.dumps(
        {
            "uid": "benchmark",
            "language": "en",
            "task": "transcribe",
            "model": "tiny.en",
            "use_vad": True,
            "audio_format": "int16",
        }
    )
    end = b"END_OF_AUDIO"
    patience = 5.0
    """It closes at the end, whatever it has not told; its own client waits three times as long."""

    def __init__(self) -> None:
        self.begun = False
        self.over = False
        self._completed: dict[float, str] = {}
        self._tentative = ""

    @property
    def text(self) -> Text:
        final = " ".join(text.strip() for _, text in sorted(self._completed.items()))
        return Text(final, self._tentative.strip())

    def receive(self, message: str) -> None:
        told = json.loads(message)
        if told.get("message") == "SERVER_READY":
            self.begun = True
        if "segments" in told:
            self._tentative = ""
            for segment in told["segments"]:
                if segment["completed"]:
                    self._completed[float(segment["start"])] = segment["text"]
                else:
                    self._tentative = segment["text"]
