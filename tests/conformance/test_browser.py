"""A browser's own WebSocket: it sends no headers, and so has a temporary token in its URL."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.conformance.passage import AUDIO, RATE, assert_heard
from tests.conformance.programs import program
from turnwire.testing import LocalServer
from turnwire.wire.closures import Closure, Phase

FILES = {
    "/talk.html": (Path(__file__).parent / "browser" / "talk.html").read_bytes(),
    "/speech.pcm": AUDIO.tobytes(),
}


class Site(ThreadingHTTPServer):
    """The web site of the page, to which the page reports."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.reports: SimpleQueue[dict[str, Any]] = SimpleQueue()


class Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        content = FILES.get(self.path.partition("?")[0])
        self.send_response(200 if content else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def do_POST(self) -> None:
        report = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reports.put(json.loads(report))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        yield site
        site.shutdown()
        thread.join()


def browse(site: Site, url: str, profile: Path) -> dict[str, Any]:
    """What the page reports that was asked to speak to this URL."""
    asked = urlencode({"url": url, "step": 2 * RATE // 20})
    options = [
        "--headless",
        "--no-sandbox",  # which root cannot have, in a container least of all
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it calls nobody else
        f"--user-data-dir={profile}",
    ]
    page = f"http://127.0.0.1:{site.server_port}/talk.html?{asked}"
    with subprocess.Popen([program("chromium"), *options, page]) as browser:
        try:
            return site.reports.get(timeout=60)
        finally:
            browser.terminate()


def token_of(server: LocalServer) -> str:
    """A token as an application's own server gets it: the key never comes near the browser."""
    url = server.host.replace("ws", "http", 1) + "/v3/token?expires_in_seconds=60"
    with urlopen(Request(url, headers={"Authorization": server.api_key})) as answer:
        token: str = json.load(answer)["token"]
        return token


def test_the_passage_is_transcribed(server: LocalServer, site: Site, tmp_path: Path) -> None:
    asked = urlencode({"sample_rate": RATE, "format_turns": "true", "token": token_of(server)})
    report = browse(site, f"{server.url}?{asked}", tmp_path)
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
    report = browse(site, f"{server.url}?{query}", tmp_path)
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
    report = browse(site, f"{place.url}?token={token_of(server)}", tmp_path)
    begun = [] if ending.row.phase is Phase.OPENING else ["Begin"]
    assert [message["type"] for message in report["messages"]] == [*begun, "Error"]
    assert (report["code"], report["reason"]) == (ending.code, ending.reason)
    assert report["wasClean"]
