"""The pytest plugin, as other projects use it: from outside, and the example's own tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import websockets

from tests.support import TERMINATE, converse, loud, quiet
from turnwire.pytest_plugin import Rehearse, SetScript
from turnwire.testing import LocalServer, serving

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parents[1] / "examples" / "testing-your-app"


def test_the_tests_of_the_example_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    outcome = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout
    assert "5 passed" in outcome.stdout


def test_the_how_to_shows_tests_of_the_example() -> None:
    page = (EXAMPLE.parents[1] / "docs" / "testing-your-app.md").read_text()
    shown = re.search(r"^### The official Python SDK.*?^```python\n(.*?)^```", page, re.M | re.S)
    tests = (EXAMPLE / "test_captions.py").read_text()
    assert shown is not None
    assert all(test in tests for test in shown[1].split("\n\n\n"))


def test_the_tests_of_livekit_that_the_how_to_shows_pass(tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "docs" / "testing-your-app.md").read_text()
    shown = re.search(r"^### LiveKit.*?^```python\n(.*?)^```", page, re.M | re.S)
    assert shown is not None
    tests = tmp_path / "test_agent.py"
    tests.write_text(shown[1])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
    ]
    options = ["-o", "asyncio_mode=auto", str(tests)]
    outcome = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout
    assert "5 passed" in outcome.stdout


def connect(server: LocalServer, url: str) -> websockets.connect:
    return websockets.connect(
        url, additional_headers={"Authorization": server.api_key}, proxy=None, ping_interval=None
    )


async def test_the_server_is_a_real_one(turnwire_server: LocalServer) -> None:
    assert turnwire_server.url == f"{turnwire_server.host}/v3/ws"
    assert turnwire_server.ca_file is None
    async with connect(turnwire_server, turnwire_server.url) as socket:
        said = await converse(socket, [loud(500), TERMINATE])
    assert said.transcript == "one two"


async def test_it_hears_what_it_is_told(
    turnwire_server: LocalServer, turnwire_script: SetScript
) -> None:
    turnwire_script("Good morning.", "How are you?")
    async with connect(turnwire_server, turnwire_server.url) as socket:
        audio = [loud(500), quiet(1000), quiet(1000), loud(750)]
        said = await converse(socket, [*audio, TERMINATE])
    assert [turn["transcript"] for turn in said.ends_of_turn] == ["good morning", "how are you"]
    turnwire_script()
    async with connect(turnwire_server, turnwire_server.url) as socket:
        assert (await converse(socket, [loud(250), TERMINATE])).transcript == "one"


@pytest.mark.parametrize(
    ("fates", "cue", "codes"),
    [
        (("session_expired",), {}, [3008]),
        (("3008",), {"after": "0.01s"}, [3008]),
        (("server_error",), {"before_begin": True}, [3005]),
        (("3009", "reset", "ok"), {}, [3009, 1006, 1000]),
    ],
)
async def test_what_is_rehearsed_happens(
    turnwire_server: LocalServer,
    turnwire_rehearsal: Rehearse,
    fates: tuple[str, ...],
    cue: dict[str, str | bool],
    codes: list[int],
) -> None:
    # Each has a beginning of its own.
    for _ in range(2):
        place = turnwire_rehearsal(*fates, **cue)  # type: ignore[arg-type]
        assert place.url == f"{place.host}/v3/ws"
        for code in codes:
            async with connect(turnwire_server, place.url) as socket:
                said = await converse(socket, [TERMINATE] if code == 1000 else [])
            assert said.code == code


@pytest.mark.parametrize(
    ("fates", "after", "why"),
    [
        (("nothing",), None, "There is no 'nothing'"),
        (("3008",), "soon", "not like 5s"),
        (("3008", "ok"), "5s", "a sequence has no cue"),
        ((), None, "There is no ''"),
    ],
)
def test_what_cannot_be_rehearsed_is_an_error_at_once(
    turnwire_rehearsal: Rehearse, fates: tuple[str, ...], after: str | None, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        turnwire_rehearsal(*fates, after=after)


def test_a_server_that_cannot_start_says_why() -> None:
    from turnwire.speech.engine import EngineError

    with pytest.raises(EngineError), serving("./no-such-model"):
        pass


def test_a_suite_that_uses_nothing_of_it_does_not_notice_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_imported():
            ours = {name for name in sys.modules if name.startswith("turnwire")}
            assert ours <= {"turnwire", "turnwire.pytest_plugin"}
            assert "uvicorn" not in sys.modules
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:asyncio")
    result.assert_outcomes(passed=1)


def test_the_model_is_an_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import json
        import urllib.request

        import pytest

        def test_the_server_has_it(turnwire_server):
            health = turnwire_server.host.replace("ws", "http", 1) + "/health"
            with urllib.request.urlopen(health) as answer:
                assert json.load(answer)["model"] == "tiny.en"
            with pytest.raises(ValueError, match="hears what it is told"):
                turnwire_server.script("Good morning.")
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:asyncio", "--turnwire-model=tiny.en")
    result.assert_outcomes(passed=1)


def test_tls_is_an_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import ssl

        import pytest
        from websockets.exceptions import ConnectionClosedError
        from websockets.sync.client import connect

        @pytest.mark.parametrize("fate", ["session_expired", "reset"])
        def test_it_is_served_and_rehearsed(turnwire_server, turnwire_rehearsal, fate):
            place = turnwire_rehearsal(fate)
            assert place.url.startswith("wss://")
            trusted = ssl.create_default_context(cafile=turnwire_server.ca_file)
            headers = {"Authorization": turnwire_server.api_key}
            with connect(
                place.url, ssl=trusted, additional_headers=headers, proxy=None
            ) as socket:
                with pytest.raises(ConnectionClosedError) as closed:
                    while socket.recv():
                        pass
            code = closed.value.rcvd and closed.value.rcvd.code
            assert code == (None if fate == "reset" else 3008)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:asyncio", "--turnwire-tls")
    result.assert_outcomes(passed=2)
