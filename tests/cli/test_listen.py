"""`turnwire listen` with a library in PortAudio's place, of the same shape."""

import ast
import asyncio
import importlib.util
import inspect
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from tests.cli.conftest import Invoke, serving_in_thread
from tests.client.servers import BEGIN, end, tell, turn, until_terminate
from turnwire.cli import listening
from turnwire.cli.listening import NOT_TAKEN, OVERFLOWED, Listening
from turnwire.client import Gap, LocalError

LOUD = b"\x40\x1f" * 1600
"""100 ms."""

TURNS = (turn("Lights off."), turn("Good night.", order=1, start=2000))

DEVICES = [
    {"name": "Speakers", "max_input_channels": 0},
    {"name": "Headset", "max_input_channels": 1},
]


class PortAudioError(Exception):
    pass


class RawInputStream:
    """Hears `script`, in a thread as PortAudio does: each entry is whether some was lost before."""

    script: tuple[bool, ...] = ()
    stops = True

    def __init__(
        self,
        samplerate: Any = None,
        blocksize: Any = None,
        device: Any = None,
        channels: Any = None,
        dtype: Any = None,
        latency: Any = None,
        extra_settings: Any = None,
        callback: Callable[[Any, int, Any, Any], None] | None = None,
        finished_callback: Callable[[], None] | None = None,
    ) -> None:
        assert (samplerate, blocksize, channels, dtype) == (16_000, 1600, 1, "int16")
        assert callback is not None
        assert finished_callback is not None
        self._callback, self._finished = callback, finished_callback
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for lost in self.script:
            self._callback(memoryview(LOUD), 1600, None, SimpleNamespace(input_overflow=lost))
        if self.stops:
            self._finished()

    def __enter__(self) -> "RawInputStream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def query_devices(device: Any = None, kind: Any = None) -> list[dict[str, Any]]:
    return DEVICES


def check_input_settings(
    device: Any = None,
    channels: Any = None,
    dtype: Any = None,
    extra_settings: Any = None,
    samplerate: Any = None,
) -> None:
    if device not in (None, 1, "Headset"):
        raise ValueError(f"No input device matching {device!r}")


FAKES = (RawInputStream, query_devices, check_input_settings)


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(
        PortAudioError=PortAudioError, **{fake.__name__: fake for fake in FAKES}
    )
    monkeypatch.setitem(sys.modules, "sounddevice", library)


@pytest.fixture
def url() -> Iterator[str]:
    async def polite(socket: ServerConnection) -> None:
        await tell(socket, BEGIN)
        await until_terminate(socket)
        await tell(socket, *TURNS)
        await end(socket)

    with serving_in_thread(polite) as url:
        yield url


def test_the_fake_takes_what_the_real_library_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice")
    found = importlib.util.find_spec("sounddevice")
    if found is None or found.origin is None:
        pytest.skip("sounddevice is not installed")
    tree = ast.parse(Path(found.origin).read_text())
    real = {
        getattr(parent, "name", ""): [each.arg for each in node.args.args]
        for parent in tree.body
        for node in ast.walk(parent)
        if isinstance(node, ast.FunctionDef) and (node is parent or node.name == "__init__")
    }
    for name, fake in ((fake.__name__, fake) for fake in FAKES):
        names = list(inspect.signature(fake).parameters)
        assert names == [each for each in real[name] if each != "self"][: len(names)]


def test_the_microphones_are_listed(turnwire: Invoke) -> None:
    result = turnwire("listen", "--devices")
    assert result.exit_code == 0
    assert "Headset" in result.stdout
    assert "Speakers" not in result.stdout


def test_a_microphone_that_does_not_exist(turnwire: Invoke) -> None:
    result = turnwire("listen", "--device", "Nose", "--url", "ws://localhost:1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No input device matching 'Nose'" in result.stderr
    assert "turnwire listen --devices" in result.stderr


def test_a_microphone_that_stops_keeps_what_was_said(
    turnwire: Invoke, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RawInputStream, "script", (False,) * 3)
    result = turnwire("listen", "--device", "1", "--url", url)
    assert (result.exit_code, result.stdout) == (1, "Lights off.\nGood night.\n")
    assert "The microphone has stopped" in result.stderr


def test_what_the_system_lost_is_marked(turnwire: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RawInputStream, "script", (False,) * 12 + (True, False))
    monkeypatch.setattr(RawInputStream, "stops", False)

    async def interrupting(socket: ServerConnection) -> None:
        """Has Ctrl-C pressed once it has been sent everything."""
        await tell(socket, BEGIN)
        size = 0
        while size < 15 * len(LOUD):
            size += len(await socket.recv())
        os.kill(os.getpid(), signal.SIGINT)
        await until_terminate(socket)
        await tell(socket, *TURNS)
        await end(socket)

    with serving_in_thread(interrupting) as url:
        result = turnwire("listen", "--url", url)
        as_json = turnwire("listen", "--url", url, "--format", "json")
    assert (result.exit_code, as_json.exit_code) == (3, 3)
    assert result.stderr == "The transcript is incomplete: 0.1 s of audio are missing.\n"
    lines = result.stdout.splitlines()
    assert lines[0] == "Lights off."
    assert lines[1] == f"[missing: 00:00:01.200 to 00:00:01.300, {OVERFLOWED}]"
    assert lines[2] == "Good night."
    document = json.loads(as_json.stdout)
    assert document["gaps"] == [{"start": 1200, "end": 1300, "reason": OVERFLOWED}]
    assert not document["closure"]["complete"]


async def test_what_finds_no_room_is_a_gap_with_silence_in_its_place() -> None:
    gaps: list[Gap] = []
    heard = Listening(asyncio.get_running_loop(), sample_rate=16_000, gaps=gaps)
    for _ in range(625):
        heard.heard(LOUD, after_a_loss=False)
    audio = heard.audio()
    pieces = [await anext(audio) for _ in range(600)]
    heard.heard(LOUD, after_a_loss=False)
    pieces += [await anext(audio) for _ in range(4)]
    assert b"".join(pieces) == LOUD * 600 + bytes(2500 * 32) + LOUD
    assert gaps == [Gap(60_000, 62_500, NOT_TAKEN)]


async def test_a_microphone_that_gives_nothing_has_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "QUIET_SECONDS", 0.0)
    heard = Listening(asyncio.get_running_loop(), sample_rate=16_000, gaps=[])
    heard.heard(LOUD, after_a_loss=False)
    audio = heard.audio()
    assert await anext(audio) == LOUD
    with pytest.raises(LocalError, match="has stopped"):
        await anext(audio)
