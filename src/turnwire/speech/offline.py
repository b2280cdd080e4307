"""Whisper on a whole recording, as faster-whisper does it: what streaming is compared with."""

from collections.abc import Callable
from pathlib import Path

from faster_whisper import WhisperModel

from turnwire.speech.models import find_model


def transcriber(model: str) -> Callable[[Path], str]:
    """Transcribes an English recording. Raises `EngineError` if the model cannot be loaded."""
    whisper = WhisperModel(str(find_model(model)), device="cpu", compute_type="int8")

    def transcribe(recording: Path) -> str:
        segments, _ = whisper.transcribe(str(recording), language="en")
        return " ".join(segment.text.strip() for segment in segments)

    return transcribe
