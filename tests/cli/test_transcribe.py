import asyncio
import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from tests.cli.conftest import COMMAND, UNPACED_COMMAND, Invoke, serving_in_thread
from tests.client.dictation import DictationEngine, talk
from tests.client.media import Spoken, write
from tests.client.relay import Cut, relaying
from tests.client.servers import BEGIN, end, tell, turn, until_terminate
from tests.support import serving as real_server
from turnwire.accounts.admission import OpenRegistry
from turnwire.client import AudioFile, AudioFileError
from turnwire.client.messages import Error
from turnwire.server.running import running

LONG = "Invalid JSON: " + "x" * 150

SAID = "one two three\nfour\n"
"""What the echo engine makes of `speech`; it knows neither case nor punctuation."""


async def two_turns(socket: ServerConnection) -> None:
    await tell(socket, BEGIN)
    await until_terminate(socket)
    await tell(
        socket,
        turn("lights", ended=False, formatted=False),
        turn("lights off", formatted=False),
        turn("Lights off."),
        turn("Good night.", order=1, start=2000),
    )
    await end(socket)


def test_a_file_through_a_server_of_its_own(turnwire: Invoke, speech: Path) -> None:
    result = turnwire("transcribe", speech, "--model", "echo")
    assert (result.exit_code, result.stdout, result.stderr) == (0, SAID, "")


@pytest.mark.parametrize(
    ("format", "stdout"),
    [
        ("text", "Lights off.\nGood night.\n"),
        (
            "srt",
            "1\n00:00:00,000 --> 00:00:00,834\nLights off.\n\n"
            "2\n00:00:02,000 --> 00:00:02,834\nGood night.\n\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00:00.000 --> 00:00:00.834\nLights off.\n\n"
            "00:00:02.000 --> 00:00:02.834\nGood night.\n\n",
        ),
    ],
)
def test_a_file_through_a_server_that_was_named(
    turnwire: Invoke, speech: Path, format: str, stdout: str
) -> None:
    with serving_in_thread(two_turns) as url:
        result = turnwire("transcribe", speech, "--url", url, "--format", format)
    assert (result.exit_code, result.stdout, result.stderr) == (0, stdout, "")


def test_json(turnwire: Invoke, speech: Path) -> None:
    result = turnwire("transcribe", speech, "--model", "echo", "--format", "json")
    document = json.loads(result.stdout)
    assert document["text"] == "one two three four"
    assert [word["text"] for word in document["words"]] == ["one", "two", "three", "four"]
    assert document["audio_duration_seconds"] == 3
    assert document["closure"]["code"] == 1000


