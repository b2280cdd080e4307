"""What to decode next, and what is told: one stream, without decoders, threads and clocks.

The planner takes audio with the probability of a voice in each frame, and the outcomes of decodes.
Its next step is an event to tell or a decode to make. It keeps to these rules:

- A *final* text is due when the speaker pauses, and nothing goes on before its outcome is there.
- A *partial* text is welcome. The stream goes on listening meanwhile; what is heard by then makes
  it superfluous. While audio comes as it is spoken, none is made of audio that is followed by more
  already, and none is waited for: a stream that is late catches up first, whatever made it late.
- Audio that comes faster waits for its partial texts: what is told of it does not depend on how
  busy the engine is. What the session says is a recording, nobody follows: no partial text is
  welcome, and a final one is due when as much time has gone by as its window lasts; once the
  recording is over, at once.
- A window that has grown long needs a partial text to be shortened by, so that one is due, too.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from turnwire.recognition import (
    Finished,
    Marked,
    Partial,
    Pause,
    RecognitionOptions,
    SpeechEvent,
    SpeechStarted,
)
from turnwire.speech.audio_buffer import AudioBuffer
from turnwire.speech.decoding import MS, RATE, Text
from turnwire.speech.engine import Samples
from turnwire.speech.quality import FULL, Quality
from turnwire.speech.voice import FRAME, Change, Segmenter
from turnwire.speech.voice_track import VoiceTrack
from turnwire.speech.window import NEXT_SHORTENING, PlannedDecode, Window

FINAL_DUE_SECONDS = 0.3
"""A final text is due so long after the audio came that it is made of, that of what another one
at the same pause has left, so long after it can be made;"""

BURST_DUE_SECONDS = 2.0
"""that of audio which came faster than it is spoken, so long after it can be made."""

# In samples at 16 kHz:

_PRE_ROLL = 300 * MS
"""How far before the first frame with a voice its sound may begin."""

_FIRST_PARTIAL = 500 * MS
"""How much speech is heard before it is decoded for the first time."""

_SILENT_START = 32 * FRAME
"""How often silence is told before anyone has spoken: about once a second."""

_LONG_SILENCE = 500 * MS
"""After so much silence the words before it are kept."""


class Ask(Enum):
    """What is wanted where the audio has come to."""

    MARK = auto()
    FINISH = auto()


class Wait(Enum):
    """There is nothing to tell or to decode before"""

    AUDIO = auto()
    """more audio comes, or a decode that is under way ends;"""
    OUTCOME = auto()
    """a decode that is under way ends."""


Step = SpeechEvent | PlannedDecode | Wait


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand when the next step is asked for."""

    at: float
    """Seconds, on the clock that says when audio came."""
    more: bool
    """Whether audio waits that the planner has not been given."""
    quality: Quality
    queued: bool = False
    """Whether the decode that is under way has not begun."""


@dataclass(frozen=True, slots=True)
class _Frame:
    voice: float
    threshold: float
    came: float
    live: bool


