"""The documentation: what is derived is fresh, and what is code runs."""

import asyncio
import hashlib
import importlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
import wave
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.support import PATIENCE, RATE, converse, loud
from turnwire.accounts.database_url import sqlite_url
from turnwire.accounts.store import Store
from turnwire.client import errors
from turnwire.server.running import RunningServer, running
from turnwire.webhooks.signing import new_secret, signed_headers
from turnwire.wire.closure import Kind

ROOT = Path(__file__).parents[1]


def test_the_generated_pages_are_fresh() -> None:
    check = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    outcome = subprocess.run(check, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, f"{outcome.stdout}Run ./scripts/docs."


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs")
    return importlib.import_module("generate")


def test_an_exception_is_written_with_the_base_of_its_kind(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(errors.BASES, Kind.KNOWN, errors.ErrorClosure)
    assert "\nclass SessionExpired(ErrorClosure): ..." in generate.exceptions()


def test_a_file_of_exceptions_that_is_not_as_expected_is_left_alone(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = tmp_path / "errors.py"
    written.write_text("class ClientError(Exception): ...\n")
    monkeypatch.setattr(generate, "PAGES", {str(written): generate.exceptions})
    monkeypatch.setattr(generate, "ERRORS", str(written))
    with pytest.raises(ValueError, match="not found"):
        generate.main([])
    assert written.read_text() == "class ClientError(Exception): ...\n"


def test_each_diagram_has_its_picture_and_none_is_left_over() -> None:
    pages = (page.read_text() for page in (ROOT / "docs").glob("*.md"))
    texts = [text for page in pages for text in re.findall(r"```mermaid\n(.*?)```", page, re.S)]
    names = {hashlib.sha256(text.strip().encode()).hexdigest()[:16] for text in texts}
    pictures = (ROOT / "docs" / "images" / "diagrams").glob("*.svg")
    assert {picture.stem for picture in pictures} == names, "Run ./scripts/diagrams."


def test_the_tests_that_pages_name_are_there() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for test in re.findall(r"`(tests/[\w/]+\.py)`", page.read_text()):
            assert (ROOT / test).is_file(), f"{page.name} names {test}"


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


def at(server: RunningServer, code: str) -> str:
    """The code with the address and the key of the page replaced by ones that exist."""
    _, _, address = server.url.partition("://")
    return code.replace("127.0.0.1:8080", address).replace("tw_...", server.api_key)


async def run(
    code: str, *options: str, folder: Path | None = None, ca_file: Path | None = None
) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *options,
        "-c",
        code,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=os.environ | ({"SSL_CERT_FILE": str(ca_file)} if ca_file else {}),
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording of a short talk, in which the echo engine hears two words."""
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(loud(500))
    return tmp_path


async def test_the_official_sdk_connects_as_the_readme_says() -> None:
    connecting, _ = python_blocks("README.md")
    rest = """
    from assemblyai.streaming.v3 import StreamingEvents, StreamingParameters

    client.on(StreamingEvents.Begin, lambda _, begin: print("begun"))
    client.on(StreamingEvents.Error, lambda _, error: print(error))
    client.connect(StreamingParameters(sample_rate=16000))
    client.disconnect(terminate=True)
    """
    async with running("echo") as server:
        assert await run(at(server, connecting) + textwrap.dedent(rest)) == "begun\n"


async def test_the_official_sdk_gets_tokens_as_the_page_about_tls_says() -> None:
    [getting] = python_blocks("docs/tls.md")
    rest = """
    from assemblyai.streaming.v3 import StreamingEvents, StreamingParameters

    client = StreamingClient(StreamingClientOptions(api_key=token, api_host="127.0.0.1:8080"))
    client.on(StreamingEvents.Begin, lambda _, begin: print("begun"))
    client.on(StreamingEvents.Error, lambda _, error: print(error))
    client.connect(StreamingParameters(sample_rate=16000))
    client.disconnect(terminate=True)
    """
    async with running("echo", tls=True) as server:
        code = at(server, getting + textwrap.dedent(rest))
        assert await run(code, ca_file=server.ca_file) == "begun\n"


async def test_our_client_transcribes_as_the_readme_says(folder: Path) -> None:
    _, transcribing = python_blocks("README.md")
    async with running("echo") as server:
        output = await run(at(server, transcribing), "-W", "error", folder=folder)
    assert output == "one two\n1000 Session Ended (closed by the server)\n"


def test_the_tutorial_shows_the_program_of_the_readme() -> None:
    assert python_blocks("docs/tutorial.md") == python_blocks("README.md")[1:]


ENDED = "1000 Session Ended (closed by the server)"

SHOWN = {
    "A file": f"one two\n{ENDED}\n",
    "With asyncio": "one two\n",
    "Audio from anywhere": "[] 3.0\n",
    "Recordings, faster than they last": f"{ENDED}\n",
    "Callbacks": "begun\n0 s\nclosed: 1000 Session Ended\n",
    "How it ended": "1008 unauthorized True False\n"
    "Unauthorized Connection: Invalid API key\n"
    "Read the reason; another attempt with the same credentials ends the same way.\n"
    "the server None 0.0 0.0\n"
    "1008 Unauthorized Connection: Invalid API key (closed by the server); received Error 1008, "
    "received close 1008, sent close 1008. "
    "Read the reason; another attempt with the same credentials ends the same way.\n",
    "Streams that outlive sessions": f"ID 0 {ENDED}\n",
    "Gaps": "True ()\n",
    "Temporary tokens": f"{ENDED}\n",
}
"""What each example of the client's page prints, by its section."""


def test_every_example_of_the_clients_page_is_run() -> None:
    assert list(examples()) == list(SHOWN)


def examples() -> dict[str, str]:
    sections = re.split(r"^## ", (ROOT / "docs/client.md").read_text(), flags=re.M)[1:]
    return {
        section.split("\n")[0]: "".join(re.findall(r"^```python\n(.*?)^```", section, re.M | re.S))
        for section in sections
        if "```python" in section
    }


@pytest.mark.parametrize("section", SHOWN)
async def test_an_example_of_the_clients_page(section: str, folder: Path) -> None:
    async with running("echo") as server:
        output = await run(at(server, examples()[section]), "-W", "error", folder=folder)
    assert re.sub(r"^[0-9a-f-]{36} ", "ID ", output) == SHOWN[section]


def test_a_receiver_knows_a_genuine_webhook_as_the_page_says() -> None:
    [code] = python_blocks("docs/webhooks.md")
    page: dict[str, Any] = {}
    exec(code, page)
    secret, now = new_secret(), int(time.time())
    headers = dict(signed_headers(secret, "msg_1", b"{}", timestamp=now))
    assert page["is_genuine"](secret, headers, b"{}")
    assert not page["is_genuine"](secret, headers, b"{ }")
    assert not page["is_genuine"](new_secret(), headers, b"{}")
    old = dict(signed_headers(secret, "msg_1", b"{}", timestamp=now - 600))
    assert not page["is_genuine"](secret, old, b"{}")


async def test_turnwire_is_embedded_and_drained_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNWIRE_MODEL", "echo")
    monkeypatch.setenv("TURNWIRE_NO_AUTH", "true")
    monkeypatch.setenv("TURNWIRE_DRAIN_SECONDS", "0")
    mounting, serving = python_blocks("docs/embedding.md")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = (mounting + serving).replace("/srv/turnwire", str(tmp_path)).replace("8000", str(port))
    host = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(OSError):
                    async with connect(f"ws://127.0.0.1:{port}/stt/v3/ws", proxy=None) as websocket:
                        await websocket.recv()
                        host.terminate()
                        assert (await converse(websocket)).code == 3005
                        break
                await asyncio.sleep(0.1)
            assert await host.wait() == -signal.SIGTERM, "uvicorn raises it again"
    finally:
        if host.returncode is None:
            host.kill()
            await host.wait()


async def test_the_backup_of_a_running_server_is_whole(tmp_path: Path) -> None:
    [statement] = re.findall(
        r'^sqlite3 turnwire\.db "(.*)"$', (ROOT / "docs" / "upgrading.md").read_text(), re.M
    )
    store = await Store.open(sqlite_url(tmp_path), node="before")
    await store.management.create_account("default")
    key = await store.management.create_key("default", name="any")
    with closing(sqlite3.connect(tmp_path / "turnwire.db")) as running:
        running.execute(statement.replace("backup.db", str(tmp_path / "backup.db")))
    await store.close()

    restored = tmp_path / "restored"
    restored.mkdir()
    (tmp_path / "backup.db").rename(restored / "turnwire.db")
    store = await Store.open(sqlite_url(restored), node="after")
    grant = await store.begin("a-session", key)
    await store.close()
    assert grant.account == "default"