def test_the_key_comes_from_the_command_line_or_the_environment(
    turnwire: Invoke, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        asked.append((socket.request.path, socket.request.headers.get("Authorization")))
        await two_turns(socket)

    with serving_in_thread(handler) as url:
        turnwire("transcribe", speech, "--url", url, "--api-key", "k1")
        monkeypatch.setenv("TURNWIRE_API_KEY", "k2")
        turnwire("transcribe", speech, "--url", url)
    path = "/v3/ws?sample_rate=16000&format_turns=true&recording=true"
    assert asked == [(path, "k1"), (path, "k2")]


@pytest.mark.parametrize("format", ["text", "srt", "vtt", "json"])
def test_what_was_said_is_written_and_what_is_missing_is_marked(
    turnwire: Invoke, speech: Path, format: str
) -> None:
    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        heard = 0
        while heard < 64_000:
            heard += len(await socket.recv())
        await tell(socket, turn("Lights off."), Error(error_code=3006, error=LONG))
        await socket.close(3006, "See Error message for details")

    with serving_in_thread(handler) as url:
        result = turnwire("transcribe", speech, "--url", url, "--format", format)
    assert result.exit_code == 3
    assert result.stderr == (f"{LONG}.\nSend JSON objects as text and audio as binary messages.\n")
    lights = result.stdout.index("Lights off.")
    match format:
        case "text":
            assert result.stdout.startswith("Lights off.\n[missing: 00:00:00.")
        case "json":
            document = json.loads(result.stdout)
            assert [gap["start"] <= 700 for gap in document["gaps"]] == [True]
            assert not document["closure"]["complete"]
        case _:
            assert lights < result.stdout.index("[missing]")
            assert "--> 00:00:0" in result.stdout[lights:]


def test_1000_without_termination_is_followed_by_another_session(
    turnwire: Invoke, speech: Path
) -> None:
    connections = itertools.count()

    async def handler(socket: ServerConnection) -> None:
        if next(connections) == 0:
            await tell(socket, BEGIN)
            heard = 0
            while heard < 64_000:
                heard += len(await socket.recv())
            await tell(socket, turn("Lights off."))
            await socket.close(1000)
            return
        await tell(socket, BEGIN)
        await until_terminate(socket)
        await tell(socket, turn("Good night."))
        await end(socket)

    with serving_in_thread(handler) as url:
        result = turnwire("transcribe", speech, "--url", url)
    assert (result.exit_code, result.stdout) == (0, "Lights off.\nGood night.\n")


@pytest.mark.parametrize(
    ("code", "text", "what", "todo"),
    [
        (1008, "Missing Authorization header", "The server wants an API key.", "--api-key, or in"),
        (1008, "Invalid API key", "The server does not know this API key.", "TURNWIRE_API_KEY"),
        (1008, "Insufficient account balance", "The balance of this account is used up.", "raise"),
        (1013, "", "The server has as many sessions as it can serve.", "Try again"),
        (3009, "Too many concurrent sessions", "Your account has as many sessions", "minute"),
    ],
)
def test_a_refusal_is_said_in_the_words_of_the_person(
    turnwire: Invoke, speech: Path, code: int, text: str, what: str, todo: str
) -> None:
    refusal = f"Unauthorized Connection: {text}" if text else "No capacity: full"

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, Error(error_code=code, error=refusal))
        await socket.close(code, refusal)

    with serving_in_thread(handler) as url:
        plain = turnwire("transcribe", speech, "--url", url)
        verbose = turnwire("transcribe", speech, "--url", url, "--verbose")
    assert (plain.exit_code, plain.stdout) == (1, "")
    first, second = plain.stderr.splitlines()
    assert first.startswith(what)
    assert todo in second
    assert verbose.stderr.startswith(plain.stderr)
    assert f"received Error {code}, received close {code}" in verbose.stderr


def test_tls_that_is_mixed_up_names_the_option(turnwire: Invoke, speech: Path) -> None:
    with serving_in_thread(two_turns) as url:
        result = turnwire("transcribe", speech, "--url", url.replace("ws:", "wss:"))
    assert result.exit_code == 1
    assert result.stderr.startswith("The TLS connection to wss://127.0.0.1:")
    assert "--ca-file" in result.stderr
    assert result.stderr.count("\n") == 2


