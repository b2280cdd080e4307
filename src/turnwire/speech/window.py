"""The window of audio that an utterance is decoded from, and the words that come of it.

The planner says when to decode. What is decoded is said here: for a partial text the *tail* of the
window, for a final one all of it. Partial texts shorten a window that has grown long, and what a
final text leaves unheard is the next window.
"""

from dataclasses import dataclass, replace

from turnwire.recognition import Language, RecognitionOptions
from turnwire.speech.audio_buffer import AudioBuffer
from turnwire.speech.decoding import MS, NOTHING, RATE, Job, JobKind, Text
from turnwire.speech.holes import UNHEARD_MS, filled, without_what_follows
from turnwire.speech.languages import NOTHING_HEARD
from turnwire.speech.quality import FULL
from turnwire.speech.utterance import Utterance
from turnwire.speech.voice import FRAME
from turnwire.speech.voice_track import VoiceTrack

CONTEXT_STEP = 16
"""Contexts from this many tokens on grow in steps of as many: decodes with equally long ones can
be made together."""

# In samples at 16 kHz:

NEXT_SHORTENING = 1000 * MS
"""How much more is heard before a long window is looked at again."""

_LEAST_VOICE = 3 * FRAME
"""A window with less voice than this says nothing."""

_REST_OF_WORD = 250 * MS
"""A window that begins amid speech says nothing with less voice than this: what a cut leaves of a
word would be taken for another word."""

_LONG_ENOUGH = 8 * RATE
"""A window from here on ends with any pause after a likely end of a sentence."""

_LIKELY = 0.5

_LONE_PAUSE = 350 * MS
"""So long after a word that is alone in its window, and may be a sentence, that ends. The same word
said again after a pause, and decoded with the first, is one word for a decoder."""

_MAYBE = 0.05
"""The completeness of "no" and "yes" is 0.1 and more, that of words that go on below 0.01."""

_LONG = 15 * RATE
"""A window from here on is shortened where a sentence ends."""

_TOO_LONG = 24 * RATE
"""A window from here on is shortened between any two words, and ends with any pause. So none is
longer than this, a second of speech and a pause."""

_MOST_RESTS = 3
"""So many times at one pause what a final text leaves unheard is decoded. Speech needs no more;
music would be decoded word by word."""

_REACH = 100 * MS
"""How far off the times of words may be, when a dip is looked for between two."""


@dataclass(frozen=True, slots=True, eq=False)
class PlannedDecode:
    """A decode to be made."""

    job: Job
    start: int
    """Where its window begins and"""
    end: int
    """ends: samples."""
    due: float | None
    """When its text is wanted; None: whenever there is time."""

    @property
    def final(self) -> bool:
        return self.job.kind is JobKind.FINAL


