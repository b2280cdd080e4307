"""A browser's own WebSocket: it sends no headers, and so has a temporary token in its URL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conformance.browsing import Site, browse, token_of, website
from tests.conformance.passage import AUDIO, RATE, assert_heard
from turnwire.testing import LocalServer
from turnwire.wire.closure import Closure, Phase

PAGE = Path(__file__).parent / "browser" / "talk.html"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with website() as site:
        site.files = {"/talk.html": PAGE.read_bytes(), "/speech.pcm": AUDIO.tobytes()}
        yield site


def talk(site: Site, url: str, profile: Path) -> dict[str, Any]:
    """What the page reports that was asked to speak to this URL."""
    asked = urlencode({"url": url, "step": 2 * RATE // 20})
    report: dict[str, Any] = browse(site, f"talk.html?{asked}", profile)
    return report


def test_the_passage_is_transcribed(server: LocalServer, site: Site, tmp_path: Path) -> None:
    asked = urlencode({"sample_rate": RATE, "format_turns": "true", "token": token_of(server)})
    report = talk(site, f"{server.url}?{asked}", tmp_path)
    begin, *turns, termination = report["messages"]
    assert (begin["type"], termination["type"]) == ("Begin", "Termination")
    finals = [turn for turn in turns if turn["turn_is_formatted"]]
    assert [turn["turn_order"] for turn in finals] == list(range(len(finals)))
    assert_heard(*(turn["transcript"] for turn in finals))
    assert (report["code"], report["reason"], report["wasClean"]) == (1000, "Session Ended", True)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("token=nobody", "Invalid API key"),
        ("", "Missing Authorization header"),
    ],
)
def test_who_may_not_learns_why(
    server: LocalServer, site: Site, tmp_path: Path, query: str, why: str
) -> None:
    report = talk(site, f"{server.url}?{query}", tmp_path)
    text = f"Unauthorized Connection: {why}"
    assert report == {
        "messages": [{"error_code": 1008, "error": text, "type": "Error"}],
        "code": 1008,
        "reason": text,
        "wasClean": True,
    }


def test_an_ending_is_told(
    server: LocalServer, site: Site, tmp_path: Path, ending: Closure
) -> None:
    place = server.rehearsal(ending.row.name)
    report = talk(site, f"{place.url}?token={token_of(server)}", tmp_path)
    begun = [] if ending.row.phase is Phase.OPENING else ["Begin"]
    assert [message["type"] for message in report["messages"]] == [*begun, "Error"]
    # It is no clean close to a browser if the page had more to send, which here it may have.
    assert (report["code"], report["reason"]) == (ending.code, ending.reason)