async def test_a_server_with_a_certificate_of_its_own(speech: Path) -> None:
    async with running("echo", tls=True) as server:

        async def transcribe(*options: str) -> tuple[int | None, str, str]:
            process = await asyncio.create_subprocess_exec(
                *(*UNPACED_COMMAND, "transcribe", str(speech), "--url", server.url),
                *("--api-key", server.api_key, *options),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            stdout, stderr = await process.communicate()
            return process.returncode, stdout.decode(), stderr.decode()

        code, stdout, stderr = await transcribe()
        assert (code, stdout) == (1, "")
        assert "certificate" in stderr
        assert "--ca-file" in stderr
        assert await transcribe("--ca-file", str(server.ca_file)) == (0, SAID, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("absent.wav",), "Cannot read absent.wav: No such file or directory.\n"),
        (("SPEECH", "--url", "ws://"), "'ws://' is not the address of a server; "),
        (("SPEECH", "--url", "ws://127.0.0.1:1"), "Could not connect to ws://127.0.0.1:1/v3/ws; "),
        (("SPEECH", "--url", "ws://no.such.invalid"), "There is no host no.such.invalid "),
        (("SPEECH", "--ca-file", "absent.pem", "--model", "echo"), "The ca_file 'absent.pem' "),
        (("SPEECH", "--model", "no/such/folder"), "no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    turnwire: Invoke,
    speech: Path,
    arguments: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = turnwire(
        "transcribe", *(speech if argument == "SPEECH" else argument for argument in arguments)
    )
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") <= 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("a.wav", "--format", "docx"),
        ("a.wav", "--url", "ws://localhost", "--model", "tiny.en"),
        ("a.wav", "--sample-rate", "16000"),
        ("-", "--sample-rate", "4000"),
        ("-", "--track", "1"),
    ],
)
def test_misuse_is_2(turnwire: Invoke, arguments: tuple[str, ...]) -> None:
    result = turnwire("transcribe", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_a_file_that_was_cut_off(turnwire: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\1\0mdat" + bytes(248))
    result = turnwire("transcribe", path, "--model", "echo")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{path} is not an audio file that can be read: ")


def test_the_server_extra_is_named_if_it_is_missing(
    turnwire: Invoke, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("running", "http"):
        monkeypatch.delitem(sys.modules, f"turnwire.server.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = turnwire("transcribe", speech)
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'pip install "turnwire[server,tiny-en]"' in result.stderr
    assert result.stderr.count("\n") == 1


class Live:
    """`turnwire transcribe -` as a process of its own, with a microphone's place at its input."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "transcribe", "-", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def say(self, pcm: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(pcm)
        self.process.stdin.flush()

    def line(self) -> bytes:
        assert self.process.stdout
        return self.process.stdout.readline()

    def end(self) -> tuple[int, bytes, bytes]:
        stdout, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stdout, stderr


LOUD = b"\x40\x1f" * 8000
QUIET = bytes(48_000)


def test_a_microphone_until_its_end() -> None:
    live = Live("--model", "echo", "--sample-rate", "8000")
    live.say(LOUD[:8000])
    live.say(QUIET)
    assert live.line() == b"one two\n"
    live.say(LOUD[:4000])
    assert live.end() == (0, b"three\n", b"")


def test_ctrl_c_ends_a_microphone_as_its_end_would() -> None:
    live = Live("--model", "echo")
    live.say(LOUD + QUIET)
    assert live.line() == b"one two\n"
    live.say(LOUD + LOUD)
    live.process.send_signal(signal.SIGINT)
    code, stdout, stderr = live.end()
    assert (code, stderr) == (0, b"")
    # As far as it had come through the pipe.
    assert b"three four five six".startswith(stdout.removesuffix(b"\n"))


def test_a_termination_keeps_what_was_said() -> None:
    live = Live("--model", "echo")
    live.say(LOUD + QUIET)
    assert live.line() == b"one two\n"
    live.say(LOUD + QUIET[:8000])
    live.process.send_signal(signal.SIGTERM)
    code, stdout, stderr = live.end()
    assert (code, stderr) == (128 + signal.SIGTERM, b"")
    assert b"three four".startswith(stdout.removesuffix(b"\n"))


@pytest.mark.parametrize("start", [b"RIFF", b"OggS", b"ID3", b"fLaC"])
def test_what_is_no_raw_audio_is_said_to_be_none(start: bytes) -> None:
    live = Live("--model", "echo")
    live.say(start + bytes(32_000))
    code, stdout, stderr = live.end()
    assert (code, stdout) == (1, b"")
    assert b"not raw PCM. Use /dev/stdin" in stderr


def test_ctrl_c_ends_a_file_with_130(speech: Path, tmp_path: Path) -> None:
    said: list[str | bytes] = []

    async def handler(socket: ServerConnection) -> None:
        await tell(socket, BEGIN, turn("Lights off."))
        said.extend(await until_terminate(socket))
        await tell(socket, turn("Good night.", order=1))
        await end(socket)

    raw = tmp_path / "long.raw"
    raw.write_bytes(bytes(32_000 * 600))
    with serving_in_thread(handler) as url, raw.open("rb") as recording:
        process = subprocess.Popen(
            [*COMMAND, "transcribe", "-", "--url", url],
            stdin=recording,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout
        assert process.stdout.readline() == b"Lights off.\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, b"Good night.\n", b"")
    assert len(said) < 6000


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        ("<&-", "Standard input is closed; pipe raw audio into it.\n"),
        ("TERMINAL", "Standard input is the keyboard; pipe raw audio into it, as --help shows.\n"),
    ],
)
def test_standard_input_that_cannot_be_audio(stdin: str, sentence: str) -> None:
    command = shlex.join([*COMMAND, "transcribe", "-", "--model", "echo"])
    terminal, other_end = os.openpty()
    try:
        result = subprocess.run(
            f"{command} {stdin}" if stdin != "TERMINAL" else command,
            shell=True,
            stdin=other_end,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.close(terminal)
        os.close(other_end)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", sentence)


def test_a_reader_that_leaves_is_no_reason_for_a_traceback(speech: Path) -> None:
    command = shlex.join([*COMMAND, "transcribe", "-", "--model", "echo", "--format", "vtt"])
    result = subprocess.run(
        f"{command} | true",
        shell=True,
        input=LOUD + QUIET,
        capture_output=True,
        timeout=60,
    )
    assert b"Traceback" not in result.stderr


def test_on_a_terminal_progress_is_shown_and_the_transcript_kept_apart(speech: Path) -> None:
    terminal, other_end = os.openpty()
    process = subprocess.Popen(
        [*UNPACED_COMMAND, "transcribe", str(speech), "--model", "echo"],
        stdout=subprocess.PIPE,
        stderr=other_end,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(other_end)
    shown = b""
    # A terminal that everybody has left cannot be read any more.
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout.decode()) == (0, SAID)
    assert b"of 00:03.2" in shown
    assert b"three" in shown  # while it was said


def tracks(path: Path) -> Path:
    """A video's sound: a silent track in English, and one in German in which words are heard."""
    loud, quiet = np.full(8000, 8000, np.int16), np.zeros(8000, np.int16)
    return write(
        path,
        Spoken([(0, np.concatenate([quiet, quiet, quiet]))], language="eng", default=True),
        Spoken([(0, np.concatenate([loud, quiet, quiet]))], language="ger"),
        codec="pcm_s16le",
    )


def test_the_default_track_is_read_and_a_track_without_words_is_told(
    turnwire: Invoke, tmp_path: Path
) -> None:
    path = tracks(tmp_path / "a.mkv")
    result = turnwire("transcribe", path, "--model", "echo")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        f"{path}: reading audio track 1 (eng, default), not 2 (ger).\n"
        "No word was recognised. The audio is mute: every sample is zero. "
        "There are other audio tracks: 2 (ger); see --track.\n"
    )


@pytest.mark.parametrize("track", ["2", "de"])
def test_another_track_is_read_if_it_is_asked_for(
    turnwire: Invoke, tmp_path: Path, track: str
) -> None:
    path = tracks(tmp_path / "a.mkv")
    result = turnwire("transcribe", path, "--model", "echo", "--track", track)
    assert (result.exit_code, result.stdout) == (0, "one two\n")
    assert result.stderr == f"{path}: reading audio track 2 (ger), not 1 (eng, default).\n"


def test_a_track_that_is_not_there_is_one_sentence(turnwire: Invoke, tmp_path: Path) -> None:
    result = turnwire("transcribe", tracks(tmp_path / "a.mkv"), "--model", "echo", "--track", "fr")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("no audio track fr. Its tracks: 1 (eng, default); 2 (ger).\n")


def test_captions_are_written_to_the_last_though_the_file_is_damaged(
    turnwire: Invoke, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = AudioFile.__iter__

    def damaged(file: AudioFile) -> Iterator[bytes]:
        yield from whole(file)
        raise AudioFileError("It is damaged.")

    monkeypatch.setattr(AudioFile, "__iter__", damaged)
    result = turnwire("transcribe", speech, "--model", "echo", "--format", "srt")
    assert (result.exit_code, result.stderr) == (1, "It is damaged.\n")
    assert "one two three" in result.stdout
    assert "four" in result.stdout


async def test_a_pipe_through_a_server_that_is_lost_three_times_loses_no_word() -> None:
    audio = talk(80, pause_ms=900)
    cuts = [Cut(20), Cut(9), Cut(5)]
    async with (
        real_server(DictationEngine(), registry=OpenRegistry()) as server,
        relaying(server.url, cuts) as relay,
    ):
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "transcribe", "-", "--url", relay.url, "--format", "json"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stdout, _ = await process.communicate(audio)
    document = json.loads(stdout)
    assert [word["text"] for word in document["words"]] == [f"w{n}" for n in range(80)]
    assert (process.returncode, document["gaps"]) == (0, [])
    assert document["closure"]["complete"]
    assert len(relay.audio) == 4
