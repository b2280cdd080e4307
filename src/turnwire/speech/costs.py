"""What a conversation costs an engine, and how much of its time conversations may take.

Measured when the engine is made: how long a *final* text of common length takes, and *listening*
to a second of a voice. All else is reckoned in these, by what recordings of speech took.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from turnwire.speech.decoding import RATE
from turnwire.speech.engine import Resource, Samples
from turnwire.speech.voice import Silero, VoiceDetector

_SPEECH = 0.5
"""How much of a conversation one side speaks."""

_FINALS_PER_S = 0.35
"""Final texts for each second of speech: pauses end one, and so do some that end no turn."""

_PARTIALS_PER_S = 0.45
"""What partial texts take for each second of speech, in final texts, while there is time for all of
them."""

_LISTENING = 1.5
"""What listening takes for each second of speech and the silence that goes with it, in what it
takes for the speech."""

_WAIT_SECONDS = 0.2
"""How long a final text may wait for others, on average."""

_MOST_USABLE = 0.7
"""Sessions take no more of the processors: they speak more at one time than at another."""

_USABLE_LOOP = 0.5
"""The part of the event loop's time that listening may take: it has messages and sockets to serve
meanwhile."""

_ROUNDS = 8
"""How often each is measured."""

_PITCH = 137
"""Hz; no multiple of it is near one of the mains' lines."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds."""

    final: float
    """Of a processor, or of a thread that has others compute, for a final text."""
    listening: float
    """Of a processor, for a second of a voice."""

    def decoding(self, threads: int, spent: float) -> Resource:
        """The time of threads that have others compute, of which so much was taken so far."""
        return Resource(threads, self.usable(threads), self._decoding, spent)

    def processors(self, count: int, spent: float) -> Resource:
        """The time of processors that decode and listen, of which so much was taken so far."""
        return Resource(count, self.usable(count), self._decoding + self._listening, spent)

    def event_loop(self, spent: float) -> Resource:
        """The time of the loop that listens, of which so much was taken so far."""
        return Resource(1, _USABLE_LOOP, self._listening, spent)

    def usable(self, threads: int) -> float:
        """The part of their time that may be taken.

        What waits for `threads` that are busy for a part p of their time waits for p / (1 - p)
        times what one text takes all of them; so the longer that is, the more has to be left.
        """
        return min(_WAIT_SECONDS / (_WAIT_SECONDS + self.final / threads), _MOST_USABLE)

    @property
    def _decoding(self) -> float:
        return _SPEECH * (_FINALS_PER_S + _PARTIALS_PER_S) * self.final

    @property
    def _listening(self) -> float:
        return _SPEECH * _LISTENING * self.listening


def measure(make_final: Callable[[], None], threads: int, *, on_cpu: bool) -> Costs:
    """What it takes while all threads make final texts and somebody listens.

    In seconds of CPU, so that other work on the machine makes little difference; where the texts
    are made elsewhere, in seconds that a thread waits for one. The least of some rounds: what
    disturbs a round makes it longer, never shorter. The first loads what the first session would
    have waited for.
    """
    finals, listening = [], []
    voice, silero = steady_voice(), Silero()
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_ROUNDS):
            began, here, all_threads = time.perf_counter(), time.thread_time(), time.process_time()
            made = [pool.submit(make_final) for _ in range(threads)]
            VoiceDetector(silero, RATE).listen(voice)
            heard = time.thread_time() - here
            listening.append(heard * RATE / len(voice))
            for each in made:
                each.result()
            spent = time.process_time() - all_threads - (time.thread_time() - here)
            finals.append(spent / threads if on_cpu else time.perf_counter() - began)
    return Costs(min(finals), min(listening))


def steady_voice() -> Samples:
    """A second of what no gate takes for silence, and nobody for the hum of the mains."""
    at = np.arange(RATE) / RATE
    tones = [np.sin(2 * np.pi * _PITCH * k * at) / k for k in range(1, 20)]
    loudness = 6000 * (0.6 + 0.4 * np.sin(8 * np.pi * at))
    samples: Samples = np.rint(loudness * np.sum(tones, axis=0)).astype(np.int16)
    return samples
