"""Recordings through the engine alone: no server, no sockets, no clock.

What is measured depends on the audio and the model, not on what else the machine does: words,
live text by the audio's own clock, and CPU time. A session's turns are made of it by the session's
own rules, so the words are those that a client would get.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turnwire.bench.clips import Clip
from turnwire.bench.conditions import Conditions
from turnwire.bench.engine import engine_here
from turnwire.bench.machine import Machine, this_machine
from turnwire.bench.measuring import ENDPOINTING, Spread, live_text
from turnwire.bench.words import Difference, Words, compare, transcribe_offline
from turnwire.session.effects import Cut, Send
from turnwire.session.endpointing import endpointing, recognition_options
from turnwire.session.style import style
from turnwire.session.turns import TurnAssembler
from turnwire.speech.engine import Engine
from turnwire.wire.messages import Turn
from turnwire.wire.models import Family
from turnwire.wire.queries import parse_query


@dataclass(frozen=True, slots=True)
class RecognitionFigures:
    """What was measured."""

    model: str
    conditions: Conditions
    """What was done to the recordings."""
    audio_seconds: float
    cpu_ms_per_second: float
    """Of all threads, for each second of audio."""
    cpu_ms_per_second_finals: float
    """That part of it which was spent on final texts."""
    not_final: Spread | None
    """How much of each partial's end is not final, in milliseconds."""
    partials_without_final: int
    words: Words | None
    machine: Machine


async def recognize(engine: Engine, clip: Clip) -> list[Turn]:
    """The messages about all turns of a recording."""
    asked = parse_query(
        [("sample_rate", str(clip.sample_rate))]
        + [(name, str(value).lower()) for name, value in ENDPOINTING.items()]
    )
    family = Family.UNIVERSAL_STREAMING
    turns = TurnAssembler(endpointing(family, asked), style(family, asked, str))
    stream = engine.open(sample_rate=clip.sample_rate, options=recognition_options(family, asked))
    await stream.feed(np.frombuffer(clip.pcm, "<i2"))
    stream.finish()
    messages: list[Turn] = []
    try:
        async for event in stream.events():
            for effect in turns.receive(event):
                if isinstance(effect, Cut):
                    stream.cut()
                elif isinstance(effect, Send) and isinstance(effect.message, Turn):
                    messages.append(effect.message)
    finally:
        await stream.close()
    return messages


async def measure_recognition(
    clips: Sequence[Clip], *, model: str, conditions: Conditions, offline: bool
) -> tuple[RecognitionFigures, list[Difference]]:
    """Each recording once, one after the other; `offline` has the same weights do it, too."""
    machine = this_machine()
    engine = engine_here(model)
    heard: list[str] = []
    spans: list[float] = []
    without_final = 0
    try:
        await recognize(engine, clips[0])  # what is loaded with the first session is loaded
        load = engine.load()
        finals, began = load.spent_on_finals if load else 0.0, time.process_time()
        for clip in clips:
            messages = await recognize(engine, clip)
            live = live_text(messages)
            spans.extend(live[0])
            without_final += live[1]
            heard.append(
                " ".join(
                    turn.transcript
                    for turn in messages
                    if turn.end_of_turn and turn.turn_is_formatted
                )
            )
        spent = time.process_time() - began
        load = engine.load()
        finals = (load.spent_on_finals if load else 0.0) - finals
    finally:
        await engine.close()
    seconds = sum(len(clip.pcm) / 2 / clip.sample_rate for clip in clips)
    texts = transcribe_offline(clips, model) if offline else None
    words, differences = compare(
        [
            [(clip, clip.reference, text)]
            for clip, text in zip(clips, heard, strict=True)
            if clip.reference
        ],
        texts,
    )
    figures = RecognitionFigures(
        model=model,
        conditions=conditions,
        audio_seconds=round(seconds, 1),
        cpu_ms_per_second=round(1000 * spent / seconds, 1),
        cpu_ms_per_second_finals=round(1000 * finals / seconds, 1),
        not_final=Spread.of(spans),
        partials_without_final=without_final,
        words=words,
        machine=machine,
    )
    return figures, differences