class Planner:
    """Positions are samples at 16 kHz since the start of the stream."""

    def __init__(self, options: RecognitionOptions) -> None:
        self.options = options
        self._segmenter = Segmenter()
        self._audio = AudioBuffer()
        self._voices = VoiceTrack()
        self._window = Window(self._audio, self._voices)
        self._frames: deque[_Frame] = deque()  # not judged yet
        self._came = 0.0  # when the last frame judged did, and
        self._live = True  # whether as it was spoken
        self._judged = 0  # where it ends
        self._stands = 0  # where the event last told stands
        self._silent_from = 0  # no window reaches back further
        self._asked: tuple[Ask, int] | None = None  # and its time in ms
        self._hurried = False  # texts of a recording are due at once
        self._paused = False  # the speaker has, and that has not been told
        self._under_way: PlannedDecode | None = None  # a partial decode
        self._partial_from = 0  # from where on audio is counted for the next one
        self._first_partial = True  # that is the first of its window
        self._long_from = 0  # where one is due, to shorten a long window by

    # What a stream tells it.

    def add(
        self, audio: Samples, voices: Sequence[float], threshold: float, came: float, live: bool
    ) -> None:
        """Audio that came at a time, as it was spoken (`live`) or faster, and how probable a voice
        is in each frame that it completes."""
        self._audio.append(audio)
        self._frames.extend(_Frame(voice, threshold, came, live) for voice in voices)

    def ask(self, asked: Ask, at_ms: int) -> None:
        """Something is wanted where all audio has been added that comes before `at_ms`."""
        self._asked = asked, at_ms

    def hurry(self) -> None:
        """No more audio comes: somebody waits for the last words, even of a recording."""
        self._hurried = True

    def begin(self, plan: PlannedDecode) -> None:
        """A partial decode is under way, and no other any more."""
        self._under_way = plan
        self._count_partials(plan.end, first=False)

    def take(self, plan: PlannedDecode, text: Text) -> Partial | None:
        """The outcome of a decode."""
        if plan.final:
            self._window.settle(plan, text, self._segmenter.ended)
            return None
        if self._under_way is not plan:
            return None
        self._under_way = None
        self._window.hear(plan, text)
        self._stands = plan.end
        said = self._window.utterance
        return Partial(said.words, said.stable) if said.words else None

    def cut(self) -> None:
        """The words of the event last told are taken."""
        self._under_way = None
        self._window.begin_utterance()
        if self._segmenter.speaking or self._stands < self._segmenter.ended:
            self._window.open(self._stands, self._stands, amid_speech=True)
            self._count_partials(self._stands, first=True)

    @property
    def under_way(self) -> PlannedDecode | None:
        """The partial decode whose outcome is of any use."""
        return self._under_way

    # What a stream is to do.

    def next(self, now: Situation) -> Step:
        """The next step. Events are told one by one, and a final decode is waited for."""
        while True:
            if self._paused:
                if step := self._settle(self._judged, now):
                    return step
                self._paused = False
                event: SpeechEvent | None = self._pause()
            elif step := self._partial_step(now):
                return step
            elif self._frames:
                event = self._judge(self._frames.popleft(), now.quality)
            elif self._asked is not None:
                return self._settle(self._audio.end, now) or self._answer(*self._asked)
            else:
                return Wait.AUDIO
            if event is not None:
                return event

    # Listening.

    def _judge(self, frame: _Frame, quality: Quality) -> SpeechEvent | None:
        """Go on by one frame."""
        self._forget()
        self._judged += FRAME
        self._came, self._live = frame.came, frame.live and not self.options.recording
        least_pause = 0
        if self._live and not quality.short_pauses:
            least_pause = min(self.options.least_pause * MS, _LONG_SILENCE)
        change = self._segmenter.push(frame.voice, frame.threshold, self._judged, least_pause)
        self._voices.append(voice=not self._segmenter.quiet)
        if change is Change.STARTED:
            return self._start_speech(frame.voice)
        if change is Change.PAUSED:
            self._paused = True
        elif self._segmenter.speaking:
            if not self._segmenter.quiet:
                self._window.settled = False
        elif self._segmenter.quiet:
            return self._pause()
        return None

    def _forget(self) -> None:
        """Drop the audio that no window reaches back to, nor one that a cut may open."""
        first = self._window.start if self._window.is_open else self._judged - _PRE_ROLL - FRAME
        self._audio.drop(min(first, self._stands))

    def _start_speech(self, voice: float) -> SpeechStarted:
        began = self._segmenter.began
        if self._window.ends_before(began, began - self._silent_from):
            self._window.close()
        if self._window.is_open:
            self._window.settled = False
            self._count_partials(began, first=False)
        else:
            self._window.open(max(began - _PRE_ROLL, self._silent_from), began)
            self._count_partials(began, first=True)
        self._stands = began
        return SpeechStarted(began // MS, voice)

    def _pause(self) -> Pause | None:
        """The silence goes on, or has begun."""
        since = self._silent_from = self._segmenter.ended
        if self._judged - since >= _LONG_SILENCE:
            self._window.close()
        if since == 0 and self._judged % _SILENT_START:
            return None
        self._stands = self._judged
        said = self._window.utterance
        return Pause(
            said.words,
            since // MS,
            self._judged // MS,
            said.completeness,
            said.language,
            said.stable,
            self._window.spoken if self.options.watch_language else None,
        )

    def _answer(self, asked: Ask, at: int) -> Marked | Finished:
        self._asked = None
        self._stands = self._audio.end
        event = Marked if asked is Ask.MARK else Finished
        said = self._window.utterance
        return event(said.words, at, said.completeness, said.language)

    # Partial texts.

    def _count_partials(self, since: int, *, first: bool) -> None:
        """The next partial text is made when enough has been heard since a position."""
        self._partial_from = since
        self._first_partial = first
        least = _FIRST_PARTIAL if first else NEXT_SHORTENING
        self._long_from = max(since + least, self._window.long_from)

    def _partial_step(self, now: Situation) -> PlannedDecode | Wait | None:
        """The partial decode to be made here, or to be waited for."""
        if not self._segmenter.speaking or self._segmenter.quiet:
            return None
        if self._judged >= self._long_from:
            return self._due_partial(now)
        if self.options.recording:
            return None
        if not self._is_partial_welcome(FULL if not self._live else now.quality):
            return None
        if not self._live:
            return self._tail(None) if self._under_way is None else Wait.OUTCOME
        superfluous = now.more or self._frames or self._asked
        begun = self._under_way is not None and not now.queued
        return None if superfluous or begun else self._tail(None)

    def _is_partial_welcome(self, quality: Quality) -> bool:
        if quality.partial_ms is None:
            return False
        if self._first_partial:
            least = max(_FIRST_PARTIAL, self.options.first_partial * MS)
        else:
            least = max(quality.partial_ms, self.options.next_partial) * MS
        return self._judged - self._partial_from >= least

    def _due_partial(self, now: Situation) -> PlannedDecode | Wait:
        """The window is long: it is shortened by the next partial text."""
        under_way = self._under_way
        if under_way is not None and (
            under_way.due is not None or not now.queued or not self._live
        ):
            return Wait.OUTCOME
        return self._tail(self._due(now, self._judged))

    def _tail(self, due: float | None) -> PlannedDecode:
        return self._window.tail(self._judged, due, self.options)

    # Final texts.

    def _settle(self, end: int, now: Situation) -> PlannedDecode | Wait | None:
        """What has to be done before the utterance has all that was said before `end`."""
        if self._under_way is not None:
            if not self._live:
                return Wait.OUTCOME
            self._under_way = None
        while not self._window.settled:
            voice_end = self._segmenter.ended
            if self._window.says_something(voice_end):
                return self._window.whole(end, voice_end, self._due(now, end), self.options)
            self._window.settle_with_nothing(end)
        return None

    def _due(self, now: Situation, end: int) -> float:
        """When the text of the window up to `end` is due."""
        if self._live:
            return (now.at if self._window.is_rest else self._came) + FINAL_DUE_SECONDS
        if self.options.recording:
            return now.at if self._hurried else now.at + (end - self._window.start) / RATE
        return now.at + BURST_DUE_SECONDS
