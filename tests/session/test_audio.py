"""What becomes of a client's audio, and which audio ends a session."""

import numpy as np
import pytest

from tests.session.opened import HOURS_3, SECOND, WARNED, closed, opened, text, warnings
from tests.support import OPTIONS
from turnwire.session.effects import Close, Decode, Listen, Log, Recognize, Send
from turnwire.session.events import (
    Admitted,
    AudioReceived,
    Connected,
    Decoded,
    NoRoom,
    TextReceived,
    Undecodable,
)
from turnwire.session.session import Session
from turnwire.wire.encodings import Encoding
from turnwire.wire.messages import Error


def test_audio_goes_to_the_engine_as_samples() -> None:
    session = opened()
    samples = np.arange(800, dtype="<i2")
    [effect] = session.receive(AudioReceived(samples.tobytes()), 100)
    assert isinstance(effect, Recognize)
    assert effect.samples.tolist() == samples.tolist()
    assert session.audio_ms == 50


def test_an_empty_binary_message_is_nothing() -> None:
    assert opened().receive(AudioReceived(b""), 100) == []


def test_compressed_audio_is_decoded_first_and_counts_by_what_becomes_of_it() -> None:
    session = opened(("encoding", "opus"), ("sample_rate", "48000"))
    # 20 ms, three times and more: for uncompressed audio that would be too short.
    for packet in (b"a", b"b", b"c", b"d"):
        assert session.receive(AudioReceived(packet), 100) == [Decode(Encoding.OPUS, packet)]
        assert session.receive(AudioReceived(b""), 100) == []
        samples = np.arange(320, dtype=np.int16)
        [effect] = session.receive(Decoded(samples), 100)
        assert isinstance(effect, Recognize)
        assert effect.samples is samples
    assert session.audio_ms == 80


def test_the_engine_hears_compressed_audio_at_one_rate_whatever_was_declared() -> None:
    session = Session("id", "tiny.en", OPTIONS)
    session.receive(Connected([("encoding", "aac"), ("sample_rate", "48000")]), 0)
    _, listen = session.receive(Admitted(60, unix_time=0), 0)
    assert isinstance(listen, Listen)
    assert listen.sample_rate == 16_000


@pytest.mark.parametrize(
    ("encoding", "what"),
    [("opus", "Opus packet"), ("ogg_opus", "Ogg Opus stream"), ("aac", "AAC stream")],
)
def test_what_cannot_be_decoded_ends_the_session(encoding: str, what: str) -> None:
    session = opened(("encoding", encoding))
    session.receive(AudioReceived(b"x"), 100)
    error, close = session.receive(Undecodable("it is none"), 100)
    assert isinstance(close, Close)
    assert close.closure.code == 3006
    assert close.closure.text == (
        f"User Input Validation Error: Failed to decode {what}: it is none"
    )
    assert error == Send(Error.of(close.closure))


@pytest.mark.parametrize(
    ("event", "closure"),
    [
        (TextReceived("{"), ("invalid_json", 3006, "Invalid JSON: {")),
        (TextReceived("[]"), ("invalid_message", 3006, "Invalid Message: []")),
        (text(type="Bogus"), ("invalid_message_type", 3006, "Invalid Message Type: Bogus")),
        (
            AudioReceived(bytes(38_400)),
            (
                "input_duration",
                3007,
                "Input duration violation: 1200.0 ms. Expected between 50 and 1000 ms",
            ),
        ),
    ],
)
def test_a_broken_rule_ends_the_session_in_the_words_of_the_page(
    event: TextReceived | AudioReceived, closure: tuple[str, int, str]
) -> None:
    session = opened()
    effects = session.receive(event, 101)
    assert closed(effects) == closure
    assert session.receive(event, 101) == []
    assert session.deadline() is None


def test_a_wrong_sample_rate_shows_as_short_chunks_and_a_tail_is_forgiven() -> None:
    half = bytes(800)  # 50 ms at 8 kHz, declared as 16 kHz
    session = opened()
    for _ in range(39):
        session.receive(AudioReceived(half), 101)
    effects = session.receive(AudioReceived(half), 101)
    assert effects[0] == Log("declared: sample_rate 16000, pcm_s16le, one channel")
    assert closed(effects)[2] == (
        "Input duration violation: 25.0 ms. Expected between 50 and 1000 ms"
    )
    session = opened()
    for _ in range(39):
        session.receive(AudioReceived(half), 101)
    session.receive(text(type="ForceEndpoint"), 101)
    assert session.receive(AudioReceived(half), 101) != []


def test_audio_far_ahead_of_time_is_warned_of_then_refused() -> None:
    session = opened(WARNED)
    for _ in range(150):
        [effect] = session.receive(AudioReceived(SECOND), 101)
        assert isinstance(effect, Recognize)
    effects = session.receive(AudioReceived(SECOND), 101)
    assert warnings(effects) == [
        (3007, "Audio is ahead of time: Received 151.0 sec. audio in 0.000000 sec")
    ]
    for _ in range(149):
        effects = session.receive(AudioReceived(SECOND), 101)
        assert warnings(effects) == []
    effects = session.receive(AudioReceived(SECOND), 102.5)
    assert closed(session.receive(AudioReceived(SECOND), 102.5)) == (
        "transmission_rate",
        3007,
        "Audio Transmission Rate Exceeded: Received 302.0 sec. audio in 1.500000 sec",
    )


def test_audio_in_time_is_never_warned_of_however_long_it_goes_on() -> None:
    session = opened(WARNED)
    for second in range(HOURS_3 - 200):
        assert len(session.receive(AudioReceived(SECOND), 101 + second)) == 1


def test_a_pause_gives_no_credit_for_later() -> None:
    session = opened(WARNED)
    session.receive(AudioReceived(SECOND), 101)
    for _ in range(150):
        assert len(session.receive(AudioReceived(SECOND), 1000)) == 1
    assert len(warnings(session.receive(AudioReceived(SECOND), 1000))) == 1


def test_audio_ahead_of_time_is_refused_where_there_is_no_room_for_it() -> None:
    session = opened()
    session.receive(AudioReceived(SECOND), 101)
    assert session.receive(NoRoom(), 102.5) == []
    session.receive(AudioReceived(SECOND), 103)
    session.receive(AudioReceived(SECOND), 103)
    assert closed(session.receive(NoRoom(), 103.5)) == (
        "transmission_rate",
        3007,
        "Audio Transmission Rate Exceeded: Received 2.0 sec. audio in 0.000000 sec",
    )


@pytest.mark.parametrize("event", [AudioReceived(bytes(131_073)), TextReceived("é" * 65_536 + "x")])
def test_a_message_over_128_kib_is_too_large(event: AudioReceived | TextReceived) -> None:
    assert closed(opened().receive(event, 101)) == (
        "message_too_large",
        1009,
        "Message too large: 131073 bytes. Expected at most 131072 bytes",
    )
