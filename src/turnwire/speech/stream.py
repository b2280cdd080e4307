"""One session's ear on a Whisper model.

What a stream does depends on the audio alone, not on how fast it arrives or how fast decoding
is. A partial decode runs while the stream goes on listening, but its outcome is waited for
before the next decode. Only if audio comes as it is spoken, and the decode has not begun by
then, as on a busy server, is it made of the newer audio instead. So partial texts come as often
as the server has time for them, and are never old. A final decode is waited for where it is due.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

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
from turnwire.speech.decoding import MS, NOTHING, RATE, Decoded, Job, Kind, Text
from turnwire.speech.engine import Samples
from turnwire.speech.inbox import Inbox
from turnwire.speech.scheduler import Scheduler
from turnwire.speech.utterance import Utterance
from turnwire.speech.voice import FRAME, Change, Segmenter, VoiceDetector

_BITE_S = 0.5
"""How much audio is listened to in one go, at most. It takes the event loop some milliseconds."""

_LIVE_S = 0.5
"""A stream with less audio than this to listen to hears it as it is spoken."""

_CONTEXT_TOKENS = 48
"""How much of what was said before a window its final decode is told: some forty words,"""

_CONTEXT_STEP = 16
"""from so many on in steps of as many: decodes with equally long contexts can be made together."""

# In samples at 16 kHz:

_PRE_ROLL = 300 * MS
"""How far before the first frame with a voice its sound may begin."""

_LEAST_VOICE = 3 * FRAME
"""A window with less voice than this says nothing."""

_REST_OF_WORD = 250 * MS
"""A window that begins amid speech says nothing with less voice than this: what a cut leaves of a
word would be taken for another word."""

_FIRST_PARTIAL = 500 * MS
"""How much speech is heard before it is decoded for the first time."""

_NEXT_PARTIAL = 1000 * MS
"""How much more is heard before it is decoded again."""

_SILENT_START = 32 * FRAME
"""How often silence is told before anyone has spoken: about once a second."""

_LONG_SILENCE = 500 * MS
"""After so much silence the words before it are kept."""

_LONG_ENOUGH = 8 * RATE
"""A window from here on ends with any pause after a likely end of a sentence."""

_LIKELY = 0.5

_LONG = 15 * RATE
"""A window from here on is shortened where a sentence ends."""

_TOO_LONG = 24 * RATE
"""A window from here on is shortened between any two words."""

_UNHEARD = 2 * RATE
"""A final text may stop this long before the voice does, which may be laughter."""

_REACH = 100 * MS
"""How far off the times of words may be, when a dip is looked for between two."""


class _Ask(Enum):
    MARK = auto()
    FINISH = auto()


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    samples: Samples
    vad_threshold: float
    last: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Decode:
    """A decode of the audio from `start` to `end`, samples."""

    start: int
    end: int
    queued: Future[Text]
    """The outcome, as the scheduler sees it, and"""
    outcome: asyncio.Future[Text]
    """as the event loop does."""


class _ClosedError(Exception):
    """The stream was closed while its next event was being made."""


class WhisperStream:
    """Implements `turnwire.speech.engine.Stream`."""

    def __init__(
        self,
        scheduler: Scheduler,
        ear: VoiceDetector,
        *,
        sample_rate: int,
        options: RecognitionOptions,
    ) -> None:
        self._scheduler = scheduler
        self._ear = ear
        self._sample_rate = sample_rate
        self._guidance = options

        self._inbox: Inbox[_Sound | _Ask] = Inbox(sample_rate)
        self._finishing = False
        self._closed = False

        # All positions below are samples at 16 kHz since the start of the stream.
        self._tape = AudioBuffer()
        self._segmenter = Segmenter()
        self._frames: deque[tuple[float, float]] = deque()  # not judged yet: (voice, threshold)
        self._peak = 0.0  # how probable a voice was since that was asked
        self._judged = 0  # where the last frame judged ends
        self._stands = 0  # where the event last yielded stands
        self._silent_from = 0  # no window reaches back further

        self._utterance = Utterance()
        self._said: tuple[int, ...] = ()  # the last tokens of the utterances before
        self._speech = False  # the utterance has a window of audio to decode
        self._window = 0  # where it begins
        self._voice_from = 0  # where the voice in the window begins
        self._least_voice = _LEAST_VOICE  # with less of it, the window says nothing
        self._settled = True  # the utterance has taken all that was said
        self._due: Kind | _Ask | None = None  # the decode to make before anything else
        self._running: _Decode | None = None
        self._next_partial = 0

    # What a session calls.

    async def feed(self, samples: Samples) -> None:
        await self._inbox.has_room()
        bite = int(_BITE_S * self._sample_rate)
        for start in range(0, len(samples), bite):
            piece = samples[start : start + bite]
            self._inbox.put(_Sound(piece, self._guidance.vad_threshold), len(piece))

    def mark(self) -> None:
        self._inbox.put(_Ask.MARK)

    def finish(self) -> None:
        self._inbox.put(_Sound(np.zeros(0, np.int16), self._guidance.vad_threshold, last=True))
        self._inbox.put(_Ask.FINISH)
        self._finishing = True

    def cut(self) -> None:
        self._give_up()
        self._said = (*self._said, *self._utterance.tokens)[-_CONTEXT_TOKENS:]
        self._utterance = Utterance()
        self._settled = True
        self._speech = False
        if self._segmenter.speaking or self._stands < self._segmenter.ended:
            self._open_window(self._stands, self._stands, least_voice=_REST_OF_WORD)

    def configure(self, options: RecognitionOptions) -> None:
        self._guidance = options

    def voice_peak(self) -> float:
        peak, self._peak = self._peak, 0.0
        return peak

    async def events(self) -> AsyncIterator[SpeechEvent]:
        try:
            while True:
                event = await self._step()
                if event is None:
                    continue
                yield event
                if isinstance(event, Finished):
                    return
        except _ClosedError:
            return

    async def close(self) -> None:
        self._closed = True
        self._give_up()
        self._inbox.close()
        self._frames.clear()
        self._tape = AudioBuffer()

    # The events are made step by step, of which each makes one at most: so a cut falls between
    # two steps, and what it ends has no loose ends elsewhere.

    async def _step(self) -> SpeechEvent | None:
        if self._closed:
            raise _ClosedError
        # A final decode is waited for where it is begun, so this one is partial.
        if self._running is not None and (self._due is not None or self._running.outcome.done()):
            return await self._end_partial(self._running)
        if self._due is not None:
            return await self._decode_due()
        if self._frames:
            return self._judge(*self._frames.popleft())
        if self._inbox:
            self._take(self._inbox.take())
            await asyncio.sleep(0)  # other streams listen, too
        else:
            await self._inbox.wake.wait()
            self._inbox.wake.clear()
        return None

    def _take(self, item: _Sound | _Ask) -> None:
        if isinstance(item, _Ask):
            self._due = item
            return
        audio, voices = self._ear.listen(item.samples, item.last)
        self._tape.append(audio)
        self._peak = max((self._peak, *voices))
        self._frames.extend((voice, item.vad_threshold) for voice in voices)

    # Listening.

    def _judge(self, voice: float, threshold: float) -> SpeechEvent | None:
        """Go on by one frame."""
        self._judged += FRAME
        change = self._segmenter.push(voice, threshold, self._judged)
        if change is Change.STARTED:
            return self._start_speech(voice)
        if change is Change.PAUSED:
            self._due = Kind.FINAL
        elif self._segmenter.speaking:
            if not self._segmenter.quiet:
                self._settled = False
                if self._judged >= self._next_partial:
                    self._due = Kind.PARTIAL
        elif self._segmenter.quiet:
            return self._pause()
        return None

    def _start_speech(self, voice: float) -> SpeechStarted:
        began = self._segmenter.began
        if began - self._window >= _LONG_ENOUGH and self._utterance.completeness >= _LIKELY:
            self._utterance.keep()
            self._speech = False
        if self._speech:
            self._plan_partial(began, _NEXT_PARTIAL, self._guidance.next_partial)
        else:
            self._open_window(max(began - _PRE_ROLL, self._silent_from), began)
        self._settled = False
        self._stands = began
        return SpeechStarted(began // MS, voice)

    def _open_window(self, start: int, voice_from: int, *, least_voice: int = _LEAST_VOICE) -> None:
        self._speech = True
        self._window = start
        self._voice_from = voice_from
        self._least_voice = least_voice
        self._plan_partial(voice_from, _FIRST_PARTIAL, self._guidance.first_partial)
        self._settled = False

    def _plan_partial(self, since: int, least: int, wanted_ms: int) -> None:
        """Decode again when so much more has been heard; a long window is watched for an end."""
        watched = max(since + least, self._window + _LONG)
        self._next_partial = min(since + max(least, wanted_ms * MS), watched)

    def _pause(self) -> Pause | None:
        """The silence goes on, or began where the last decode was due."""
        since = self._silent_from = self._segmenter.ended
        if self._judged - since >= _LONG_SILENCE:
            self._utterance.keep()
            self._speech = False
        if not self._speech:
            self._tape.drop(self._judged - _PRE_ROLL - FRAME)
        if since == 0 and self._judged % _SILENT_START:
            return None
        self._stands = self._judged
        said = self._utterance
        return Pause(
            said.words,
            since // MS,
            self._judged // MS,
            said.completeness,
            said.language,
            said.stable,
        )

    # Decoding.

    async def _decode_due(self) -> SpeechEvent | None:
        due, self._due = self._due, None
        if due is Kind.PARTIAL:
            self._plan_partial(self._judged, _NEXT_PARTIAL, self._guidance.next_partial)
            self._submit(*self._tail())
            return None
        if due is Kind.FINAL:
            await self._settle(self._judged)
            return self._pause()
        await self._settle(self._tape.end)
        self._stands = self._tape.end
        at = self._inbox.taken * 1000 // self._sample_rate
        event = Marked if due is _Ask.MARK else Finished
        said = self._utterance
        return event(said.words, at, said.completeness, said.language)

    async def _end_partial(self, partial: _Decode) -> Partial | None:
        short = partial.end - self._window < _LONG
        if self._due is not None and self._live and short and self._overtake(partial):
            return None
        text = await self._outcome(partial)
        if text is None:
            return None
        self._utterance.hear(text, partial.end // MS)
        self._shorten_window(partial.end)
        self._stands = partial.end
        words = self._utterance.words
        return Partial(words, self._utterance.stable) if words else None

    @property
    def _live(self) -> bool:
        """Whether audio is heard as it is spoken, and more of it will come."""
        return not self._finishing and self._inbox.waiting < _LIVE_S * self._sample_rate

    def _overtake(self, partial: _Decode) -> bool:
        """Have the decode that is due take the place of a partial one, if that has not begun."""
        if self._due is not Kind.PARTIAL:
            if partial.queued.cancel():
                self._running = None
            return self._running is None
        start, job = self._tail()
        if not self._scheduler.replace(partial.queued, job):
            return False
        self._due = None
        self._plan_partial(self._judged, _NEXT_PARTIAL, self._guidance.next_partial)
        self._running = replace(partial, start=start, end=self._judged)
        return True

    async def _settle(self, end: int) -> None:
        """Let the utterance have all that was said before `end`."""
        while not self._settled:
            if self._segmenter.ended - self._voice_from < self._least_voice:
                text: Text | None = NOTHING
            else:
                text = await self._outcome(self._decode(end))
                if text is not None and not self._utterance.agrees_with(text):
                    text = await self._outcome(self._decode(end, self._utterance.prefix))
            if text is not None:
                self._utterance.settle(text, end // MS)
                self._settled = not self._leave_rest(text)

    def _leave_rest(self, text: Text) -> bool:
        """Whether a final text stops long before the voice does; then the window is what follows.

        Where one speaker takes over from another, the decoder may take the first one's end for
        that of the window.
        """
        end = text.words[-1].end * MS if text.words else 0
        if end < self._window + 2 * _REACH or self._segmenter.ended - end < _UNHEARD:
            return False
        self._window = self._voice_from = self._tape.quietest(end, end + 2 * _REACH)
        self._utterance.keep()
        return True

    def _tail(self) -> tuple[int, Job]:
        """Where the tail of the window begins, and its decode."""
        start = self._window
        if self._utterance.before_tail > 0:
            left, right = self._utterance.gap(self._utterance.before_tail)
            start = self._tape.quietest(left * MS - _REACH, right * MS + _REACH)
        audio = self._tape.copy(start, self._judged)
        prefix = self._utterance.tail_prefix
        return start, Job(audio, prefix, Kind.PARTIAL, len(audio), options=self._guidance)

    def _decode(self, end: int, prefix: tuple[int, ...] = ()) -> _Decode:
        """Have the window up to `end` decoded for good."""
        audio = self._tape.copy(self._window, end)
        voice_end = min(self._segmenter.ended - self._window, len(audio))
        said = (*self._said, *self._utterance.kept_tokens)
        told = min(len(said) // _CONTEXT_STEP * _CONTEXT_STEP or len(said), _CONTEXT_TOKENS)
        context = said[len(said) - told :]
        job = Job(audio, prefix, Kind.FINAL, voice_end, context, self._guidance)
        return self._submit(self._window, job)

    def _submit(self, start: int, job: Job) -> _Decode:
        queued = self._scheduler.submit(job)
        outcome = asyncio.wrap_future(queued)
        outcome.add_done_callback(lambda _: self._inbox.wake.set())
        self._running = _Decode(start, start + len(job.window), queued, outcome)
        return self._running

    async def _outcome(self, running: _Decode) -> Text | None:
        """What a decode made of its audio, on the audio clock; none if a cut came between."""
        await asyncio.wait([running.outcome])
        if self._closed:
            raise _ClosedError
        if self._running is not running:
            return None
        self._running = None
        text = running.outcome.result()
        return replace(
            text, words=tuple(self._on_clock(word, running.start) for word in text.words)
        )

    def _on_clock(self, word: Decoded, origin: int) -> Decoded:
        """A word on the audio clock; decoders put the first of a window too early."""
        start = max(origin + word.start * MS, self._voice_from) // MS
        return replace(word, start=start, end=max(start, origin // MS + word.end))

    def _give_up(self) -> None:
        """Cancel the decode that runs or waits, if there is one."""
        if self._running is not None:
            self._running.outcome.cancel()
            self._running = None

    def _shorten_window(self, end: int) -> None:
        """Drop audio whose words are certain from a window that has grown long up to `end`."""
        length = end - self._window
        if length < _LONG:
            return
        count = self._utterance.sentence_end()
        if count == 0 and length >= _TOO_LONG:
            count = self._utterance.widest_gap(before=(end - _NEXT_PARTIAL) // MS)
        if count > 0:
            left, right = self._utterance.gap(count)
            self._window = self._tape.quietest(left * MS - _REACH, right * MS + _REACH)
            self._utterance.keep(count)
        elif length >= _TOO_LONG:
            # Nothing has been understood in all that time.
            self._window = end
            self._utterance.keep()
        self._tape.drop(self._window)
