"""Whisper on a whole recording, as faster-whisper does it: what streaming is compared with."""

from collections.abc import Callable

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from turnwire.speech.models import find_model


def transcriber(model: str) -> Callable[[NDArray[np.float32]], str]:
    """Transcribes English audio: mono, 16 kHz, -1 to 1. Raises `EngineError`."""
    files = find_model(model)
    whisper = WhisperModel(
        str(files.folder), device="cpu", compute_type="int8", files=files.in_memory()
    )

    def transcribe(audio: NDArray[np.float32]) -> str:
        segments, _ = whisper.transcribe(audio, language="en")
        return " ".join(segment.text.strip() for segment in segments)

    return transcribe
