"""One session's ear on a Whisper model: a planner, the audio that waits for it, and its decodes."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from turnwire.recognition import Finished, RecognitionOptions, SpeechEvent
from turnwire.speech.decoding import Text
from turnwire.speech.ears import Ears
from turnwire.speech.engine import Samples
from turnwire.speech.inbox import MOST_SECONDS, Inbox
from turnwire.speech.planner import Ask, Planner, Situation, Wait
from turnwire.speech.scheduler import Scheduler
from turnwire.speech.voice import VoiceDetector
from turnwire.speech.window import PlannedDecode

_BITE_S = 0.1
"""How much audio is listened to in one go, at most. It takes the event loop less than a
millisecond."""

_MOST_RECORDED_S = 2.0
"""How much of a recording may wait in here. The rest waits outside, where it is counted."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    samples: Samples
    vad_threshold: float
    came: float
    live: bool
    last: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Decode:
    plan: PlannedDecode
    queued: Future[Text]
    """The outcome, as the scheduler sees it, and"""
    outcome: asyncio.Future[Text]
    """as the event loop does, which hears of it later."""

    @property
    def begun(self) -> bool:
        return self.queued.running() or self.queued.done()


class _ClosedError(Exception):
    """The stream was closed while its next event was being made."""


class WhisperStream:
    """Implements `turnwire.speech.engine.Stream`."""

    def __init__(
        self,
        scheduler: Scheduler,
        detector: VoiceDetector,
        *,
        ears: Ears,
        sample_rate: int,
        options: RecognitionOptions,
    ) -> None:
        """Scheduler and ears are those of all streams of an engine."""
        self._scheduler = scheduler
        self._detector = detector
        self._ears = ears
        self._sample_rate = sample_rate
        self._planner = Planner(options)
        most = _MOST_RECORDED_S if options.recording else MOST_SECONDS
        self._inbox: Inbox[_Sound | Ask] = Inbox(sample_rate, scheduler.clock, most_seconds=most)
        self._closed = False
        self._peak = 0.0  # how probable a voice was since that was asked
        self._running: _Decode | None = None

    # What a session calls.

    async def feed(self, samples: Samples) -> None:
        await self._inbox.has_room()
        self._inbox.note_arrival(len(samples))
        bite = int(_BITE_S * self._sample_rate)
        for start in range(0, len(samples), bite):
            self._put(samples[start : start + bite])

    def mark(self) -> None:
        self._inbox.put(Ask.MARK)

    def finish(self) -> None:
        self._planner.hurry()
        if self._running is not None:
            self._scheduler.hurry(self._running.queued)
        self._put(np.zeros(0, np.int16), last=True)
        self._inbox.put(Ask.FINISH)

    def cut(self) -> None:
        self._planner.cut()
        self._give_up()

    def configure(self, options: RecognitionOptions) -> None:
        # Tokens of what was said before mean nothing to another model.
        asked = self._planner.options.multilingual
        self._planner.options = replace(options, multilingual=asked)

    def voice_peak(self) -> float:
        peak, self._peak = self._peak, 0.0
        return peak

    async def events(self) -> AsyncIterator[SpeechEvent]:
        try:
            while True:
                event = await self._step()
                if event is None:
                    # Other streams go on, too, and so does what this one waits for.
                    await asyncio.sleep(0)
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
        self._planner = Planner(self._planner.options)

    # The events are made step by step, of which each makes one at most: so a cut falls between
    # two steps, and what it ends has no loose ends elsewhere.

    async def _step(self) -> SpeechEvent | None:
        if self._closed:
            raise _ClosedError
        if self._running is not None and self._running.outcome.done():
            return await self._outcome(self._running)
        step = self._planner.next(self._situation())
        if self._running is not None and self._planner.under_way is not self._running.plan:
            self._give_up()
        if isinstance(step, PlannedDecode):
            return await self._decode(step)
        if step is Wait.OUTCOME:
            assert self._running is not None
            return await self._outcome(self._running)
        if step is Wait.AUDIO:
            await self._take_audio()
            return None
        return step

    def _situation(self) -> Situation:
        return Situation(
            at=self._scheduler.clock(),
            more=bool(self._inbox),
            quality=self._scheduler.quality,
            queued=self._running is not None and not self._running.begun,
        )

    # Audio.

    def _put(self, samples: Samples, last: bool = False) -> None:
        threshold = self._planner.options.vad_threshold
        inbox = self._inbox
        inbox.put(_Sound(samples, threshold, inbox.came, inbox.live, last), len(samples))

    async def _take_audio(self) -> None:
        if not self._inbox:
            await self._inbox.wake.wait()
            self._inbox.wake.clear()
        else:
            await self._ears.hear(self._listen, recorded=self._planner.options.recording)

    def _listen(self) -> None:
        """Give the planner the next bite."""
        if self._closed:
            return
        item = self._inbox.take()
        if isinstance(item, Ask):
            self._planner.ask(item, self._inbox.taken * 1000 // self._sample_rate)
            return
        audio, voices = self._detector.listen(item.samples, item.last)
        self._peak = max((self._peak, *voices))
        self._planner.add(audio, voices, item.vad_threshold, item.came, item.live)

    # Decodes.

    async def _decode(self, plan: PlannedDecode) -> SpeechEvent | None:
        """Have a decode made; a final one is waited for."""
        if not plan.final and self._running is not None:
            self._replace(self._running, plan)
            return None
        decode = self._submit(plan)
        if plan.final:
            return await self._outcome(decode)
        self._planner.begin(plan)
        return None

    def _submit(self, plan: PlannedDecode) -> _Decode:
        queued = self._scheduler.submit(plan.job, plan.due)
        outcome = asyncio.wrap_future(queued)
        outcome.add_done_callback(lambda _: self._inbox.wake.set())
        self._running = _Decode(plan, queued, outcome)
        return self._running

    def _replace(self, running: _Decode, plan: PlannedDecode) -> None:
        """Have a partial decode take the place of one that has not begun; nothing if it has."""
        if plan.due is None:
            if self._scheduler.replace(running.queued, plan.job):
                self._running = _Decode(plan, running.queued, running.outcome)
                self._planner.begin(plan)
        elif running.queued.cancel():
            self._submit(plan)
            self._planner.begin(plan)

    async def _outcome(self, decode: _Decode) -> SpeechEvent | None:
        await asyncio.wait([decode.outcome])
        if self._closed:
            raise _ClosedError
        if self._running is not decode:
            return None  # a cut came between
        self._running = None
        return self._planner.take(decode.plan, decode.outcome.result())

    def _give_up(self) -> None:
        """Cancel the decode that runs or waits, if there is one."""
        if self._running is not None:
            self._running.outcome.cancel()
            self._running = None
