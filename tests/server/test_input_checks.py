"""What comes as audio and is something else, over real sockets."""

import asyncio
import base64
import json
import logging
import struct
from collections.abc import Iterable

import pytest

from tests.support import (
    RATE,
    TERMINATE,
    Conversation,
    ManualClock,
    chunks,
    converse,
    loud,
    quiet,
    serving,
)

NOT_AUDIO = [
    b'{"type":"Terminate"}',
    b' {"min_turn_silence": 200, "type": "UpdateConfiguration"}',
    b'{"audio_data":"AAAA"}',
]
BASE64 = base64.b64encode(loud(50)).decode()
FORMAT = struct.pack("<IHHIIHH", 16, 1, 2, 48_000, 192_000, 4, 16)
WAV = b"RIFF\x24\x77\x01\x00WAVEfmt " + FORMAT + b"data\x00\x77\x01\x00"
MP3 = b"\xff\xfb\x90\x64" + bytes(413) + b"\xff\xfb\x90\x64" + bytes(1200)


async def said(query: str, messages: Iterable[bytes | str]) -> Conversation:
    async with serving() as server:
        return await server.converse(query, messages)


def warnings(conversation: Conversation) -> list[str]:
    return [m["warning"] for m in conversation.messages if m["type"] == "Warning"]


@pytest.mark.parametrize("data", NOT_AUDIO)
@pytest.mark.parametrize("encoding", ["pcm_s16le", "opus"])
async def test_json_in_a_binary_message_is_3006_and_says_so(data: bytes, encoding: str) -> None:
    conversation = await said(f"encoding={encoding}", [data, TERMINATE])
    assert conversation.code == 3006
    assert conversation.messages[-1]["error"] == (
        "Invalid Message: JSON in a binary message, where audio belongs; send it as text: "
        + data.decode()
    )


async def test_audio_that_begins_like_json_is_audio() -> None:
    conversation = await said("", [b"{" + loud(50)[1:], b'{"' + loud(50)[2:], TERMINATE])
    assert conversation.code == 1000
    assert conversation.messages[-1]["audio_duration_seconds"] == 0


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            BASE64,
            "Invalid Message: base64 in a text message; audio belongs in binary messages, as it is",
        ),
        *(
            (
                json.dumps(wrapped),
                "Invalid Message: base64 within JSON; audio belongs in binary messages, as it is",
            )
            for wrapped in (
                {"audio_data": BASE64},
                {"type": "input_audio_buffer.append", "audio": BASE64},
                {"event": "media", "media": {"payload": BASE64}},
            )
        ),
        ('{"type":"Bogus","x":"short"}', "Invalid Message Type: Bogus"),
    ],
)
async def test_audio_in_a_text_message_is_3006_and_says_so(message: str, text: str) -> None:
    conversation = await said("", [message, TERMINATE])
    assert (conversation.code, conversation.messages[-1]["error"]) == (3006, text)


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (WAV, "a WAV file, whose header says 48000 Hz and 2 channel(s)"),
        (b"OggS\x00\x02", "an Ogg stream"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", "a WebM or Matroska file"),
        (b"ID3\x04\x00", "an MP3 file"),
        (MP3, "an MP3 stream"),
        (b"fLaC\x00\x00\x00\x22", "a FLAC file"),
        (b"\x00\x00\x00\x20ftypM4A ", "an MP4 file"),
        (BASE64.encode(), "base64 text"),
    ],
)
async def test_a_file_where_raw_audio_was_declared_is_warned_of_and_logged(
    first: bytes, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"Audio seems to be {name}, but pcm_s16le was declared"
    audio = first.ljust(3200, b"\x00") if name != "base64 text" else first
    messages: list[bytes | str] = [audio, quiet(100), TERMINATE]
    with caplog.at_level(logging.WARNING):
        conversation = await said("session_warnings=true", messages)
    assert warnings(conversation) == [text]
    assert conversation.code == 1000
    [line] = [record.getMessage() for record in caplog.records]
    assert line.endswith(text)
    assert warnings(await said("", messages)) == []


async def test_a_wav_header_in_front_does_no_harm() -> None:
    conversation = await said("", [WAV + loud(1000)[: -len(WAV)], TERMINATE])
    assert conversation.code == 1000
    assert conversation.transcript != ""


async def test_raw_audio_is_not_warned_of() -> None:
    for audio in (loud(100), quiet(100), b"\xff\xfb" + loud(100)):
        assert warnings(await said("session_warnings=true", [audio, TERMINATE])) == []


async def test_short_chunks_have_a_second_and_one_warning() -> None:
    query = "session_warnings=true"
    conversation = await said(query, [*chunks(loud(980), 20), quiet(50), TERMINATE])
    assert (conversation.code, len(warnings(conversation))) == (1000, 1)
    conversation = await said(query, [*chunks(loud(1000), 20), TERMINATE])
    assert conversation.code == 3007
    assert warnings(conversation) == [
        "Input duration of 20.0 ms was let pass. Expected between 50 and 1000 ms"
    ]


@pytest.mark.parametrize(
    ("chunk", "text"),
    [
        # 100 ms of 8 kHz, and 50 ms of 48 kHz and of two channels, all declared as 16 kHz.
        (1600, "0.50 times real time: its sample_rate seems to be 8000"),
        (4800, "3.00 times real time: its sample_rate seems to be 48000, or 24000 with two"),
        (3200, "2.00 times real time: its sample_rate seems to be 32000, or 16000 with two"),
        (1600 + 1600 // 2, "1.50 times real time: its sample_rate seems to be 24000, or 12000"),
    ],
)
async def test_a_wrong_sample_rate_of_live_audio_is_warned_of_and_logged(
    chunk: int, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    period = 0.1 if chunk == 1600 else 0.05
    with caplog.at_level(logging.WARNING):
        warned = await live("sample_rate=16000&session_warnings=true", chunk, period)
    assert len(warned) == 1
    assert text in warned[0]
    assert "declared: sample_rate 16000, pcm_s16le, one channel" in warned[0]
    [line] = [record.getMessage() for record in caplog.records]
    assert text in line


async def test_live_audio_at_its_own_rate_is_not_warned_of() -> None:
    assert await live("sample_rate=16000&session_warnings=true", 3200, 0.1) == []


async def live(query: str, chunk: int, period: float) -> list[str]:
    """The Warnings of a session that gets a chunk of audio in each period, for 7 s of its clock."""
    clock = ManualClock()
    async with serving(clock=clock) as server, server.connect(query) as socket:
        assert json.loads(await socket.recv())["type"] == "Begin"
        [connection] = server.service._open
        for count in range(1, int(7 / period) + 1):
            await socket.send(bytes(chunk))
            while connection.usage().audio_ms < count * chunk // 32:
                await asyncio.sleep(0)
            clock.advance(period)
        return warnings(await converse(socket, [TERMINATE]))


async def test_more_than_one_channel_is_refused() -> None:
    conversation = await said(f"sample_rate={RATE}&channels=2", [TERMINATE])
    assert conversation.messages[-1]["error"] == (
        "User Input Validation Error: Invalid 'channels': "
        "Value error, audio must be mono; open a session for each channel, or mix them"
    )
