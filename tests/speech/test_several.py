"""Two models, of which one listens for the language of what the other writes."""

import logging
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pytest

from tests.speech.counting import GUIDANCE
from turnwire.recognition import RecognitionOptions
from turnwire.speech import engines
from turnwire.speech.costs import Costs
from turnwire.speech.decoding import NOTHING, RATE, DecodedWord, Job, JobKind, Text
from turnwire.speech.devices import CPU
from turnwire.speech.languages import NOTHING_HEARD, LanguageEvidence
from turnwire.speech.several import TwoModels
from turnwire.speech.whisper import Whisper

HELLO = Text((DecodedWord("Hello.", 0, 900, 0.9, (1,)),), 0.9)
WELSH = NOTHING_HEARD.with_window([("cy", 1.0)], 5.0)
ENGLISH_ALONE = RecognitionOptions(vad_threshold=0.5, watch_language=True)


class Usual:
    """Writes the same for every window."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def decode(self, jobs: Sequence[Job]) -> list[Text | Job]:
        return [self._text for _ in jobs]


class Multilingual:
    """Takes all for Welsh, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure

    def listen_for_language(self, job: Job) -> LanguageEvidence:
        if self._failure is not None:
            raise self._failure
        return WELSH


def decode(
    text: Text, multilingual: Multilingual, options: RecognitionOptions, times: int = 1
) -> list[Text | Job]:
    models = TwoModels(cast(Whisper, Usual(text)), cast(Whisper, multilingual))
    window = np.ones(5 * RATE, np.int16)
    job = Job(window, (), JobKind.FINAL, voice_end=len(window), options=options)
    return [each for _ in range(times) for each in models.decode([job])]


@pytest.mark.parametrize(
    ("text", "options", "heard"),
    [
        (HELLO, ENGLISH_ALONE, WELSH),
        (HELLO, GUIDANCE, None),
        # Music, say, which has no language.
        (NOTHING, ENGLISH_ALONE, None),
    ],
)
def test_a_language_is_heard_where_there_are_words(
    text: Text, options: RecognitionOptions, heard: LanguageEvidence | None
) -> None:
    (decoded,) = decode(text, Multilingual(), options)
    assert isinstance(decoded, Text)
    assert (decoded.words, decoded.heard) == (text.words, heard)


def test_a_language_that_cannot_be_told_costs_no_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        texts = decode(HELLO, Multilingual(RuntimeError("out of memory")), ENGLISH_ALONE, times=3)
    assert texts == [HELLO] * 3
    assert len(caplog.records) == 1


class Model:
    """One of which each final text takes as many seconds as its name says."""

    is_multilingual = True

    def __init__(self, name: str, threads: int, device: object) -> None:
        self.final = float(name)

    def make_final(self) -> None: ...


@pytest.mark.parametrize("models", [["0.1", "0.4"], ["0.4", "0.1"]])
def test_of_two_models_the_dearer_one_counts(
    monkeypatch: pytest.MonkeyPatch, models: list[str]
) -> None:
    def as_named(make_final: Callable[[], None], threads: int, *, on_cpu: bool) -> Costs:
        return Costs(make_final.__self__.final, 0.01)  # type: ignore[attr-defined]

    monkeypatch.setattr(engines, "Whisper", Model)
    monkeypatch.setattr(engines, "find_model", str)
    monkeypatch.setattr(engines, "measure", as_named)
    assert engines.load_whisper(models, CPU).costs.final == 0.4
