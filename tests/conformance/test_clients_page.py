"""docs/clients.md: what its examples make, transcribes the passage."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from assemblyai.streaming.v3 import StreamingEvents
from livekit import rtc
from livekit.agents.stt import SpeechEventType
from livekit.agents.utils import http_context

from tests.conformance.browsing import browse, token_of, website
from tests.conformance.passage import (
    AUDIO,
    CHUNKS,
    NEARLY_ALL_MS,
    RATE,
    assert_heard,
    assert_told_apart,
    channels,
)
from tests.conformance.pipeline import conversation, texts
from tests.conformance.programs import program
from tests.conformance.python_sdk import Story, parameters
from tests.conformance.recorder import nearly_all_is_heard
from turnwire.testing import LocalServer

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()

pytestmark = [
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning"),
    pytest.mark.filterwarnings(r"ignore:ConnectionClosed\.\w+ is deprecated:DeprecationWarning"),
]

TERMINATE = json.dumps({"type": "Terminate"})


def example(server: LocalServer, client: str) -> str:
    """The code in the section about a client, for this server."""
    [section] = re.findall(rf"^## {client}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    [code] = re.findall(r"^```\w+\n(.*?)^```", section, re.M | re.S)
    _, _, address = server.host.partition("://")
    return str(code).replace("127.0.0.1:8080", address).replace("tw_...", server.api_key)


def made(server: LocalServer, client: str) -> dict[str, Any]:
    """What the code in the section makes, by name."""
    names: dict[str, Any] = {}
    exec(compile(example(server, client), client, "exec"), names)
    return names


def test_every_example_of_the_page_is_run() -> None:
    with_code = re.findall(r"^## (.*)\n(?:(?!## ).*\n)*?```\w+$", PAGE, re.M)
    assert with_code == [
        "Official Python SDK",
        "Official Python SDK, with asyncio",
        "Official Python SDK, two channels",
        "Official Node SDK",
        "LiveKit",
        "Pipecat",
        "A browser",
        "websocket-client",
        "websockets",
    ]


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [turn["transcript"] for turn in messages if turn.get("turn_is_formatted")]


def test_the_python_sdk(server: LocalServer) -> None:
    client = made(server, "Official Python SDK")["client"]
    story = Story()
    story.listen(client)
    client.connect(parameters())
    client.stream(CHUNKS)
    asyncio.run(nearly_all_is_heard())
    client.disconnect(terminate=True)
    assert_heard(*(turn.transcript for turn in story.finals))


async def test_the_python_sdk_with_asyncio(server: LocalServer) -> None:
    story = Story()
    async with made(server, "Official Python SDK, with asyncio")["client"] as client:
        story.listen(client)
        await client.connect(parameters())
        await client.stream(CHUNKS)
        await nearly_all_is_heard()
    assert_heard(*(turn.transcript for turn in story.finals))


def test_the_python_sdk_with_two_channels(server: LocalServer) -> None:
    names = made(server, "Official Python SDK, two channels")
    client, mixer = names["client"], names["mixer"]
    turns: list[Any] = []
    mixer.on(StreamingEvents.Turn, lambda _, turn: turns.append(turn))
    client.connect(parameters())
    for one, two in channels():
        mixer.stream("caller", one)
        mixer.stream("agent", two)
    mixer.flush()
    asyncio.run(nearly_all_is_heard())
    client.disconnect(terminate=True)
    assert_told_apart(turns, one="caller", two="agent")


def test_the_node_sdk(trusted_server: LocalServer, node_packages: Path) -> None:
    speech = node_packages / "speech.pcm"
    speech.write_bytes(AUDIO.tobytes())
    rest = f"""
    import {{ readFileSync }} from "node:fs";
    const nearlyAllIsHeard = new Promise((resolve) =>
      transcriber.on("turn", (turn) => {{
        console.log(JSON.stringify(turn));
        if (turn.words.some((word) => word.end > {NEARLY_ALL_MS})) resolve();
      }}));
    await transcriber.connect();
    const audio = readFileSync("speech.pcm");
    for (let start = 0; start < audio.length; start += 1600)
      transcriber.sendAudio(audio.subarray(start, start + 1600));
    await nearlyAllIsHeard;
    await transcriber.close();
    """
    script = node_packages / "example.mjs"
    script.write_text(example(trusted_server, "Official Node SDK") + rest)
    output = subprocess.run(
        [program("node"), script.name],
        cwd=node_packages,
        env=os.environ | {"NODE_EXTRA_CA_CERTS": str(trusted_server.ca_file)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    turns = [json.loads(line) for line in output.splitlines()]
    assert_heard(*(turn["transcript"] for turn in turns if turn["end_of_turn"]))


async def test_livekit(server: LocalServer) -> None:
    stt = made(server, "LiveKit")["stt"]
    # As an agent's job has it.
    async with http_context.open(), stt.stream() as stream:
        for chunk in CHUNKS:
            stream.push_frame(rtc.AudioFrame(chunk, RATE, 1, len(chunk) // 2))
        await nearly_all_is_heard()
        stream.end_input()
        events = [event async for event in stream]
    final = SpeechEventType.FINAL_TRANSCRIPT
    assert_heard(*(event.alternatives[0].text for event in events if event.type == final))


async def test_pipecat(server: LocalServer) -> None:
    async with conversation(made(server, "Pipecat")["stt"]) as talk:
        await talk.say(*CHUNKS)
        await nearly_all_is_heard()
        assert_heard(*texts(await talk.rest()))


def test_a_browser(server: LocalServer, tmp_path: Path) -> None:
    code = example(server, "A browser").replace("wss://", "ws://")
    page = f"""<!doctype html><script type="module">
    const token = new URLSearchParams(location.search).get("token");
    const shown = [];
    const show = (what) => shown.push(what);
    {code}
    socket.addEventListener("open", () => socket.send('{TERMINATE}'));
    socket.addEventListener("close", () =>
      fetch("report", {{ method: "POST", body: JSON.stringify(shown) }}));
    </script>"""
    with website() as site:
        site.files["/page.html"] = page.encode()
        asked = urlencode({"token": token_of(server)})
        begin, termination, close = browse(site, f"page.html?{asked}", tmp_path)
    assert (begin["type"], termination["type"]) == ("Begin", "Termination")
    assert close == {"code": 1000, "reason": "Session Ended"}


def test_websocket_client(server: LocalServer) -> None:
    names = made(server, "websocket-client")
    app, binary = names["app"], names["websocket"].ABNF.OPCODE_BINARY
    messages: list[dict[str, Any]] = []
    sockets: list[Any] = []

    def speak(_: object) -> None:
        sockets.append(app.sock)
        for chunk in CHUNKS:
            app.send(chunk, binary)
        app.send(TERMINATE)

    app.on_open, app.on_message = speak, lambda _, text: messages.append(json.loads(text))
    app.run_forever()
    # A socket that the server has closed, the package leaves open.
    sockets[0].shutdown()
    assert_heard(*finals(messages))


async def test_websockets(server: LocalServer) -> None:
    def talk() -> list[dict[str, Any]]:
        with made(server, "websockets")["socket"] as socket:
            for chunk in CHUNKS:
                socket.send(chunk)
            socket.send(TERMINATE)
            return [json.loads(text) for text in socket]

    assert_heard(*finals(await asyncio.to_thread(talk)))
