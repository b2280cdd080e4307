"""The documentation: what is derived is fresh, and what is code runs."""

import asyncio
import re
import subprocess
import sys
import textwrap
import wave
from pathlib import Path

from tests.support import RATE, loud
from turnwire.server.running import RunningServer, running

ROOT = Path(__file__).parents[1]


def test_the_generated_pages_are_fresh() -> None:
    check = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    outcome = subprocess.run(check, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, f"{outcome.stdout}Run ./scripts/docs."


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


def at(server: RunningServer, code: str) -> str:
    """The code with the address and the key of the page replaced by ones that exist."""
    return code.replace("ws://127.0.0.1:8080", server.url).replace("tw_...", server.api_key)


async def run(code: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


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


async def test_our_client_transcribes_as_the_readme_says(tmp_path: Path) -> None:
    _, transcribing = python_blocks("README.md")
    talk = tmp_path / "talk.wav"
    with wave.open(str(talk), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(loud(500))
    async with running("echo") as server:
        output = await run(at(server, transcribing).replace("talk.wav", str(talk)))
    assert output.startswith("one two\n")
    assert "Session Ended" in output