class Window:
    """Positions are samples at 16 kHz since the start of the stream."""

    def __init__(self, audio: AudioBuffer, voices: VoiceTrack) -> None:
        self._audio = audio
        self._voices = voices
        self.utterance = Utterance()
        self.is_open = False  # there is audio to decode
        self.settled = True  # the utterance has all that was said in it
        self.start = 0
        self._voice_from = 0  # where the voice in it begins
        self._least_voice = _LEAST_VOICE  # with less of it, the window says nothing
        self._heard = NOTHING_HEARD  # of the language of all windows so far
        self._said: tuple[int, ...] = ()  # the last tokens of the utterances before
        self._rests = 0  # that were left at this pause

    @property
    def long_from(self) -> int:
        """Where it has grown long."""
        return self.start + _LONG

    @property
    def is_rest(self) -> bool:
        """Whether it is what a final text at this pause has left."""
        return self._rests > 0

    def open(self, start: int, voice_from: int, *, amid_speech: bool = False) -> None:
        self.is_open = True
        self.settled = False
        self._rests = 0
        self.start = start
        self._voice_from = voice_from
        self._least_voice = _REST_OF_WORD if amid_speech else _LEAST_VOICE

    def close(self) -> None:
        """Its words stay as they are; more audio is of another window."""
        self.utterance.keep()
        self.is_open = False

    def begin_utterance(self) -> None:
        """The words so far are taken; from now on they are context."""
        self._said = (*self._said, *self.utterance.tokens)[-FULL.context_tokens :]
        self.utterance = Utterance()
        self.is_open = False
        self.settled = True

    @property
    def spoken(self) -> Language | None:
        """What is spoken, if that is certainly another language than the words are in."""
        if not self.utterance.words:
            return None
        return self._heard.other_than(self.utterance.language)

    def ends_before(self, at: int, pause: int) -> bool:
        """Whether speech that begins at `at` is of another window, after a pause that is no long
        silence."""
        completeness = self.utterance.completeness
        if pause >= _LONE_PAUSE and self._is_one_word and completeness >= _MAYBE:
            return True
        return at - self.start >= (_LONG_ENOUGH if completeness >= _LIKELY else _TOO_LONG)

    @property
    def _is_one_word(self) -> bool:
        """Whether all that was said since it was silent is one word. A letter is none."""
        # A window begins amid speech where another was cut.
        words = self.utterance.window if self.start < self._voice_from else ()
        return len(words) == 1 and not words[0].joined

    # What is decoded.

    def tail(self, end: int, due: float | None, options: RecognitionOptions) -> PlannedDecode:
        """A decode of the tail of the window, up to `end`."""
        start = self.start
        if self.utterance.before_tail > 0:
            start = self._dip(self.utterance.before_tail)
        audio = self._audio.copy(start, end)
        prefix = self.utterance.tail_prefix
        job = Job(audio, prefix, JobKind.PARTIAL, len(audio), options=options, heard=self._heard)
        return PlannedDecode(job, start, start + len(audio), due)

    def whole(
        self, end: int, voice_end: int, due: float, options: RecognitionOptions
    ) -> PlannedDecode:
        """A decode of the window up to `end`, for good; its voice ends at `voice_end`."""
        audio = self._audio.copy(self.start, end)
        said = (*self._said, *self.utterance.kept_tokens)
        told = min(len(said) // CONTEXT_STEP * CONTEXT_STEP or len(said), FULL.context_tokens)
        context = said[len(said) - told :]
        voice = min(voice_end - self.start, len(audio))
        job = Job(audio, (), JobKind.FINAL, voice, context, options, self._heard)
        return PlannedDecode(job, self.start, end, due)

    def says_something(self, voice_end: int) -> bool:
        """Whether enough of it is voice, which ends at `voice_end`, to be decoded for good."""
        return voice_end - self._voice_from >= self._least_voice

    # What comes of it.

    def hear(self, plan: PlannedDecode, text: Text) -> None:
        """Take the text of a tail."""
        text = self._on_clock(text, plan.start)
        before = self.utterance.window[self.utterance.before_tail :]
        words = filled(text.words, before, self._voice_ms)
        self.utterance.hear(replace(text, words=words), plan.end // MS)
        self._shorten(plan.end)

    def settle(self, plan: PlannedDecode, text: Text, voice_end: int) -> None:
        """Take the text of the whole window."""
        text = self._on_clock(text, plan.start)
        words = text.words
        if all(word.trusted for word in words):
            # What was taken out of a text that repeats itself stays out.
            words = filled(words, self.utterance.window, self._voice_ms)
        words = without_what_follows(words, voice_end // MS, self._voice_ms)
        self._heard = text.heard or self._heard
        self.utterance.settle(replace(text, words=words), plan.end // MS)
        self.utterance.end_with_voice(voice_end // MS)
        self.settled = self._rests == _MOST_RESTS or not self._leave_rest(voice_end)
        self._rests = 0 if self.settled else self._rests + 1

    def settle_with_nothing(self, end: int) -> None:
        """The window up to `end` says nothing."""
        self.utterance.settle(NOTHING, end // MS)
        self.settled = True
        self._rests = 0

    def _leave_rest(self, voice_end: int) -> bool:
        """Whether a final text stops long before the voice does; then the window is what follows,
        also of the words that are stable though it does not have them."""
        end = self.utterance.until * MS
        if end < self.start + 2 * _REACH or self._voices.within(end, voice_end) < UNHEARD_MS * MS:
            return False
        self.start = self._voice_from = self._audio.quietest(end, end + 2 * _REACH)
        self.utterance.keep()
        return True

    def _voice_ms(self, start: int, end: int) -> int:
        return self._voices.within(start * MS, end * MS) // MS

    def _shorten(self, end: int) -> None:
        """Leave audio whose words are certain out of a window that has grown long up to `end`."""
        if end - self.start >= _LONG and (count := self.utterance.sentence_end()):
            self._leave_out(count)
        while end - self.start >= _TOO_LONG:
            if count := self.utterance.widest_gap(before=(end - NEXT_SHORTENING) // MS):
                self._leave_out(count)
            else:
                # Nothing has been understood in all that time.
                self.start = end
                self.utterance.keep()

    def _leave_out(self, count: int) -> None:
        self.start = self._dip(count)
        self.utterance.keep(count)

    def _dip(self, count: int) -> int:
        """Where it is quietest between the first `count` words of the window and the next."""
        left, right = self.utterance.gap(count)
        return self._audio.quietest(left * MS - _REACH, right * MS + _REACH)

    def _on_clock(self, text: Text, origin: int) -> Text:
        """The text on the audio clock. Decoders put the first word of a window too early."""
        words = []
        for word in text.words:
            start = max(origin + word.start * MS, self._voice_from) // MS
            words.append(replace(word, start=start, end=max(start, origin // MS + word.end)))
        return replace(text, words=tuple(words))
