"""A browser that is shown a page, and reports what happened there."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.request import Request, urlopen

from tests.conformance.programs import program
from tests.support import PATIENCE
from turnwire.testing import LocalServer


class Site(ThreadingHTTPServer):
    """The web site of the page, to which the page reports."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.files: dict[str, bytes] = {}
        self.reports: SimpleQueue[Any] = SimpleQueue()


class Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        content = self.server.files.get(self.path.partition("?")[0])
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


@contextmanager
def website() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


def browse(site: Site, page: str, profile: Path) -> Any:
    """What this page of the site reports."""
    options = [
        "--headless",
        "--no-sandbox",  # which root cannot have, in a container least of all
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it calls nobody else
        f"--user-data-dir={profile}",
    ]
    address = f"http://127.0.0.1:{site.server_port}/{page}"
    with subprocess.Popen([program("chromium"), *options, address]) as browser:
        try:
            return site.reports.get(timeout=PATIENCE)
        finally:
            browser.terminate()


def token_of(server: LocalServer) -> str:
    """A token as an application's own server gets it: the key never comes near the browser."""
    url = server.host.replace("ws", "http", 1) + "/v3/token?expires_in_seconds=60"
    with urlopen(Request(url, headers={"Authorization": server.api_key})) as answer:
        token: str = json.load(answer)["token"]
        return token
