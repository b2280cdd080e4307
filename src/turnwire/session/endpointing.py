"""What a session's parameters come to: where its turns end, and how closely the engine listens."""

from dataclasses import dataclass
from math import exp
from typing import TypeVar

from turnwire.recognition import RecognitionOptions
from turnwire.wire.limits import LONGEST_SESSION_SECONDS
from turnwire.wire.models import ENGLISH, MULTILINGUAL, Family
from turnwire.wire.parameters import ConnectionParameters
from turnwire.wire.presets import BY_MODE, CONFIDENCE_THRESHOLD, UNIVERSAL_STREAMING, Mode

Number = TypeVar("Number", int, float)


DEFAULT_LONGEST_TURN_MS = 60_000
"""Unless `max_turn_duration` says otherwise."""


@dataclass(frozen=True, slots=True)
class Endpointing:
    """Where turns end."""

    threshold: float
    """Completeness, 0 to 1, that ends a turn at `min_silence`."""
    min_silence: int
    """ms"""
    max_silence: int
    """ms"""
    pause_shown: int = 0
    """ms of silence after which the words before a pause are shown."""
    longest_turn: int = DEFAULT_LONGEST_TURN_MS
    """ms"""


_VAD_THRESHOLD = 0.4
"""For every family. The protocol's defaults for Universal-3 (0.2, 0.3) are those of another
network; with 0.2, this one misses a quarter of the pauses that end turns."""

_GOING_ON_MS = 150
"""How soon speakers go on whose pause does not end their turn, on average. They take a little
longer; with this, nine in ten of the pauses that are given 0.7 do end it."""

_ADDED_DELAY = 256
"""ms that the protocol adds to any `interruption_delay`."""

_SPARSE_PARTIALS = 3000
"""ms between partials where they are not asked to be continuous."""


def mode_of(family: Family, asked: ConnectionParameters) -> Mode | None:
    """The mode that the session is in; only Universal-3 has modes."""
    return (asked.mode or Mode.BALANCED) if family is Family.UNIVERSAL_3 else None


def endpointing(family: Family, asked: ConnectionParameters) -> Endpointing:
    mode = mode_of(family, asked)
    preset = UNIVERSAL_STREAMING if mode is None else BY_MODE[mode]
    min_silence = _either(asked.min_turn_silence, preset.min_turn_silence)
    max_silence = _either(asked.max_turn_silence, preset.max_turn_silence)
    threshold = _either(asked.end_of_turn_confidence_threshold, CONFIDENCE_THRESHOLD)
    return Endpointing(
        threshold if mode is None else CONFIDENCE_THRESHOLD,
        min_silence,
        max_silence,
        pause_shown=0 if mode is None else min_silence,
        longest_turn=_either(asked.max_turn_duration, DEFAULT_LONGEST_TURN_MS),
    )


def end_probability(completeness: float, silence: int, rules: Endpointing) -> float:
    """How likely it is that a pause which has lasted so long, in ms, ends the turn.

    It does if it lasts as long as `rules` ask of a turn so complete. Until then, speakers go on at
    about the same rate whenever they have not yet.
    """
    enough = rules.min_silence if completeness >= rules.threshold else rules.max_silence
    return exp(-max(enough - silence, 0) / _GOING_ON_MS)


def recognition_options(family: Family, asked: ConnectionParameters) -> RecognitionOptions:
    mode = mode_of(family, asked)
    first = following = 0
    if not asked.include_partial_turns:
        first = following = 1000 * LONGEST_SESSION_SECONDS
    elif mode is not None:
        first = _ADDED_DELAY + _either(asked.interruption_delay, BY_MODE[mode].interruption_delay)
        following = _SPARSE_PARTIALS if asked.continuous_partials is False else 0
    rules = endpointing(family, asked)
    return RecognitionOptions(
        vad_threshold=_either(asked.vad_threshold, _VAD_THRESHOLD),
        first_partial=first,
        next_partial=following,
        least_pause=min(rules.min_silence, rules.max_silence),
        prompt=asked.prompt or "",
        keyterms=tuple(asked.keyterms_prompt or ()),
        agent_context=asked.agent_context or "",
        languages=_languages(asked),
        recording=asked.recording,
        multilingual=_is_multilingual(asked),
        watch_language=asked.session_warnings,
    )


def _codes(asked: ConnectionParameters) -> list[str]:
    codes = asked.language_codes if asked.language_codes is not None else asked.language_code
    if codes is None and asked.language is not None:
        codes = [asked.language]
    return list(codes or ())


def _languages(asked: ConnectionParameters) -> tuple[str, ...]:
    codes = _codes(asked)
    if not codes and asked.speech_model == ENGLISH:
        return ("en",)
    return tuple(code for code in codes if code != "multi")


def _is_multilingual(asked: ConnectionParameters) -> bool:
    if asked.speech_model == MULTILINGUAL or asked.language_detection:
        return asked.speech_model != ENGLISH
    return any(code != "en" for code in _codes(asked))


def _either(asked: Number | None, otherwise: Number) -> Number:
    return otherwise if asked is None else asked
