"""Where in a client's own audio nobody speaks.

Silence is what is much less loud than the audio around it, so it needs no setting for a
microphone or a room. It is only used to choose between places to cut, never to leave audio out.
"""

import numpy as np
from numpy.typing import NDArray

from turnwire.client.audio import AudioFormat
from turnwire.wire.audio import AudioDecoder

FRAME_SECONDS = 0.02

QUIET = 0.06
"""Less loud than the loudest frames by this factor (-24 dB) is quiet."""

NOISE = 8.0
"""And so is whatever is less loud than this, of 32,768."""

LOUDEST = 95
"""The percentile of the frames that counts as the loudest."""


def quiet_frames(audio: bytes, format: AudioFormat) -> NDArray[np.bool_]:
    """For each whole frame of this audio, whether it is quiet."""
    frame = round(FRAME_SECONDS * format.sample_rate)
    samples = AudioDecoder(format.encoding, format.sample_rate).decode(audio)
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame).astype(np.float64)
    if not len(whole):
        return np.zeros(0, np.bool_)
    loudness = np.sqrt((whole**2).mean(axis=1))
    return np.asarray(loudness <= max(NOISE, QUIET * float(np.percentile(loudness, LOUDEST))))


def run_length(quiet: NDArray[np.bool_]) -> int:
    """How many frames are quiet from the first on."""
    return len(quiet) if quiet.all() else int(np.argmin(quiet))
