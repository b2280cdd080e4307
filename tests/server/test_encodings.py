"""Sessions in every encoding, and what may become of the processes that decode."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.cli.conftest import COMMAND
from tests.encodings import adts, messages, ogg_opus, ogg_page, opus_packets, tone
from tests.recordings import TWO_CITIES_TEXT, samples
from tests.server.processes import about, alive, decoders
from tests.support import PATIENCE, TERMINATE, ManualClock, Server, converse, serving
from turnwire.bench.scoring import word_errors
from turnwire.speech.engine import Engine
from turnwire.wire.encodings import UNCOMPRESSED, Encoding

COMPRESSED = sorted(frozenset(Encoding) - UNCOMPRESSED)

FORCE = json.dumps({"type": "ForceEndpoint"})

GAVE_UP = "User Input Validation Error: Failed to decode Opus packet: the decoder gave up"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server
    assert decoders(os.getpid()) == []


async def test_every_encoding_gives_the_same_words(tiny_en: Callable[[], Engine]) -> None:
    audio, rate = samples("two_cities.wav")
    audio = audio[: 17 * rate]
    heard = {}
    async with serving(tiny_en()) as server:
        for encoding in Encoding:
            sent = messages(encoding, audio, rate)
            query = f"sample_rate={rate}&encoding={encoding}"
            said = await server.converse(query, [*sent, TERMINATE])
            assert said.code == 1000
            assert said.messages[-1]["audio_duration_seconds"] == 17
            heard[encoding] = said.transcript
    errors, words = word_errors(" ".join(TWO_CITIES_TEXT.split()[:48]), heard[Encoding.PCM_S16LE])
    assert (words, errors <= 1) == (48, True)
    for transcript in heard.values():
        assert word_errors(heard[Encoding.PCM_S16LE], transcript)[0] <= 1


@pytest.mark.parametrize("encoding", COMPRESSED)
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (24_000, 2), (16_000, 6)])
async def test_what_is_sent_after_audio_counts_after_it(
    server: Server, encoding: Encoding, rate: int, channels: int
) -> None:
    first, second = (
        messages(encoding, tone(ms, rate), rate, channels=min(channels, 2))
        if encoding is Encoding.OPUS
        else messages(encoding, tone(ms, rate), rate, channels=channels)
        for ms in (640, 320)
    )
    said = await server.converse(f"encoding={encoding}", [*first, FORCE, *second, TERMINATE])
    assert [turn["transcript"] for turn in said.ends_of_turn] == ["one two", "three"]
    assert said.code == 1000
    assert said.messages[-1]["audio_duration_seconds"] == 1


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60, 120])
async def test_opus_packets_of_any_duration_are_taken(server: Server, frame_ms: float) -> None:
    packets = opus_packets(tone(600), frame_ms=frame_ms)
    said = await server.converse("encoding=opus", [*packets, TERMINATE])
    assert said.transcript == "one two"
    assert said.code == 1000


async def test_silence_that_opus_does_not_send_still_takes_its_time(server: Server) -> None:
    # Of a packet of 20 ms that was left out only the first byte is sent (RFC 6716, 3.1).
    packets = opus_packets(tone(300))
    left_out = [b"\x08"] * 50
    said = await server.converse("encoding=opus", [*packets, *left_out, *packets, TERMINATE])
    [turn] = said.ends_of_turn
    first, second = turn["words"]
    assert 1200 < second["start"] - first["start"] < 1400


async def test_what_ogg_says_is_to_be_skipped_is_skipped(server: Server) -> None:
    stream = ogg_opus(tone(1000))
    at = stream.index(b"OpusHead") + 10
    skips = stream[:at] + (38_400).to_bytes(2, "little") + stream[at + 2 :]
    said = await server.converse("encoding=ogg_opus", [skips, TERMINATE])
    assert said.transcript == ""
    assert (await server.converse("encoding=ogg_opus", [stream, TERMINATE])).transcript != ""


async def test_streams_of_ogg_may_follow_each_other(server: Server) -> None:
    streams = ogg_opus(tone(320)) + ogg_opus(tone(320), channels=2)
    said = await server.converse("encoding=ogg_opus", [streams, TERMINATE])
    assert said.transcript == "one two"


async def test_a_stream_of_aac_may_change_its_form(server: Server) -> None:
    streams = adts(tone(320)) + adts(tone(320, 22_050), 22_050, channels=2)
    said = await server.converse("encoding=aac", [streams, TERMINATE])
    assert said.transcript == "one two"


async def test_a_message_that_ends_amid_a_page_is_no_mistake(server: Server) -> None:
    stream = ogg_opus(tone(600))
    said = await server.converse("encoding=ogg_opus", [stream[:-1], TERMINATE])
    assert said.transcript != ""
    assert said.code == 1000


async def test_few_bytes_that_claim_to_be_hours_are_too_fast() -> None:
    # Two bytes are 120 ms here: two frames of 60 ms, both left out.
    half_a_minute = ogg_page(b"\x1b\x02" * 255, b"\2" * 255)
    begin = ogg_page(b"OpusHead\1\1" + bytes(9), b"\x13", flags=2)
    tags = ogg_page(b"OpusTags" + bytes(8), b"\x10")
    clock = ManualClock()
    async with serving(clock=clock, ahead_seconds=600) as server:
        talking = asyncio.create_task(
            server.converse("encoding=ogg_opus", [begin + tags + 100 * half_a_minute])
        )
        while not talking.done():
            await asyncio.sleep(0.001)
            clock.advance_to_next(within=2)
        said = await talking
    assert said.code == 3007
    assert said.messages[-1]["error"].startswith("Audio Transmission Rate Exceeded")


async def say(socket: ClientConnection, *messages: bytes) -> dict[str, Any]:
    """Send these, and wait for the next turn."""
    for message in messages:
        await socket.send(message)
    while True:
        heard: dict[str, Any] = json.loads(await socket.recv())
        if heard["type"] == "Turn":
            return heard


async def test_a_decoder_that_is_killed_ends_its_own_session(server: Server) -> None:
    packets = opus_packets(tone(320))
    async with (
        server.connect("encoding=opus") as victim,
        server.connect("encoding=opus") as other,
    ):
        await say(victim, *packets)
        [killed, _] = decoders(os.getpid())
        await say(other, *packets)
        os.kill(killed, signal.SIGKILL)
        said = await converse(victim, packets)
        assert said.messages[-1] == {"type": "Error", "error_code": 3006, "error": GAVE_UP}
        assert said.code == 3006
        assert (await converse(other, [*packets, TERMINATE])).transcript == "one two"


async def test_a_decoder_that_hangs_ends_its_own_session() -> None:
    packets = opus_packets(tone(320))
    clock = ManualClock()
    async with (
        serving(clock=clock) as server,
        server.connect("encoding=opus") as victim,
        server.connect("encoding=opus") as other,
    ):
        await say(victim, *packets)
        [stopped, _] = decoders(os.getpid())
        await say(other, *packets)
        os.kill(stopped, signal.SIGSTOP)
        talking = asyncio.create_task(converse(victim, packets))
        assert await say(other, *packets)
        while not talking.done():
            await asyncio.sleep(0.01)
            clock.advance(1)
        said = await talking
        assert said.messages[-1]["error"] == GAVE_UP
        assert said.code == 3006
        assert (await converse(other, [*packets, TERMINATE])).code == 1000
        assert stopped not in decoders(os.getpid())
    assert decoders(os.getpid()) == []


async def test_without_the_process_that_forks_them_decoders_go_on(server: Server) -> None:
    packets = opus_packets(tone(320))
    async with server.connect("encoding=opus") as socket:
        await say(socket, *packets)
        [_, forking] = decoders(os.getpid())
        os.kill(forking, signal.SIGKILL)
        assert (await converse(socket, [*packets, TERMINATE])).transcript == "one two"
    # It is started anew as soon as its end is known.
    async with asyncio.timeout(PATIENCE):
        while (await server.converse("encoding=opus", [*packets, TERMINATE])).code != 1000:
            pass
    assert forking not in decoders(os.getpid())


async def test_decoders_end_with_their_sessions_however_those_end(server: Server) -> None:
    packets = opus_packets(tone(320))
    for ending in (TERMINATE, "{not json", None):
        async with server.connect("encoding=opus") as socket:
            await say(socket, *packets)
            assert len(decoders(os.getpid())) == 2
            if ending is None:
                socket.transport.abort()
            else:
                await converse(socket, [ending])
        async with asyncio.timeout(PATIENCE):
            while server.service.open_connections or len(decoders(os.getpid())) > 1:
                await asyncio.sleep(0.001)


async def test_decoders_do_not_see_the_secrets_of_the_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNWIRE_DATABASE", "postgresql://turnwire:s3cret@host/turnwire")
    async with server.connect("encoding=opus") as socket:
        await say(socket, *opus_packets(tone(320)))
        [decoder, _] = decoders(os.getpid())
        environment = about(decoder, "environ")
    assert "PATH=" in environment
    assert "s3cret" not in environment


async def test_a_decoder_may_not_have_much(server: Server) -> None:
    async with server.connect("encoding=opus") as socket:
        await say(socket, *opus_packets(tone(320)))
        [decoder, _] = decoders(os.getpid())
        limits, memory = about(decoder, "limits"), about(decoder, "smaps_rollup")
    assert "Max data size             134217728" in limits
    assert "Max core file size        0" in limits
    [private] = [int(line.split()[1]) for line in memory.splitlines() if "Private_Dirty" in line]
    assert private < 10_000  # kB


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_server_that_ends_leaves_no_decoder_and_no_trace(sign: signal.Signals) -> None:
    command = [*COMMAND, "serve", "--model=echo", "--port=0", "--no-auth", "--drain-seconds=0"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = (await process.stdout.readline()).decode()
        url = line.removeprefix("Turnwire is ready at ").partition(" ")[0]
        async with connect(f"{url}?encoding=opus", proxy=None) as socket:
            await say(socket, *opus_packets(tone(320)))
            left = decoders(process.pid)
            assert len(left) == 2
            # As a terminal or a service manager does it: to all of its processes.
            os.killpg(process.pid, sign)
            if sign is not signal.SIGKILL:
                for each in left:
                    with suppress(ProcessLookupError):  # it may have ended already
                        os.kill(each, sign)
                assert (await converse(socket)).transcript == "one"
        await process.wait()
        assert b"Traceback" not in await process.stderr.read()
        async with asyncio.timeout(PATIENCE):
            while any(map(alive, left)):
                await asyncio.sleep(0.01)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
