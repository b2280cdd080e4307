"""Where there is a voice: from samples to speech probabilities, and from those to pauses."""

import math
from enum import Enum, auto
from pathlib import Path

import earshot
import numpy as np
import onnxruntime
import soxr
from faster_whisper.utils import get_assets_path
from numpy.typing import NDArray

from turnwire.speech.cleaning import Cleaner
from turnwire.speech.decoding import RATE
from turnwire.speech.engine import Samples

FRAME = 512
"""Samples that Silero judges at a time: 32 ms."""

_CONTEXT = 64
"""Samples before each frame that Silero looks at too."""

_STATE = 128

_MEMORY_FRAMES = 250
"""How long Silero remembers, at most: 8 s. Where nobody pauses it becomes used to what it has
heard, and takes the next speaker, if less distinct, for no voice at all."""

_FIRST_FRAMES = 60
"""How much it hears without a memory of what was before, until its answers count."""

_VOICE_FRAMES = 32
"""With fewer frames that are a voice, it goes on remembering: noise it is right to be used to."""

_VOICE = 0.5

_FAINT = 2.5e-4
"""A frame whose loudest sample is below this (-72 dB) is silence."""

_DOUBTFUL = 0.2
"""Below this earshot is as good as sure that there is no voice."""

_OPEN_FRAMES = 16
"""How long Silero stays awake after the last sign of a voice: half a second."""

_WARM_UP = 4
"""Frames before the first sign of a voice that Silero hears, too."""


_LEVEL = 0.2
"""The loudness (root mean square) to which quiet audio is raised for Silero, which would miss
speech in noise if it is faint; by no more than `_MOST_GAIN`."""

_MOST_GAIN = 8.0

_LEVEL_FRAMES = 250
"""Over how long loudness is averaged: 8 s."""

_QUIET_PEAK = 0.01
"""Audio whose peaks stay below this (-40 dB) is raised sooner, and further, unless it is steady:"""

_RAISED_PEAK = _MOST_GAIN * _QUIET_PEAK
"""to peaks of this, and for earshot, too;"""

_MOST_GAIN_IF_QUIET = 64.0
"""by no more than this."""

_PEAK_FALLS = 0.5 ** (FRAME / RATE)
"""What is left of a peak after a frame; half after a second. Louder audio is noticed at once."""

_FLOOR_RISES = 2.0 ** (FRAME / RATE / 2)
"""How fast the quietest frame is forgotten: it counts twice as loud after two seconds."""

_UNSTEADY = 3.0
"""Speech has peaks so many times as loud as its quietest frames; steady noise has not."""


