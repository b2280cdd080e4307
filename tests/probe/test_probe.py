"""The probe against servers that do as the table says, and servers that do not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from tests.client.servers import BEGIN, tell
from tests.client.servers import serving as serving_fake
from tests.support import Server, serving
from turnwire.accounts.admission import OpenRegistry
from turnwire.cli import app
from turnwire.clock import LoopClock, Timer
from turnwire.probe.checks import CHECKS, Check
from turnwire.probe.judging import Finding, Verdict, judge
from turnwire.probe.observing import Observation, Target
from turnwire.probe.running import ProbeError, probe
from turnwire.wire import messages
from turnwire.wire.closure import REASON_TOO_LONG, ClosureRow, Kind, Phase
from turnwire.wire.closures import INVALID_JSON

BY_NAME = {check.name: check for check in CHECKS}


class FastClock(LoopClock):
    """Twenty seconds to the second."""

    def now(self) -> float:
        return super().now() * 20

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        return super().call_at(when / 20, call)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(clock=FastClock()) as server:
        yield server


async def verdicts(target: Target) -> dict[str, Verdict]:
    return {finding.check.name: finding.verdict async for finding in probe(target)}


async def test_our_own_server_is_right_to_the_letter(server: Server) -> None:
    findings = await verdicts(Target(server.url, server.key))
    assert findings == dict.fromkeys(BY_NAME, Verdict.EXACT)


@pytest.mark.parametrize(
    "broken",
    [
        replace(INVALID_JSON, code=3999),
        replace(INVALID_JSON, template="Bad JSON: {json}"),
        replace(INVALID_JSON, kind=Kind.NORMAL),
    ],
    ids=["code", "text", "no-error-message"],
)
async def test_a_row_that_is_broken_is_found_and_no_other(
    server: Server, broken: ClosureRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "INVALID_JSON", broken)
    findings = await verdicts(Target(server.url, server.key))
    assert findings.pop("invalid_json") is Verdict.DIFFERS
    assert set(findings.values()) == {Verdict.EXACT}


async def test_a_server_without_keys_differs_where_keys_are_asked_for() -> None:
    async with serving(clock=FastClock(), registry=OpenRegistry()) as server:
        findings = await verdicts(Target(server.url))
    different = [name for name, verdict in findings.items() if verdict is Verdict.DIFFERS]
    assert different == ["missing_authorization", "unauthorized", "unauthorized_used_token"]


async def test_without_a_session_there_is_nothing_to_probe(server: Server) -> None:
    with pytest.raises(ProbeError, match=r"Missing Authorization header\. Does it need a key"):
        await verdicts(Target(server.url))
    with pytest.raises(ProbeError, match="Invalid API key"):
        await verdicts(Target(server.url, "nobody"))
    with pytest.raises(ProbeError, match="no connection"):
        await verdicts(Target("ws://127.0.0.1:1", "any"))


async def test_what_needs_no_session_is_probed_without_a_key(server: Server) -> None:
    names = ("missing_authorization", "unauthorized", "deprecated_endpoint")
    target = Target(f"{server.url}/v3/ws")
    findings = [finding async for finding in probe(target, (BY_NAME[name] for name in names))]
    assert [finding.verdict for finding in findings] == [Verdict.EXACT] * 3


async def test_a_server_without_tokens_is_not_asked_for_their_second_use() -> None:
    async with serving_fake(lambda socket: tell(socket, BEGIN)) as url:
        [finding] = [f async for f in probe(Target(url), [BY_NAME["unauthorized_used_token"]])]
    assert finding.verdict is Verdict.SKIPPED
    assert finding.why == ("no token could be had: HTTP status 426",)


async def test_no_wait_is_without_end() -> None:
    hanging = asyncio.Event()

    async def hang(socket: object) -> None:
        await hanging.wait()

    async with serving_fake(hang) as url:
        check = replace(BY_NAME["missing_authorization"], within=0.05)
        [finding] = [f async for f in probe(Target(url), [check])]
        hanging.set()
    assert finding.why == ("nothing more came within 0.05 seconds",)


def seen(check: Check, **differences: object) -> Observation:
    """What is right for the check, but for these."""
    text = check.expected.text
    right = Observation(
        heard=["Begin", "Error"] if check.begins else ["Error"],
        error_code=check.row.code,
        error=text,
        code=check.row.code,
        reason=text,
    )
    return replace(right, **differences)  # type: ignore[arg-type]


LONG = BY_NAME["input_duration"]
LIVE_TEXT = (
    "Input Duration Error: Input Duration Violation: 25.0 ms. Expected between 50 and 1000 ms"
)


@pytest.mark.parametrize("reason", [LIVE_TEXT, REASON_TOO_LONG])
def test_another_wording_around_the_text_is_right_and_told(reason: str) -> None:
    finding = judge(LONG, seen(LONG, error=LIVE_TEXT, reason=reason))
    assert finding.verdict is Verdict.CONTAINED


DIFFERENCES: list[tuple[dict[str, object], str]] = [
    ({"problem": "no connection"}, "no connection"),
    ({"status": 503}, "the handshake was answered with HTTP status 503"),
    ({"heard": ["Error"]}, "Begin was not the first message"),
    ({"heard": ["Begin", "Error", "Turn"]}, "Error was not the last message"),
    ({"heard": ["Begin", "Termination", "Error"]}, "Termination came beside an Error"),
    ({"error_code": 3006}, "error_code 3006, not 3007"),
    ({"code": 1000}, "close code 1000, not 3007"),
    ({"code": None}, "no close frame, not 3007"),
    ({"reason": "Bye"}, "the close reason is 'Bye'"),
]


@pytest.mark.parametrize(("differences", "why"), DIFFERENCES)
def test_what_differs_is_named(differences: dict[str, object], why: str) -> None:
    finding = judge(LONG, seen(LONG, **differences))
    assert finding.verdict is Verdict.DIFFERS
    assert finding.why == (why,)


def test_no_session_may_begin_where_none_should() -> None:
    check = BY_NAME["unauthorized"]
    finding = judge(check, seen(check, heard=["Begin", "Error"]))
    assert finding.why == ("a session began",)


def test_an_end_without_its_error_message_differs() -> None:
    finding = judge(LONG, seen(LONG, heard=["Begin"], error_code=None, error=None))
    assert finding.why == ("Error was not the last message",)


def test_a_normal_end_has_termination_and_no_error() -> None:
    check = BY_NAME["session_ended"]
    right = seen(check, heard=["Begin", "Termination"], error_code=None, error=None)
    assert judge(check, right).verdict is Verdict.EXACT
    assert judge(check, replace(right, heard=["Begin"])).verdict is Verdict.DIFFERS
    assert judge(check, seen(check)).verdict is Verdict.DIFFERS


def test_an_old_endpoint_has_an_http_status() -> None:
    check = BY_NAME["deprecated_endpoint"]
    text = check.expected.text
    assert judge(check, Observation(status=410, reason=text)).verdict is Verdict.EXACT
    assert judge(check, Observation(status=410, reason="Gone")).verdict is Verdict.DIFFERS
    assert judge(check, Observation(status=404)).why == ("HTTP status 404, not HTTP status 410",)
    assert judge(check, seen(check)).why == ("an upgrade, not HTTP status 410",)


def test_what_a_server_sends_may_be_anything() -> None:
    observation = Observation()
    for frame in ("{not json", "[]", b"\xff", '{"type": "Begin"}', '{"type": "Error"}'):
        observation.note(frame)
    assert observation.heard == [*["a message without a type"] * 3, "Begin", "Error"]


def test_every_row_that_can_be_provoked_is() -> None:
    rows = {check.row.name for check in CHECKS}
    assert {"session_ended", "inactive", "message_too_large"} <= rows
    # Those would need a load, a limit that is used up, or a server that fails.
    assert not rows & {"transmission_rate", "too_many_sessions", "no_capacity", "server_error"}
    for check in CHECKS:
        if check.row.phase is not Phase.ANY:
            assert check.begins is (check.row.phase is Phase.SESSION)


async def invoke(*arguments: str) -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["probe", *arguments], prog_name="turnwire"
    )


async def test_the_command_shows_a_table_and_succeeds(server: Server) -> None:
    result = await invoke(server.url, "--api-key", server.key)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["Check", "Verdict"]
    assert [line.split()[:2] for line in lines[1:]] == [[name, "exact"] for name in BY_NAME]
    assert "Begin, Termination, close" in lines[1]


async def test_the_command_fails_if_anything_differs(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "INVALID_JSON", replace(INVALID_JSON, code=3999))
    chosen = ("--only", "invalid_json", "--only", "invalid_message")
    result = await invoke(server.url, "--api-key", server.key, *chosen)
    assert result.exit_code == 1
    assert "differs: close code 3999, not 3006" in result.stdout.replace(
        "error_code 3999, not 3006; ", ""
    )

    result = await invoke(server.url, "--api-key", server.key, *chosen, "--format", "json")
    outcome = json.loads(result.stdout)
    assert [check["verdict"] for check in outcome["checks"]] == ["differs", "exact"]
    assert outcome["checks"][0]["observed"]["code"] == 3999

    result = await invoke(server.url, "--api-key", server.key, *chosen, "--format", "junit")
    suite = ElementTree.fromstring(result.stdout)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "0")
    [failed, passed] = suite.findall("testcase")
    assert failed.get("name") == "invalid_json"
    assert failed.find("failure") is not None
    assert list(passed) == []


async def test_the_command_says_what_it_cannot_do(server: Server) -> None:
    refused = await invoke(server.url)
    assert refused.exit_code == 2
    assert "opens no session" in refused.stderr
    unknown = await invoke(server.url, "--only", "nothing")
    assert unknown.exit_code == 2
    assert "invalid_json" in unknown.stderr
    nowhere = await invoke("ftp://localhost")
    assert nowhere.exit_code == 2
    assert "is not the address of a server" in nowhere.stderr


def test_a_skipped_check_is_skipped_in_junit_too() -> None:
    from turnwire.probe.reports import as_junit

    finding = Finding(BY_NAME["unauthorized_used_token"], Verdict.SKIPPED, why=("no tokens",))
    suite = ElementTree.fromstring(as_junit("ws://localhost", [finding]))
    assert suite.get("skipped") == "1"
    assert suite.find("testcase/skipped") is not None