class Silero:
    """The Silero voice activity network, one for all streams."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            str(Path(get_assets_path()) / "silero_vad_v6.onnx"),
            providers=["CPUExecutionProvider"],
            sess_options=options,
        )

    def __call__(
        self, frames: NDArray[np.float32], state: list[NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """The speech probability of each row (`_CONTEXT` + `FRAME` samples); updates `state`."""
        probabilities, state[0], state[1] = self._session.run(
            None, {"input": frames, "h": state[0], "c": state[1]}
        )
        return np.asarray(probabilities, np.float32).reshape(-1)


class Memory:
    """What Silero remembers of one stream: a few seconds of speech at most."""

    def __init__(self, silero: Silero) -> None:
        self._silero = silero
        self.clear()

    def clear(self) -> None:
        """Remember nothing."""
        self._begin(_no_state(), 0)

    def mistrust(self) -> None:
        """What follows sounds otherwise: a voice is what is one with or without the memory, until
        there is another."""
        self._begin(self._state, self._heard)
        self._misleads = True

    def _begin(self, state: list[NDArray[np.float32]], heard: int) -> None:
        self._state = state
        self._heard = heard  # frames, and
        self._voice = 0  # how many of those that count were a voice
        self._next = _no_state()  # what takes its place, and
        self._next_heard = 0  # frames that has heard
        self._misleads = False

    def hear(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """The speech probability of each frame, as in `Silero`."""
        probabilities = self._silero(frames, self._state)
        self._heard += len(frames)
        self._voice += int(np.count_nonzero(probabilities >= _VOICE))
        full = self._voice >= _VOICE_FRAMES and self._heard > _MEMORY_FRAMES - _FIRST_FRAMES
        if full or self._misleads:
            afresh = self._silero(frames, self._next)
            self._next_heard += len(frames)
            if self._misleads:
                probabilities = np.maximum(probabilities, afresh)
            if self._next_heard >= _FIRST_FRAMES:
                self._begin(self._next, self._next_heard)
        return probabilities


class VoiceDetector:
    """One stream's way in: resamples its audio and judges each frame of it.

    Silero costs most, so it is asked only while earshot, a network a tenth its size, sees a sign
    of a voice, and earshot only if the frame is not faint. Both hear the audio cleaned and, where
    it is quiet, raised; the samples that are given back are as they came.
    """

    def __init__(self, silero: Silero, sample_rate: int) -> None:
        self._memory = Memory(silero)
        self._resampler = (
            None if sample_rate == RATE else soxr.ResampleStream(sample_rate, RATE, 1, "float32")
        )
        self._earshot = earshot.Detector()
        self._pending = np.zeros(0, np.int16)
        self._cleaner = Cleaner(FRAME)
        # Frames that Silero has not heard yet, after the context of the first.
        self._unheard = np.zeros(_CONTEXT, np.float32)
        self._open = 0
        self._power = (_LEVEL / 2) ** 2
        self._peak = 2 * _QUIET_PEAK
        self._floor = 1.0

    def listen(self, samples: Samples, last: bool = False) -> tuple[Samples, list[float]]:
        """The samples at 16 kHz, and the speech probabilities of the frames that are complete.

        Takes 7 ms of CPU for a second of speech; who calls it on an event loop does so in small
        pieces. With `last` no samples follow.
        """
        if self._resampler is not None:
            # As floats: soxr dithers integers, and so that pieces would make a difference.
            resampled = self._resampler.resample_chunk(samples.astype(np.float32), last)
            samples = np.clip(np.rint(resampled), -32768, 32767).astype(np.int16)
        audio = np.concatenate((self._pending, samples))
        whole = len(audio) // FRAME * FRAME
        self._pending = audio[whole:]
        return samples, [self._judge(frame) for frame in audio[:whole].reshape(-1, FRAME)]

    def _judge(self, samples: Samples) -> float:
        hummed = self._cleaner.has_hum
        frame = self._cleaner(samples)
        if self._cleaner.has_hum and not hummed:
            self._memory.mistrust()  # it is of the hum
        self._unheard = np.concatenate((self._unheard, frame))
        if self._hints_at_voice(frame):
            self._open = _OPEN_FRAMES
        if self._open == 0:
            self._memory.clear()
            self._unheard = self._unheard[-(_WARM_UP * FRAME + _CONTEXT) :]
            return 0.0
        self._open -= 1
        audio = self._unheard
        self._power += (float(audio @ audio) / len(audio) - self._power) / _LEVEL_FRAMES
        gain = min(max(_LEVEL / math.sqrt(self._power), 1.0), _MOST_GAIN)
        audio = _clipped(audio * np.float32(max(gain, self._gain_if_quiet)), -1, 1)
        starts = range(0, len(audio) - _CONTEXT, FRAME)
        rows = np.array([audio[start : start + _CONTEXT + FRAME] for start in starts])
        probabilities = self._memory.hear(rows)
        self._unheard = self._unheard[-_CONTEXT:]
        return float(probabilities[-1])

    def _hints_at_voice(self, frame: NDArray[np.float32]) -> bool:
        peak = float(np.abs(frame).max())
        self._peak = max(peak, self._peak * _PEAK_FALLS)
        self._floor = min(max(peak, _FAINT / _UNSTEADY), self._floor * _FLOOR_RISES)
        if peak < _FAINT:
            return False
        heard = _clipped(frame * np.float32(self._gain_if_quiet * 32768), -32768, 32767)
        samples = heard.astype(np.int16)
        halves = samples[: FRAME // 2], samples[FRAME // 2 :]
        return any(self._earshot.predict_i16(half) >= _DOUBTFUL for half in halves)

    @property
    def _gain_if_quiet(self) -> float:
        if self._peak >= _QUIET_PEAK or self._peak < _UNSTEADY * self._floor:
            return 1.0
        return min(_RAISED_PEAK / max(self._peak, _FAINT), _MOST_GAIN_IF_QUIET)


def _clipped(audio: NDArray[np.float32], low: int, high: int) -> NDArray[np.float32]:
    """As `np.clip`, which takes longer to begin than to do that with a frame."""
    return np.minimum(np.maximum(audio, np.float32(low)), np.float32(high))


def _no_state() -> list[NDArray[np.float32]]:
    return [np.zeros((1, 1, _STATE), np.float32) for _ in range(2)]


class Change(Enum):
    """What a frame changes."""

    STARTED = auto()
    PAUSED = auto()


class Segmenter:
    """Speech and pauses out of speech probabilities, frame by frame.

    Speech starts with two frames in a row at or above the threshold and goes on until six in a
    row, or more if so many are asked for, are clearly below it: single frames decide nothing.
    """

    _START_FRAMES = 2
    PAUSE_FRAMES = 6
    _CLEARLY = 0.15
    _LEAST_THRESHOLD = 0.01

    def __init__(self) -> None:
        self.speaking = False
        self.began = 0
        """Where the speech that goes on, or went on last, began: samples."""
        self.ended = 0
        """Where the last frame with a voice ended: samples."""
        self.quiet = True
        """Whether the last frame had no voice."""
        self._run = 0

    def push(
        self, probability: float, threshold: float, end: int, least_pause: int = 0
    ) -> Change | None:
        """Take the frame that ends at the sample `end`; a pause is as many samples at least."""
        if self.speaking:
            threshold = max(threshold - self._CLEARLY, self._LEAST_THRESHOLD)
        self.quiet = probability < threshold
        # Frames in a row that speak against the present state.
        self._run = self._run + 1 if self.quiet == self.speaking else 0
        if self.speaking:
            if not self.quiet:
                self.ended = end
            if self._run >= self.PAUSE_FRAMES and self._run * FRAME >= least_pause:
                self.speaking, self._run = False, 0
                return Change.PAUSED
        elif self._run == self._START_FRAMES:
            self.speaking, self._run = True, 0
            self.began, self.ended = end - self._START_FRAMES * FRAME, end
            return Change.STARTED
        return None
